/**
 * The plan: everything that the steps of a create rely on, decided once. Whatever happens to the settings, the offering or the cloud
 * while the order is carried out, every attempt goes by the same plan.
 */
import { Effect, Either, Option, Schema } from "effect"
import { vectorsOf } from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import { type CreateRequest, decide, ensure, OrderRefused, Reservations } from "../../plugin/index.js"
import type { VdcAttributes } from "./attributes.js"
import { type Cloud, configurationFault, isTaggedFor, notInOthersGroups } from "./cloud.js"
import { SecurityRule, type VdcSettings, withPluginOptions } from "./settings.js"
import {
  freeSubnets,
  overlaps,
  parseAddress,
  parseSubnet,
  poolOf,
  poolProblem,
  type Subnet,
  subnetOf
} from "./subnet.js"

const NetworkPlan = Schema.Struct({
  /** VN_MAD */
  driver: Schema.NonEmptyString,
  /** PHYDEV of vxlan and 802.1Q, BRIDGE of all other drivers. */
  device: Schema.NonEmptyString,
  dns: Schema.String,
  externalNetwork: Schema.Int,
  routerTemplate: Schema.Int,
  /** SCHED_REQUIREMENTS of the router's VM */
  scheduling: Schema.String,
  securityRules: Schema.Array(Schema.typeSchema(SecurityRule)),
  /** Whether these rules hold alone. Journals from before this setting do not have it. */
  rulesAlone: Schema.optionalWith(Schema.Boolean, { default: () => false })
})
export type NetworkPlan = typeof NetworkPlan.Type

export const Plan = Schema.Struct({
  /** Of the group, the VDC and, with an ending each, of all else. */
  name: Schema.NonEmptyString,
  zone: Schema.Int,
  clusters: Schema.NonEmptyArray(Schema.Int),
  /** Datastores of these clusters that hold images: where the quota for storage goes. */
  imageDatastores: Schema.Array(Schema.Int),
  /** The newest group before ours: an untagged one with this id or a lower one is not ours. */
  newestGroup: Schema.Int,
  /** Where the quota for addresses goes. */
  externalNetwork: Schema.NullOr(Schema.Int),
  isolated: Schema.Boolean,
  /** Whether tenants may use the external network. Journals from before this setting do not have it. */
  tenantsOutside: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  withUser: Schema.Boolean,
  /** Null: the offering gives no networks. */
  network: Schema.NullOr(NetworkPlan)
})
export type Plan = typeof Plan.Type

const SubnetSchema = Schema.Struct({ first: Schema.Int, last: Schema.Int, prefix: Schema.Int })

/** Drivers that put a VLAN on a device; OpenNebula 7.4 names the bridge itself. */
const deviceDrivers: ReadonlySet<string> = new Set(["vxlan", "802.1Q"])
export const takesDevice = (driver: string): boolean => deviceDrivers.has(driver)

/** The datastores with images of these clusters, and the clusters themselves: all of the zone where none is named. */
export const placesOf = (cloud: Cloud, settings: VdcSettings) =>
  Effect.all([cloud.one.cluster.list(), cloud.one.datastore.list()], { concurrency: "unbounded" }).pipe(
    Effect.map(([clusters, datastores]) => {
      const asked = settings.cluster_ids.length === 0 ? clusters.map(({ id }) => id) : settings.cluster_ids
      return {
        clusters: asked.toSorted((one, other) => one - other),
        missing: asked.filter((id) => clusters.every((cluster) => cluster.id !== id)),
        imageDatastores: datastores
          .filter((store) => store.type === "Image" && store.clusters.some((id) => asked.includes(id)))
          .map(({ id }) => id)
          .toSorted((one, other) => one - other)
      }
    })
  )

/** What is wrong with the settings for networks; `undefined` if there are none, or all is well. */
export const networkProblem = (settings: VdcSettings): string | undefined => {
  if (settings.external_network_id === undefined || settings.virtual_router_template_id === undefined) return undefined
  if (!takesDevice(settings.vn_mad) && settings.network_bridge === undefined) {
    return `vn_mad "${settings.vn_mad}" needs network_bridge, the bridge of the hosts.`
  }
  return poolProblem(settings.internal_network_base, settings.internal_network_prefix, settings.subnet_prefix_length)
}

const networkPlan = (settings: VdcSettings): NetworkPlan | null =>
  settings.external_network_id === undefined || settings.virtual_router_template_id === undefined
    ? null
    : {
        driver: settings.vn_mad,
        device: takesDevice(settings.vn_mad) ? settings.vxlan_phydev : (settings.network_bridge ?? ""),
        dns: settings.default_dns,
        externalNetwork: settings.external_network_id,
        routerTemplate: settings.virtual_router_template_id,
        scheduling: settings.sched_requirements || settings.cluster_ids.map((id) => `CLUSTER_ID=${id}`).join(" | "),
        securityRules: settings.security_group_defaults,
        rulesAlone: !settings.default_security_group && settings.security_group_defaults.length > 0
      }

/** Settings, plugin options and the cloud's places, put together; the order is refused here if it can be. */
export const decidePlan = (cloud: Cloud, request: CreateRequest<VdcAttributes>) =>
  decide(
    "plan",
    Plan,
    Effect.gen(function* () {
      const settings = yield* withPluginOptions(cloud.settings, request.pluginOptions)
      const problem = networkProblem(settings)
      if (problem !== undefined) return yield* configurationFault(problem, "Mend the offering's backend_settings.")
      const network = networkPlan(settings)
      const [places, groups, template] = yield* Effect.all(
        [
          placesOf(cloud, settings),
          cloud.one.group.list(),
          network === null ? Effect.succeed(undefined) : routerTemplate(cloud, network.routerTemplate)
        ],
        { concurrency: "unbounded" }
      )
      const [first, ...others] = places.clusters
      if (first === undefined || places.missing.length > 0) {
        return yield* configurationFault(
          `OpenNebula has no cluster ${places.missing.join(", ")}.`,
          "Correct cluster_ids in the offering's backend_settings."
        )
      }
      if (template !== undefined && !template.isVirtualRouter) {
        return yield* configurationFault(
          `VM template ${template.id} is not a virtual router's (VROUTER="YES").`,
          "Correct virtual_router_template_id in the offering's backend_settings."
        )
      }
      return {
        name: resourceName(settings.allocation_prefix, request.resource),
        zone: settings.zone_id,
        clusters: [first, ...others] as const,
        imageDatastores: places.imageDatastores,
        newestGroup: Math.max(0, ...groups.map(({ id }) => id)),
        externalNetwork: settings.external_network_id ?? null,
        isolated: settings.tenant_isolation,
        tenantsOutside: settings.tenant_external_network,
        withUser: settings.create_opennebula_user,
        network
      }
    })
  )

const routerTemplate = (cloud: Cloud, id: number) =>
  Effect.catchTag(cloud.one.template.info(id), "NoSuchObject", (error) =>
    configurationFault(error.message, "Correct virtual_router_template_id in the offering's backend_settings.")
  )

/** Subnets are kept apart on a whole front-end, whichever offering they are for. */
export const subnetPool = (cloud: Cloud): string => `subnets of ${cloud.one.endpoint}`

/**
 * The tenant's subnet: the one asked for, or the next free one. Reserved, so that no two orders get overlapping ones, and checked
 * against every network of the front-end, whoever made it.
 */
export const reserveSubnet = (cloud: Cloud, request: CreateRequest<VdcAttributes>) =>
  Effect.gen(function* () {
    const reservations = yield* Reservations
    const pool = subnetPool(cloud)
    const release = reservations.release(pool, request.resource.id)
    return yield* ensure("subnet", {
      result: SubnetSchema,
      perform: Effect.gen(function* () {
        const settings = yield* withPluginOptions(cloud.settings, request.pluginOptions)
        const from = poolOf(settings.internal_network_base, settings.internal_network_prefix)
        const asked = yield* askedSubnet(request.attributes, from)
        const networks = yield* cloud.one.network.list()
        const tagged = networks.filter((network) => isTaggedFor(request.resource.id, network))
        const own = yield* notInOthersGroups(cloud, request.resource.id, tagged)
        const known = subnetOfOwn(own)
        if (known !== undefined) {
          // It has it, whether or not it can be kept free for it: the Python agent gave the same one twice.
          yield* reservations.reserve(pool, request.resource.id, [known])
          return known
        }
        const occupied = occupiedBy(networks.filter((network) => !own.includes(network)))
        if (asked !== undefined && occupied.some((range) => overlaps(range, asked))) return yield* overlapping
        const prefix = asked?.prefix ?? settings.subnet_prefix_length
        const candidates = asked === undefined ? freeSubnets(from, prefix, occupied) : [asked]
        const reserved = yield* reservations.reserve(pool, request.resource.id, candidates)
        if (reserved !== undefined) return { ...reserved, prefix }
        return yield* asked === undefined
          ? new OrderRefused({ customerMessage: "All subnets of this offering are in use: ask its provider for more." })
          : overlapping
      }),
      undo: release
    })
  })

const overlapping = new OrderRefused({
  customerMessage: "The subnet that was asked for overlaps a network that is in use: choose another one, or none."
})

/** A customer's own wish, checked as far as it can be without looking at the cloud. */
export const askedSubnet = (attributes: VdcAttributes, pool: Subnet) => {
  const text = attributes.subnet_cidr?.trim() ?? ""
  return text === ""
    ? Effect.succeed(undefined)
    : Either.match(parseSubnet(text, pool), {
        onLeft: (customerMessage) => Effect.fail(new OrderRefused({ customerMessage })),
        onRight: (subnet) => Effect.succeed(subnet)
      })
}

type Networks = Effect.Effect.Success<ReturnType<Cloud["one"]["network"]["list"]>>

/** Of the network that the resource has already, made by an agent whose journal is not this one. */
const subnetOfOwn = (own: Networks): Subnet | undefined => {
  const [range] = own.slice(0, 1).flatMap(rangesOf)
  return range === undefined ? undefined : subnetOf(range.first, 32 - Math.ceil(Math.log2(range.size + 2)))
}

/** What the networks of others use, address range by address range. A network of this very resource is not in its own way. */
const occupiedBy = (others: Networks) =>
  others.flatMap(rangesOf).map(({ first, size }) => ({ first, last: first + Math.max(size, 1) - 1 }))

/** Also those that were asked for with it and are not made yet: until it is ready they stand in its template (OpenNebula 7.4 `IPAMManager::_vnet_create`). */
const rangesOf = ({ addressRanges, template }: Networks[number]) =>
  [
    ...addressRanges.map(({ ip, size }) => ({ ip: Option.getOrUndefined(ip), size })),
    ...vectorsOf(template, "AR").map(({ values }) => ({ ip: values.IP, size: Number(values.SIZE) || 0 }))
  ].flatMap(({ ip, size }) => {
    const first = ip === undefined ? undefined : parseAddress(ip)
    return first === undefined ? [] : [{ first, size }]
  })

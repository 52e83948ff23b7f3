/** What data centres use and have, for many of them in a few reads. */
import { Array, Effect } from "effect"
import type { GroupShort, Vdc } from "../../../opennebula/index.js"
import {
  type Amounts,
  byComponent,
  type KnownResource,
  printable,
  quantityOf,
  type SiteError,
  type Span,
  type Usage
} from "../../../plugin/index.js"
import { accountsIn, countedUntil, nothingUsed, readRecords } from "../../accounting.js"
import { asTheirVdcsSay } from "../../groups.js"
import { type Cloud, isTaggedFor, isUntagged } from "../cloud.js"
import { accessOf, roleGroupsOf, vdcsForRoles } from "../members/role-groups.js"
import { usageOf } from "../quotas.js"
import { withPluginOptions } from "../settings.js"

/** All groups of a front-end, by what data centres are found by. */
interface Found<A> {
  /** A number or, from the Python agent, a name. */
  readonly groupFor: (resource: KnownResource) => A | undefined
  /** Those of the roles of the resource that this is the group of. */
  readonly rolesOf: (resource: KnownResource, main: A) => ReadonlyArray<A>
}

/** All of them. Where one says that it is another's than the resource's that it is the number of, its VDC is asked: one read more, and only then. */
const lookUp = <A extends GroupShort>(
  cloud: Cloud,
  groups: ReadonlyArray<A>,
  resources: ReadonlyArray<KnownResource>
): Effect.Effect<Found<A>, SiteError> =>
  Effect.gen(function* () {
    const found = foundIn(groups, yield* vdcsForRoles(cloud, groups))
    const isDoubted = resources.some((resource) => {
      const group = found.groupFor(resource)
      return group !== undefined && !isUntagged(group) && !isTaggedFor(resource.id, group)
    })
    if (!isDoubted) return found
    const vdcs = yield* cloud.one.vdc.list()
    return foundIn(asTheirVdcsSay(groups, vdcs), vdcs)
  })

const foundIn = <A extends GroupShort>(groups: ReadonlyArray<A>, vdcs: ReadonlyArray<Vdc>): Found<A> => {
  const byId = new Map(groups.map((group) => [group.id, group]))
  // The first of a name, should there be two.
  const byName = new Map(groups.toReversed().map((group) => [group.name, group]))
  const ofRoles = Array.groupBy(groups, (group) => accessOf(group) ?? "")
  return {
    groupFor: ({ backendId }) => {
      const named = backendId.trim()
      return /^\d+$/.test(named) ? byId.get(Number(named)) : byName.get(named)
    },
    rolesOf: ({ id }, main) => roleGroupsOf({ groups: ofRoles[id] ?? [], vdcs }, id, main.id)
  }
}

/** The resource's group, or why nothing can be said of it. */
const groupOrProblem = <A extends GroupShort>({ groupFor }: Found<A>, resource: KnownResource): A | string => {
  const group = groupFor(resource)
  if (group === undefined) return `There is no group ${printable(resource.backendId)} in OpenNebula.`
  return isUntagged(group) || isTaggedFor(resource.id, group)
    ? group
    : `Group ${group.id} in OpenNebula belongs to another resource.`
}

/** Of what the first has. */
const sum = ([first = {}, ...others]: ReadonlyArray<Amounts>): Amounts =>
  Object.fromEntries(
    Object.entries(first).map(([name, amount]) => [
      name,
      others.reduce((total, other) => total + (other[name] ?? 0), amount)
    ])
  )

/**
 * Current allocation, one read for all. It may go down again. What members have who come by Keycloak is counted in the groups of their
 * roles, which belong to the data centre as its main group does.
 */
export const usage =
  (cloud: Cloud) =>
  (
    resources: ReadonlyArray<KnownResource>,
    pluginOptions: Readonly<Record<string, unknown>> = {}
  ): Effect.Effect<ReadonlyArray<Usage>, SiteError> =>
    Effect.gen(function* () {
      if (resources.length === 0) return []
      const { external_network_id: external } = yield* withPluginOptions(cloud.settings, pluginOptions)
      const groups = yield* cloud.one.group.listWithQuotas()
      const found = yield* lookUp(cloud, groups, resources)
      const noNetwork =
        external === undefined && cloud.components.some((component) => quantityOf(component) === "floating_ip")
      return resources.map((resource): Usage => {
        const group = groupOrProblem(found, resource)
        if (typeof group === "string") return { resource: resource.id, amounts: {}, problem: group }
        const used: globalThis.Array<Amounts> = []
        for (const { id, quotas } of [group, ...found.rolesOf(resource, group)]) {
          if (quotas === undefined)
            return { resource: resource.id, amounts: {}, problem: `OpenNebula lists no quotas of group ${id}.` }
          used.push(usageOf(quotas, external))
        }
        return {
          resource: resource.id,
          amounts: byComponent(cloud.components, sum(used)),
          ...(noNetwork ? { problem: "Addresses cannot be counted without external_network_id." } : {})
        }
      })
    })

/**
 * Hours of all VMs of a group and of its groups of roles, the router's included, while they were in them. A record that has not ended says to whom
 * the VM belonged when it began (a router's VM to its maker), so there the VM's own group counts.
 */
export const accounting =
  (cloud: Cloud) =>
  (
    resources: ReadonlyArray<KnownResource>,
    spans: ReadonlyArray<Span>
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<Usage>>, SiteError> =>
    Effect.gen(function* () {
      if (resources.length === 0) return spans.map(() => [])
      const { one, components } = cloud
      const until = yield* countedUntil
      const { groups, records, machines } = yield* Effect.all(
        { groups: one.group.list(), records: readRecords(one, spans), machines: one.vm.list() },
        { concurrency: "unbounded" }
      )
      const found = yield* lookUp(cloud, groups, resources)
      const groupNow = new Map(machines.map(({ id, gid }) => [id, gid]))
      const mainOf = new Map(
        resources.flatMap((resource) => {
          const group = groupOrProblem(found, resource)
          return typeof group === "string"
            ? []
            : found.rolesOf(resource, group).map(({ id }) => [id, group.id] as const)
        })
      )
      const counted = (gid: number): number => mainOf.get(gid) ?? gid
      return spans.map((span) => {
        const accounts = accountsIn(span, records, until, ({ vmId, gid, endedAt }) =>
          counted(endedAt === 0 ? (groupNow.get(vmId) ?? gid) : gid)
        )
        return resources.map((resource): Usage => {
          const group = groupOrProblem(found, resource)
          // Of a group that is gone the accounts remain, and no other group gets its number.
          const ended = found.groupFor(resource) === undefined ? accounts.get(Number(resource.backendId)) : undefined
          if (typeof group === "string" && ended === undefined)
            return { resource: resource.id, amounts: {}, problem: group }
          const account = ended ?? (typeof group === "string" ? nothingUsed : (accounts.get(group.id) ?? nothingUsed))
          return { ...account, resource: resource.id, amounts: byComponent(components, account.amounts) }
        })
      })
    })

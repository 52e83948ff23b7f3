/** The tenant's network `<name>_internal` and its security group `<name>_default`. */
import { Effect, Option, Schema } from "effect"
import {
  isHeldByHand,
  type OpenNebulaError,
  single,
  type Template,
  type VirtualNetwork,
  valueOf,
  vector
} from "../../opennebula/index.js"
import { ensureDone, make, NotYet, OrderRefused, type OrderRequest, type SiteError } from "../../plugin/index.js"
import {
  type Cloud,
  every,
  gone,
  isOthers,
  namesOf,
  ownIn,
  tagsOf,
  unlessAlready,
  unlessLocked,
  unlessTaken,
  untilDeadline
} from "./cloud.js"
import { type NetworkPlan, type Plan, takesDevice } from "./plan.js"
import { addressText, gatewayOf, type Subnet, subnetOf, usableOf } from "./subnet.js"

type Ordered = Pick<OrderRequest, "order" | "resource">

export const networkName = (name: string): string => `${name}_internal`
export const securityGroupName = (name: string): string => `${name}_default`

/** Network, broadcast address excluded. The gateway is in the range, because only an address of a range can be leased to the router. */
const networkTemplate = (name: string, network: NetworkPlan, subnet: Subnet, tags: Template): Template => [
  single("NAME", networkName(name)),
  single("VN_MAD", network.driver),
  ...(takesDevice(network.driver)
    ? [single("AUTOMATIC_VLAN_ID", true), single("PHYDEV", network.device)]
    : [single("BRIDGE", network.device)]),
  single("NETWORK_ADDRESS", addressText(subnet.first)),
  single("NETWORK_MASK", addressText(subnetOf(2 ** 32 - 1, subnet.prefix).first)),
  single("GATEWAY", addressText(gatewayOf(subnet))),
  ...(network.dns === "" ? [] : [single("DNS", network.dns)]),
  vector("AR", { TYPE: "IP4", IP: addressText(gatewayOf(subnet)), SIZE: usableOf(subnet) }),
  ...tags
]

export const makeNetwork = (cloud: Cloud, request: Ordered, plan: Plan, network: NetworkPlan, subnet: Subnet) => {
  const find = ownIn(cloud, request, "network", cloud.one.network.list())
  return make<number, number, SiteError, never>("network", {
    result: Schema.Int,
    find,
    create: unlessTaken(
      "network",
      networkName(plan.name),
      Effect.flatMap(tagsOf(request), (tags) =>
        cloud.one.network.allocate(networkTemplate(plan.name, network, subnet, tags), plan.clusters[0])
      ),
      find
    ),
    undo: (networkId) => removeNetwork(cloud, networkId),
    isOthers: (networkId) => isOthers(request.resource.id, cloud.one.network.info(networkId))
  })
}

/**
 * Ready (some 20 ms after the call), with its addresses (OpenNebula drops a bad range without a word), and in all its clusters. Where its driver hangs it
 * stays in LockCreate for good, until an administrator ends that (OpenNebula 7.4 `IPAMManager::_vnet_create`, `VirtualNetworkAPI::recover`).
 */
export const networkReady = (cloud: Cloud, plan: Plan, networkId: number) => {
  const [, ...others] = plan.clusters
  return ensureDone(
    "network ready",
    Effect.gen(function* () {
      const network = yield* whenReached(
        cloud.one.network.info(networkId),
        untilDeadline(cloud.settings.router_start_timeout),
        ({ state }) => state === "Ready" || state === "Error"
      )
      if (network.state !== "Ready" || network.addressRanges.length === 0) {
        return yield* new OrderRefused({
          customerMessage:
            "The cloud could not make the network of this data centre: try again later, or ask the provider.",
          detail: `network ${networkId} is ${network.state}${saidOf(network)} with ${network.addressRanges.length} address ranges`
        })
      }
      yield* Effect.forEach(
        others.filter((clusterId) => !network.clusters.includes(clusterId)),
        (clusterId) => cloud.one.cluster.addNetwork(clusterId, networkId),
        { discard: true }
      )
    })
  )
}

/** Gives the VDC's groups USE of it. */
const intoVdc = (cloud: Cloud, { zone }: Pick<Plan, "zone">, networkId: number, vdcId: number) =>
  unlessAlready(
    cloud.one.vdc.addNetwork(vdcId, zone, networkId),
    Effect.map(cloud.one.vdc.info(vdcId), ({ networks }) =>
      networks.some((network) => network.zone === zone && network.id === networkId)
    )
  )

/** Whoever has ordered addresses may use them. Only when the quota is set: until then nothing would limit it. */
export const openExternalNetwork = (cloud: Cloud, plan: Plan, networkId: number, vdcId: number) =>
  ensureDone("external network opened", intoVdc(cloud, plan, networkId, vdcId))

/** Into the VDC, and into the tenant's hands: its members may use it. */
export const handOverNetwork = (cloud: Cloud, plan: Plan, networkId: number, vdcId: number, groupId: number) =>
  ensureDone(
    "network handed over",
    every([
      intoVdc(cloud, plan, networkId, vdcId),
      Effect.zipRight(
        cloud.one.network.chown(networkId, { gid: groupId }),
        cloud.one.network.chmod(networkId, { group: { use: true } })
      )
    ])
  )

/**
 * Deletes it as soon as nothing has a lease in it, and waits until it is gone; addresses that are only held by hand are let go then. A deletion that fails
 * leaves it in Error, without a word, and is asked for again; while one is under way (LockDelete), or its making is (LockCreate), none is taken (OpenNebula
 * 7.4 `IPAMManager::_vnet_delete`, `VirtualNetworkAPI::drop`).
 */
export const removeNetwork = (cloud: Cloud, networkId: number): Effect.Effect<void, SiteError> => {
  const schedule = untilDeadline(cloud.settings.teardown_timeout)
  const look = cloud.one.network.info(networkId)
  const taken = cloud.one.network.delete(networkId).pipe(
    Effect.catchTag("ActionRefused", (refused) =>
      Effect.flatMap(look, (network) =>
        isUnderWay(network.state) ? Effect.void : Effect.zipRight(releaseHeld(cloud, network), refused)
      )
    ),
    Effect.retry({ schedule, while: ({ _tag }) => _tag === "ActionRefused" })
  )
  return Effect.gen(function* () {
    yield* taken
    const { state } = yield* whenReached(look, schedule, ({ state }) => !isUnderWay(state))
    if (!isUnderWay(state)) return yield* new NotYet({ reason: `Network ${networkId} is ${state} again.` })
    return yield* notRemoved(cloud, networkId, "")
  }).pipe(
    Effect.retry({ schedule, while: ({ _tag }) => _tag === "NotYet" }),
    Effect.catchTags({
      NotYet: ({ reason }) => notRemoved(cloud, networkId, reason),
      ActionRefused: ({ message }) => notRemoved(cloud, networkId, message)
    }),
    unlessLocked(`network ${networkId}`),
    gone
  )
}

/** All that is in its way. With it they are nobody's, and whoever held one could be gone by now: the users of a data centre go first. */
const releaseHeld = (cloud: Cloud, { addressRanges, id, name }: VirtualNetwork) => {
  const leases = addressRanges.flatMap((range) => range.leases)
  const addresses = leases.flatMap(({ ip }) => Option.toArray(ip))
  if (addresses.length === 0 || !leases.every(isHeldByHand)) return Effect.void
  return Effect.zipRight(
    Effect.forEach(addresses, (ip) => cloud.one.network.releaseHeld(id, ip), { discard: true }),
    Effect.logInfo(`Network ${id} (${name}) goes, and with it what was held by hand: ${namesOf(addresses)}`)
  )
}

/** The network once `reached` says so, or as it is when its time is over. */
const whenReached = (
  look: Effect.Effect<VirtualNetwork, OpenNebulaError>,
  schedule: ReturnType<typeof untilDeadline>,
  reached: (network: VirtualNetwork) => boolean
): Effect.Effect<VirtualNetwork, OpenNebulaError> =>
  look.pipe(
    Effect.filterOrFail(reached, ({ id, state }) => new NotYet({ reason: `Network ${id} is ${state}.` })),
    Effect.retry({ schedule, while: ({ _tag }) => _tag === "NotYet" }),
    Effect.catchTag("NotYet", () => look)
  )

/** What the driver has said of it, which failed. */
const saidOf = ({ template }: VirtualNetwork): string =>
  Option.match(valueOf(template, "ERROR"), { onNone: () => "", onSome: (words) => ` (${words})` })

const isUnderWay = (state: VirtualNetwork["state"]): boolean => state === "LockCreate" || state === "LockDelete"

/** It says who holds a lease in it, if somebody does. */
const notRemoved = (cloud: Cloud, networkId: number, detail: string) =>
  Effect.gen(function* () {
    const network = yield* cloud.one.network.info(networkId)
    if (network.usedLeases === 0) {
      return yield* new OrderRefused({
        customerMessage: `The network ${network.name} could not be removed in the cloud: ask the provider to look at it, then order again.`,
        detail: `network ${networkId} is ${network.state}${saidOf(network)}: look after its driver, then end it by hand (onevnet recover ${networkId} --delete)`
      })
    }
    const holders = network.addressRanges
      .flatMap(({ leases }) => leases)
      .map((lease) => {
        const holder = [
          Option.map(lease.vmId, (id) => `VM ${id}`),
          Option.map(lease.routerId, (id) => `router ${id}`),
          Option.map(lease.networkId, (id) => `network ${id}`)
        ].find(Option.isSome)
        return `${holder?.value ?? "a hold"} (${Option.getOrElse(lease.ip, () => "no address")})`
      })
    return yield* new OrderRefused({
      customerMessage: `The network ${network.name} is still in use by ${namesOf(holders)}: remove that, then order again.`,
      detail
    })
  })

/** The configured rules, in a group that the tenant's members may put before their machines. */
export const makeSecurityGroup = (cloud: Cloud, request: Ordered, plan: Plan, network: NetworkPlan) => {
  const name = securityGroupName(plan.name)
  const find = ownIn(cloud, request, "security group", cloud.one.securityGroup.list())
  return make<number, number, SiteError, never>("security group", {
    result: Schema.Int,
    find,
    create: unlessTaken(
      "security group",
      name,
      Effect.flatMap(tagsOf(request), (tags) =>
        cloud.one.securityGroup.allocate([
          single("NAME", name),
          ...network.securityRules.map((rule) =>
            vector("RULE", {
              PROTOCOL: rule.protocol.toUpperCase(),
              RULE_TYPE: rule.direction.toLowerCase(),
              RANGE: rule.range,
              ICMP_TYPE: rule.type
            })
          ),
          ...tags
        ])
      ),
      find
    ),
    undo: (securityGroupId) => removeSecurityGroup(cloud, securityGroupId),
    isOthers: (securityGroupId) => isOthers(request.resource.id, cloud.one.securityGroup.info(securityGroupId))
  })
}

/** OpenNebula's own, which it puts on every network. As it comes, it lets everything through (recordings 042, 208). */
export const defaultSecurityGroup = 0

/**
 * Has the tenant's rules hold alone. A machine is behind the groups of its network and those of its interface together, and the rules of a group can
 * only let through: so beside the default group no other has any effect. It cannot be left out when a network is made, only be taken off
 * afterwards (OpenNebula 7.4 `VirtualNetwork::insert`, `post_update_template`).
 */
export const letRulesHoldAlone = (cloud: Cloud, networkId: number, securityGroupId: number) =>
  ensureDone("rules hold alone", cloud.one.network.append(networkId, [single("SECURITY_GROUPS", securityGroupId)]))

export const handOverSecurityGroup = (cloud: Cloud, securityGroupId: number, groupId: number) =>
  ensureDone(
    "security group handed over",
    Effect.zipRight(
      cloud.one.securityGroup.chown(securityGroupId, { gid: groupId }),
      cloud.one.securityGroup.chmod(securityGroupId, { group: { use: true } })
    )
  )

/** Blocked while VMs use it, so with patience. */
export const removeSecurityGroup = (cloud: Cloud, securityGroupId: number): Effect.Effect<void, SiteError> =>
  gone(cloud.one.securityGroup.delete(securityGroupId)).pipe(
    Effect.retry({
      schedule: untilDeadline(cloud.settings.teardown_timeout),
      while: (error) => error._tag === "ActionRefused"
    })
  )

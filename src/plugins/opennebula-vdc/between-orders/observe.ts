/** How data centres are, for many of them from one read of each pool: there or not, whose, how large, isolated, connected, paused. */
import { Effect, Option } from "effect"
import {
  type AclRuleSpec,
  type GroupShort,
  type Quotas,
  type SecurityGroup,
  type Template,
  type Vdc,
  type VirtualNetwork,
  type VirtualRouter,
  type VmState,
  vmStateText
} from "../../../opennebula/index.js"
import type { Finding, Observation, SoughtResource, StandingFound } from "../../../plugin/index.js"
import { ownerResource, whose } from "../../groups.js"
import { startable } from "../../machines.js"
import { isCalledAs, ownerFindings } from "../../owner.js"
import { isAwake, isUnder } from "../../standing.js"
import { tenantUser } from "../accounts.js"
import { asMade } from "../belongings/as-made.js"
import { type Inventory, inventory } from "../belongings/inventory.js"
import { type Retagged, retaggedOf } from "../belongings/retagged.js"
import { type Cloud, isTaggedFor, isUntagged } from "../cloud.js"
import { amountsOf } from "../quotas.js"
import { possibleStandings, runningLimitsOf, tenantMachines } from "./standing.js"

/** All that a look needs. The pools of `Inventory`, and rights and quotas. */
interface Seen extends Inventory {
  readonly rules: ReadonlyArray<AclRuleSpec>
  readonly quotas: ReadonlyMap<number, Quotas>
  /** Whose groups are. */
  readonly owners: ReadonlyMap<number, string | undefined>
}

const see = (cloud: Cloud): Effect.Effect<Seen, Effect.Effect.Error<ReturnType<typeof inventory>>> =>
  Effect.map(
    Effect.all([inventory(cloud), cloud.one.acl.list(), cloud.one.group.listQuotas()], { concurrency: "unbounded" }),
    ([found, rules, quotas]) => ({
      ...found,
      rules: rules.map(({ rule }) => rule),
      quotas: new Map(quotas.map((row) => [row.groupId, row.quotas])),
      owners: new Map(found.groups.map((group) => [group.id, whose(group)]))
    })
  )

export const observe = (cloud: Cloud) => (resources: ReadonlyArray<SoughtResource>) =>
  resources.length === 0
    ? Effect.succeed<ReadonlyArray<Observation>>([])
    : Effect.map(see(cloud), (seen) => {
        const byTag = new Map(seen.groups.map((group) => [ownerResource(group), group]))
        return resources.map((resource) => look(cloud, seen, resource, byTag.get(resource.id)))
      })

/** Has it the resource's tag, and is not in another's group? Tenants write tags into what is theirs. */
const isOwn =
  ({ owners }: Seen, { id }: SoughtResource) =>
  (object: { readonly gid?: number; readonly template: Template }): boolean =>
    isTaggedFor(id, object) && (owners.get(object.gid ?? -1) ?? id) === id

const look = (cloud: Cloud, seen: Seen, resource: SoughtResource, tagged: GroupShort | undefined): Observation => {
  const backendId = resource.backendId.trim()
  const numeric = /^\d+$/.test(backendId)
  const byId = seen.groups.find(({ id, name }) => (numeric ? id === Number(backendId) : name === backendId))
  const group = tagged ?? byId
  if (group === undefined) return { _tag: "Missing", resource: resource.id }
  const owner = ownerResource(group)
  if (owner !== undefined && owner !== resource.id) {
    const other = `resource ${owner.slice(0, 36)}`
    return { _tag: "Foreign", resource: resource.id, object: `group ${group.id}`, owner: other }
  }
  const made = asMade(seen, resource, { group: group.id, slug: group.name })
  const routers = seen.routers.filter(
    (candidate) => isOwn(seen, resource)(candidate) || made.routers.includes(candidate)
  )
  // Of two, the one that Waldur remembers.
  const router = routers.find(({ id }) => String(id) === resource.recorded?.vr_id) ?? routers[0]
  const states = new Map(seen.machines.map(({ id, state }) => [id, state]))
  const ends = (router?.vms ?? []).map((vmId): VmState => states.get(vmId) ?? "Done")
  const running = ends.filter((state) => state === "Running").length
  const quotas = seen.quotas.get(group.id)
  return {
    _tag: "Present",
    resource: resource.id,
    state: router === undefined ? "no router" : ends.map(vmStateText).join(", ") || "Done",
    healthy: router === undefined || (running > 0 && running === ends.length),
    measures: "quotas",
    mayExceed: [],
    amounts: quotas === undefined ? {} : limitsIn(cloud, quotas),
    standing: standingOf(cloud, seen, group, quotas),
    standings: possibleStandings(cloud.settings),
    findings: [
      ...ownerFindings(resource, {
        subject: `group ${group.id}`,
        id: group.id,
        name: group.name,
        untagged:
          isUntagged(group) && !seen.claims.has(group.id)
            ? {
                isOurs: !numeric || isCalledAs(resource, cloud.settings.allocation_prefix, group.name),
                mendable: numeric
              }
            : undefined,
        isBackendId: numeric && Number(resource.backendId) === group.id,
        claim: seen.claims.get(group.id)
      }),
      ...retaggedOf(made, seen, resource.id, group.id).flatMap((part) => retaggedFindings(resource, part)),
      ...routerFindings(resource, router, ends),
      ...networkFindings(seen, resource, made.networks),
      ...securityGroupFindings(seen, resource, made.securityGroups),
      ...doubleFindings(seen, resource),
      ...passwordFindings(seen, resource, group),
      ...(cloud.settings.tenant_isolation ? isolationFindings(seen, group) : [])
    ],
    facts: { group_id: group.id, group_name: group.name, ...(router === undefined ? {} : { vr_id: router.id }) }
  }
}

/** The group's are told with what else is said of it. */
const retaggedFindings = (resource: SoughtResource, { claim, id, kind }: Retagged): ReadonlyArray<Finding> =>
  kind === "group"
    ? []
    : ownerFindings(resource, {
        subject: `${kind} ${id}`,
        id,
        name: "",
        untagged: claim === null ? { isOurs: true, mendable: true } : undefined,
        isBackendId: true,
        claim: claim ?? undefined
      })

/** What is not limited at all differs from every order. Addresses count only where they can be limited. */
const limitsIn = ({ settings }: Cloud, quotas: Quotas) => ({
  cpu: Number.POSITIVE_INFINITY,
  ram: Number.POSITIVE_INFINITY,
  storage: Number.POSITIVE_INFINITY,
  ...(settings.external_network_id === undefined ? {} : { floating_ip: Number.POSITIVE_INFINITY }),
  ...amountsOf(quotas, settings.external_network_id)
})

const standingOf = (
  { settings }: Cloud,
  { machines, routers }: Seen,
  group: GroupShort,
  quotas: Quotas | undefined
): StandingFound => {
  const standing = isUnder(group.template)
  const awake = tenantMachines(machines, routers, group.id).filter(({ state }) => isAwake(state)).length
  const row = quotas?.vm.find(({ clusterIds }) => clusterIds === "")
  const limits = runningLimitsOf(standing, settings)
  const limited =
    row !== undefined &&
    row.runningVms.limit === limits.runningVms &&
    row.runningCpu.limit === limits.runningCpu &&
    row.runningMemory.limit === limits.runningMemory
  if (standing === "active") return { standing, complete: true, detail: "" }
  if (!limited) return { standing, complete: false, detail: "machines can be started" }
  return standing === "paused" && awake > 0
    ? { standing, complete: false, detail: awake === 1 ? "1 machine runs" : `${awake} machines run` }
    : { standing, complete: true, detail: "" }
}

const routerFindings = (
  { recorded = {} }: SoughtResource,
  router: VirtualRouter | undefined,
  ends: ReadonlyArray<VmState>
): ReadonlyArray<Finding> => {
  const about = { kind: "state" as const, expected: "Running" }
  if (router === undefined) {
    return recorded.vr_id === undefined
      ? []
      : [{ ...about, subject: `router ${recorded.vr_id}`, found: "no such router of this resource", mendable: false }]
  }
  if (ends.length === 0) return [{ ...about, subject: `router ${router.id}`, found: "no machine", mendable: false }]
  return ends.flatMap((state, index) =>
    state === "Running"
      ? []
      : [
          {
            ...about,
            subject: `VM ${router.vms[index]} of router ${router.id}`,
            found: vmStateText(state),
            mendable: startable.has(state)
          }
        ]
  )
}

/** The network that Waldur remembers: there, the resource's, ready, and in its VDC. */
const networkFindings = (
  { networks, vdcs }: Seen,
  { id, recorded = {} }: SoughtResource,
  made: ReadonlyArray<VirtualNetwork>
): ReadonlyArray<Finding> => {
  if (recorded.vnet_id === undefined) return []
  const networkId = Number(recorded.vnet_id)
  const about = { kind: "network" as const, subject: `network ${recorded.vnet_id}` }
  const network = networks.find((candidate) => candidate.id === networkId)
  if (network === undefined) return [{ ...about, expected: "there", found: "gone", mendable: false }]
  if (!isTaggedFor(id, network) && !isUntagged(network) && !made.includes(network)) {
    return [{ ...about, expected: "of this resource", found: "of another one", mendable: false }]
  }
  if (network.state !== "Ready") {
    return [{ ...about, expected: "Ready", found: String(network.state), mendable: false }]
  }
  const vdc = vdcs.find((candidate) => isTaggedFor(id, candidate))
  return vdc === undefined || hasNetwork(vdc, networkId)
    ? []
    : [{ ...about, expected: `in VDC ${vdc.id}`, found: "not in it", mendable: true }]
}

/**
 * The security group that Waldur remembers, given to another group by its tenant, called otherwise and with its tag off: only its number is left of it. Of what
 * the Python agent has made, and is not migrated yet, no more is known.
 */
const securityGroupFindings = (
  seen: Seen,
  resource: SoughtResource,
  made: ReadonlyArray<SecurityGroup>
): ReadonlyArray<Finding> => {
  const { sg_id: securityGroupId } = resource.recorded ?? {}
  const found = seen.securityGroups.find(({ id }) => String(id) === securityGroupId)
  const isMigrated = seen.vdcs.some((vdc) => isTaggedFor(resource.id, vdc))
  if (found === undefined || !isMigrated || made.includes(found) || isOwn(seen, resource)(found)) return []
  return [
    {
      kind: "owner",
      subject: `security group ${found.id}`,
      expected: "of this resource",
      found: `called ${found.name} in group ${found.gid}, without this resource's tag`,
      mendable: false,
      advice: `If it was given away, give it back in OpenNebula (onesecgroup chgrp ${found.id}), or the data centre's end leaves it there. If OpenNebula was put back from a backup, it is another one with the same number.`
    }
  ]
}

/**
 * A data centre has one of each. Two can only come of a call that OpenNebula carried out minutes after it was sent, when another try had been made
 * in its place.
 */
const doubleFindings = (seen: Seen, resource: SoughtResource): ReadonlyArray<Finding> =>
  Object.entries({
    group: seen.groups,
    VDC: seen.vdcs,
    // Whoever reserves addresses of it has its tag with them.
    network: seen.networks.filter(({ parentId }) => Option.isNone(parentId)),
    router: seen.routers,
    "security group": seen.securityGroups
  }).flatMap(([kind, pool]) => {
    const own = pool
      .filter(isOwn(seen, resource))
      .map((object) => object.id)
      .toSorted((one, other) => one - other)
    return own.length < 2
      ? []
      : [
          {
            kind: "owner" as const,
            subject: `${kind}s ${own.join(", ")}`,
            expected: "one",
            found: `${own.length} with this resource's tag`,
            mendable: false,
            advice: `Delete the ${kind} that is not in use in OpenNebula; the data centre's end removes all of them.`
          }
        ]
  })

/** What the Python agent left in clear. That it is there is said, never what it is. */
const passwordFindings = ({ users }: Seen, resource: SoughtResource, group: GroupShort): ReadonlyArray<Finding> => {
  const tenant = tenantUser(group, users, resource)
  if (tenant?.hasStoredPassword !== true) return []
  return [
    {
      kind: "passwords",
      subject: `user ${tenant.name}`,
      expected: "no password in clear in its template",
      found: "one of an earlier agent",
      mendable: true,
      advice: `site-actors reset-password --remove-stored ${resource.id} removes it, and leaves it valid.`
    }
  ]
}

export const hasNetwork = ({ networks }: Vdc, networkId: number): boolean => networks.some(({ id }) => id === networkId)

/** Whether a rule lets the group use networks that are not named one by one: those of a cluster, or all. */
export const isSurplus = (rule: AclRuleSpec, groupId: number): boolean =>
  rule.user._tag === "Group" &&
  rule.user.id === groupId &&
  rule.resources.includes("NET") &&
  (rule.target._tag === "Cluster" || rule.target._tag === "All")

const isolationFindings = ({ rules, vdcs }: Seen, { id }: GroupShort): ReadonlyArray<Finding> => {
  const about = { kind: "isolation" as const, mendable: true }
  const surplus = rules.filter((rule) => isSurplus(rule, id))
  return [
    ...(vdcs.some((vdc) => vdc.id === 0 && vdc.groups.includes(id))
      ? [{ ...about, subject: "VDC 0", expected: "left", found: "still in it, with every network of the zone" }]
      : []),
    ...surplus.map(({ target }) => {
      const where = target._tag === "Cluster" ? `networks of cluster ${target.id}` : "all networks"
      return { ...about, subject: where, expected: "no rights", found: "rights for the whole group" }
    })
  ]
}

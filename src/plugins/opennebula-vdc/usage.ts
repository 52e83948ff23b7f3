/** What data centres use and have, for many of them in a few reads. */
import { Effect } from "effect"
import type { KnownResource, Observation, Usage } from "../../core/index.js"
import { type GroupShort, vmStateText } from "../../opennebula/index.js"
import { type Cloud, isTaggedFor, isUntagged } from "./cloud.js"
import { amountsOf, usageOf } from "./quotas.js"

/** All groups' quotas, by group id, in one read. */
const quotasByGroup = ({ one }: Cloud) =>
  Effect.map(one.group.listQuotas(), (rows) => new Map(rows.map(({ groupId, quotas }) => [groupId, quotas])))

const numeric = ({ backendId }: KnownResource): boolean => /^\d+$/.test(backendId.trim())

/** Backend ids that are numbers need no look; names, which the Python agent left, are looked up in one. */
const groupIdsOf = (cloud: Cloud, resources: ReadonlyArray<KnownResource>) =>
  Effect.map(
    resources.every(numeric) ? Effect.succeed<ReadonlyArray<GroupShort>>([]) : cloud.one.group.list(),
    (groups) =>
      resources.map((resource) => ({
        resource,
        groupId: numeric(resource)
          ? Number(resource.backendId)
          : groups.find(({ name }) => name === resource.backendId.trim())?.id
      }))
  )

/** Current allocation. It may go down again. Groups that are not there are left out. */
export const usage = (cloud: Cloud) => (resources: ReadonlyArray<KnownResource>) =>
  Effect.gen(function* () {
    if (resources.length === 0) return []
    const quotas = yield* quotasByGroup(cloud)
    const found = yield* groupIdsOf(cloud, resources)
    return found.flatMap(({ resource, groupId }): ReadonlyArray<Usage> => {
      const row = groupId === undefined ? undefined : quotas.get(groupId)
      return row === undefined
        ? []
        : [{ resource: resource.id, amounts: usageOf(row, cloud.settings.external_network_id) }]
    })
  })

/** Whether it is there, how large it is, and whether its router runs. */
export const observe = (cloud: Cloud) => (resources: ReadonlyArray<KnownResource>) =>
  Effect.gen(function* () {
    if (resources.length === 0) return []
    const { quotas, groups, routers, machines } = yield* Effect.all(
      {
        quotas: quotasByGroup(cloud),
        groups: cloud.one.group.list(),
        routers: cloud.one.router.list(),
        machines: cloud.one.vm.list()
      },
      { concurrency: "unbounded" }
    )
    const states = new Map(machines.map(({ id, state }) => [id, state]))
    return resources.map((resource): Observation => {
      const backendId = resource.backendId.trim()
      const group = groups.find(({ id, name }) => (numeric(resource) ? id === Number(backendId) : name === backendId))
      if (group === undefined || !(isUntagged(group) || isTaggedFor(resource.id, group))) {
        return { _tag: "Missing", resource: resource.id }
      }
      const router = routers.find((candidate) => isTaggedFor(resource.id, candidate))
      const ends = (router?.vms ?? []).map((vmId) => states.get(vmId))
      const running = ends.filter((state) => state === "Running").length
      const row = quotas.get(group.id)
      return {
        _tag: "Present",
        resource: resource.id,
        state:
          router === undefined ? "no router" : ends.map((state) => vmStateText(state ?? "Done")).join(", ") || "Done",
        healthy: router === undefined || (running > 0 && running === ends.length),
        amounts: row === undefined ? {} : amountsOf(row, cloud.settings.external_network_id),
        facts: { group_id: group.id, group_name: group.name, ...(router === undefined ? {} : { vr_id: router.id }) }
      }
    })
  })

/**
 * A data centre that is paused: its machines are stopped, and none can be started (the group's quota of running machines is 0). One that
 * is downscaled: what may run at once is bounded by `downscaled_limits`. Undone when Waldur says so; machines that we stopped are started.
 *
 * The ordered quotas are others (CPU, MEMORY, ...) and stay as they are, so that orders and usage reports go on as ever.
 */
import { Effect, Schema } from "effect"
import type { GroupShort, Limit, VirtualRouter, VmShort } from "../../../opennebula/index.js"
import {
  ensure,
  type KnownResource,
  OrderRefused,
  type SiteError,
  Standing,
  type Steps
} from "../../../plugin/index.js"
import { isAwake, isStricter, isUnder, standingMark, startAll, stopAll } from "../../standing.js"
import { type Cloud, groupsFor } from "../cloud.js"
import { certainGroupOf, type groupOf } from "../own-group.js"
import { limitsOf, setQuota } from "../quotas.js"
import type { VdcSettings } from "../settings.js"

type Settings = Pick<VdcSettings, "downscaled_limits">

/** Downscaling needs to be told how far. */
export const possibleStandings = ({ downscaled_limits: floor }: Settings): ReadonlyArray<Standing> =>
  Standing.literals.filter((standing) => standing !== "downscaled" || floor !== undefined)

/** The limits of what may run at once. A limit of 0 is none at all; -1, the default, is what the groups have where we set nothing. */
export const runningLimitsOf = (
  standing: Standing,
  { downscaled_limits: floor }: Settings
): Record<"runningVms" | "runningCpu" | "runningMemory", Limit> => ({
  runningVms: standing === "paused" ? 0 : "default",
  runningCpu: (standing === "downscaled" ? floor?.cpu : undefined) ?? "default",
  runningMemory: (standing === "downscaled" ? floor?.ram : undefined) ?? "default"
})

/** Of the machines in a data centre: none of its router's. */
export const tenantMachines = <A extends Pick<VmShort, "id" | "gid">>(
  machines: ReadonlyArray<A>,
  routers: ReadonlyArray<VirtualRouter>,
  groupId: number
): ReadonlyArray<A> => {
  const ofRouters = new Set(routers.flatMap(({ vms }) => vms))
  return machines.filter(({ gid, id }) => gid === groupId && !ofRouters.has(id))
}

/** The resource's group; a refusal if there is none. */
export const ownGroup = (
  cloud: Cloud,
  resource: KnownResource,
  known: typeof groupOf = certainGroupOf
): Effect.Effect<GroupShort, SiteError> =>
  Effect.gen(function* () {
    const group = yield* known(yield* groupsFor(cloud, [resource]), resource)
    if (group !== undefined) return group
    return yield* new OrderRefused({
      customerMessage: "This data centre does not exist in the cloud (any more).",
      detail: `no group for backend id "${resource.backendId}"`
    })
  })

const said = (step: string, act: Effect.Effect<string, SiteError>) =>
  ensure(step, { result: Schema.String, perform: act })

export const setStanding =
  (cloud: Cloud) =>
  (resource: KnownResource, standing: Standing): Effect.Effect<string, SiteError, Steps> =>
    Effect.gen(function* () {
      const { one, settings } = cloud
      const group = yield* ownGroup(cloud, resource)
      const mark = said("mark", Effect.as(one.group.append(group.id, [standingMark(standing)]), standing))
      const limit = said(
        "running quota",
        Effect.gen(function* () {
          const { quotas } = yield* one.group.info(group.id)
          const limits = runningLimitsOf(standing, settings)
          yield* setQuota(cloud, group.id, { vm: { ...limitsOf(quotas).vm, ...limits } })
          return `at most ${limits.runningVms} VMs, ${limits.runningCpu} cores, ${limits.runningMemory} MB running`
        })
      )
      const machines = Effect.map(
        Effect.all([one.vm.listExtended(), one.router.list()], { concurrency: "unbounded" }),
        ([vms, routers]) => tenantMachines(vms, routers, group.id)
      )
      const change =
        standing === "paused"
          ? said(
              "machines stopped",
              Effect.flatMap(machines, (vms) =>
                stopAll(
                  cloud,
                  vms.filter(({ state }) => isAwake(state)),
                  resource.id,
                  { action: settings.pause_action, seconds: settings.poweroff_timeout }
                )
              )
            )
          : said(
              "machines started",
              Effect.flatMap(machines, (vms) =>
                startAll(cloud, vms, resource.id, { asManyAsFit: standing === "downscaled" })
              )
            )
      // Towards the stricter the mark comes first: whatever happens next, it is known to be ours to undo. Back, it goes last.
      const first = isStricter(standing, isUnder(group.template))
      if (first) yield* mark
      yield* limit
      const done = yield* change
      if (!first) yield* mark
      return done
    })

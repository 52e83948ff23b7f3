/**
 * A machine that is paused: stopped, and locked, so that nobody can start it. It shares its group's quotas with others, so those cannot do
 * it. A lock stops everything, our own orders too: those take it away first, where it is ours (`released`).
 *
 * There is no downscaling of a machine: its sizes are the plan's.
 */
import { Effect, Option, Schema } from "effect"
import type { Vm } from "../../../opennebula/index.js"
import {
  ensure,
  type KnownResource,
  OrderRefused,
  type SiteError,
  type Standing,
  type Steps
} from "../../../plugin/index.js"
import { isOurLock, released } from "../../locks.js"
import { isAwake, standingMark, startAll, stopAll } from "../../standing.js"
import { findVm, isAsMade, isTaggedAs, vmIdOf } from "../machine.js"
import type { VmOffering } from "../offering.js"

/** The resource's own machine: one that has no tag, and is not known to have been made for it, is nothing to stop. */
const ownVm = (offering: VmOffering, resource: KnownResource): Effect.Effect<Vm, SiteError> =>
  Effect.gen(function* () {
    const { id, backendId } = resource
    const vmId = vmIdOf(backendId)
    const found = vmId === undefined ? Option.none<Vm>() : yield* findVm(offering, vmId)
    const own = Option.filter(found, (vm) => isAsMade(resource, vm) || isTaggedAs(resource)(vm))
    if (Option.isSome(own)) return own.value
    return yield* new OrderRefused({
      customerMessage: "The machine in the cloud is not (or not yet) known to be this resource's, so it is left alone.",
      detail: `backend_id "${backendId}" leads to no VM with WALDUR_RESOURCE_UUID="${id}"; see \`site-actors migrate\``
    })
  })

const said = (step: string, act: Effect.Effect<string, SiteError>) =>
  ensure(step, { result: Schema.String, perform: act })

export const setStanding =
  (offering: VmOffering) =>
  (resource: KnownResource, standing: Standing): Effect.Effect<string, SiteError, Steps> =>
    Effect.gen(function* () {
      const { one, settings } = offering
      if (standing === "downscaled") {
        return yield* new OrderRefused({
          customerMessage: "A virtual machine cannot be downscaled: its plan says its sizes."
        })
      }
      const own = ownVm(offering, resource)
      const mark = (vm: Vm) => one.vm.append(vm.id, [standingMark(standing)])
      if (standing === "active") {
        yield* said(
          "unlocked",
          Effect.flatMap(own, (vm) => Effect.as(released(offering, vm), "unlocked"))
        )
        const started = yield* said(
          "machine started",
          Effect.flatMap(own, (vm) => startAll(offering, [vm], resource.id))
        )
        yield* said(
          "mark",
          Effect.flatMap(own, (vm) => Effect.as(mark(vm), standing))
        )
        return started
      }
      yield* said(
        "mark",
        Effect.flatMap(own, (vm) =>
          Effect.as(
            Effect.unless(mark(vm), () => isOurLock(vm)),
            standing
          )
        )
      )
      const stopped = yield* said(
        "machine stopped",
        Effect.flatMap(own, (vm) =>
          isAwake(vm.state)
            ? Effect.zipRight(
                released(offering, vm),
                stopAll(offering, [vm], resource.id, {
                  action: settings.pause_action,
                  seconds: settings.poweroff_timeout
                })
              )
            : Effect.succeed("was off already")
        )
      )
      yield* said(
        "locked",
        Effect.flatMap(own, (vm) =>
          Effect.as(
            Effect.unless(one.vm.lock(vm.id), () => vm.locked),
            "locked"
          )
        )
      )
      return stopped
    })

/**
 * The mark of a standing that we brought about (paused, downscaled), in the object's own template, and the stopping and starting of
 * machines for it. Only what bears our mark is undone by us: an operator's own lock or limit stays.
 */
import { Effect, Option, Schema } from "effect"
import { isVmFailure, type Single, single, type Template, type Vm, type VmState, valueOf } from "../opennebula/index.js"
import { NotYet, type ResourceId, type SiteError, Standing } from "../plugin/index.js"
import { drive, isResting, type Machines, startable } from "./machines.js"

const standingTag = "SITE_ACTORS_STANDING"
/** On a machine: the resource that it was stopped for, so that only those are started again. */
const stoppedTag = "SITE_ACTORS_STOPPED_FOR"
/** A template's attribute cannot be taken away without sending all others again, so it is overwritten. */
const nobody = "none"

export const standingMark = (standing: Standing): Single => single(standingTag, standing)

/** The standing that we put this object under. */
export const isUnder = (template: Template): Standing =>
  Option.getOrElse(
    Option.flatMap(valueOf(template, standingTag), Schema.decodeUnknownOption(Standing)),
    (): Standing => "active"
  )

/** `Standing` lists them from the loosest to the strictest. */
export const isStricter = (one: Standing, other: Standing): boolean =>
  Standing.literals.indexOf(one) > Standing.literals.indexOf(other)

/** Has it started with the resource's others, once that is paused no more. Marked first: a mark on a machine that runs does no harm. */
export const markStopped = (machines: Pick<Machines, "one">, vmId: number, resource: ResourceId) =>
  machines.one.vm.append(vmId, [single(stoppedTag, resource)])

export const unmarkStopped = (machines: Pick<Machines, "one">, vmId: number) =>
  machines.one.vm.append(vmId, [single(stoppedTag, nobody)])

export const isStoppedFor = ({ userTemplate }: Pick<Vm, "userTemplate">, resource: ResourceId): boolean =>
  Option.contains(valueOf(userTemplate, stoppedTag), resource)

const asleep: ReadonlySet<VmState> = new Set(["Poweroff", "Suspended", "Stopped", "Undeployed", "Hold", "Done"])
/** Runs, or is on its way to it. What has failed does neither, and takes no action that would stop it (7.4 `DispatchManager::poweroff`). */
export const isAwake = (state: VmState): boolean => !asleep.has(state) && !isVmFailure(state)

export interface Stopping {
  readonly action: "poweroff" | "suspend"
  /** How long a guest may take before it is switched off. */
  readonly seconds: number
}

const stopped = ({ state }: { readonly state: VmState }): boolean =>
  state === "Poweroff" || state === "Suspended" || state === "Hold"

/** For what OpenNebula does by itself, in seconds. */
const patience = 300
const tries = 3

/**
 * Marks it and stops it: asked to, then switched off. One that waits to be scheduled is held. What is on its way is left for the next look.
 */
const stop = (machines: Machines, vm: Vm, resource: ResourceId, how: Stopping): Effect.Effect<Stopped, SiteError> =>
  Effect.gen(function* () {
    if (!isResting(vm)) return "on its way" as const
    yield* markStopped(machines, vm.id, resource)
    const towards = { until: stopped, tries }
    if (vm.state === "Pending") {
      const held = yield* drive(machines, vm.id, { ...towards, action: "hold", seconds: patience })
      return held._tag === "Stuck" ? ("stays" as const) : ("stopped" as const)
    }
    const asked = yield* drive(machines, vm.id, { ...towards, action: how.action, seconds: how.seconds })
    if (asked._tag !== "Stuck") return "stopped" as const
    const forced = yield* drive(machines, vm.id, { ...towards, action: "poweroff-hard", seconds: patience })
    return forced._tag === "Stuck" ? ("stays" as const) : ("stopped" as const)
  }).pipe(unlessItsOwnFault)

type Stopped = "stopped" | "stays" | "on its way"

/** Locked by its owner, refused by a quota: one machine's trouble is not the others'. What may pass by itself is tried again as a whole. */
const unlessItsOwnFault = <A>(work: Effect.Effect<A, SiteError>): Effect.Effect<A | "stays", SiteError> =>
  Effect.catchIf(
    work,
    (error) => error.disposition === "fail-order",
    (error) => Effect.as(Effect.logWarning(error.message), "stays" as const)
  )

/** How many machines at once: each is a poller's entry and a few calls. */
const atOnce = 8

const machinesOf = (amount: number): string => `${amount} ${amount === 1 ? "machine" : "machines"}`

const counted = (what: string, outcomes: ReadonlyArray<string>): Effect.Effect<string, NotYet> => {
  const done = outcomes.filter((outcome) => outcome === what).length
  const left = outcomes.length - done
  return left === 0
    ? Effect.succeed(`${machinesOf(done)} ${what}`)
    : new NotYet({ reason: `${left} of ${machinesOf(outcomes.length)} could not be ${what} yet.` })
}

/** Fails with `NotYet` while some of them still run. */
export const stopAll = (
  machines: Machines,
  vms: ReadonlyArray<Vm>,
  resource: ResourceId,
  how: Stopping
): Effect.Effect<string, SiteError> =>
  Effect.flatMap(
    Effect.forEach(vms, (vm) => stop(machines, vm, resource, how), { concurrency: atOnce }),
    (outcomes) => counted("stopped", outcomes)
  )

/**
 * Starts what was stopped for the resource, and takes the mark away: also what an administrator has taken off its host meanwhile. What somebody has started, or
 * ended, is left alone, and what is under way is waited for.
 */
const start = (machines: Machines, vm: Vm): Effect.Effect<"started" | "stays", SiteError> =>
  Effect.gen(function* () {
    if (!isResting(vm)) return "stays" as const
    if (vm.state === "Hold" || startable.has(vm.state)) {
      const end = yield* drive(machines, vm.id, {
        action: vm.state === "Hold" ? "release" : "resume",
        until: ({ state }) => state === "Running" || (vm.state === "Hold" && state === "Pending"),
        seconds: patience,
        tries
      })
      if (end._tag === "Stuck") return "stays" as const
    }
    yield* unmarkStopped(machines, vm.id)
    return "started" as const
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "NoSuchObject",
      () => Effect.succeed("started" as const)
    ),
    unlessItsOwnFault
  )

/**
 * Fails with `NotYet` while some of them do not run. `asManyAsFit`: those that a quota keeps from starting stay off, and marked, for when
 * it does not any more.
 */
export const startAll = (
  machines: Machines,
  vms: ReadonlyArray<Vm>,
  resource: ResourceId,
  { asManyAsFit = false }: { readonly asManyAsFit?: boolean } = {}
): Effect.Effect<string, SiteError> =>
  Effect.flatMap(
    Effect.forEach(
      vms.filter((vm) => isStoppedFor(vm, resource)),
      (vm) => start(machines, vm),
      { concurrency: atOnce }
    ),
    (outcomes) => {
      const stay = outcomes.filter((outcome) => outcome === "stays").length
      return asManyAsFit && stay > 0
        ? Effect.succeed(`${machinesOf(outcomes.length - stay)} started, ${stay} stay off`)
        : counted("started", outcomes)
    }
  )

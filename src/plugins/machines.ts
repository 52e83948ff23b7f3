/**
 * Machines as both plugins handle them: how one is brought into a state although failing actions are silent, and how many are stopped and
 * started again.
 */
import { Duration, Effect, Option } from "effect"
import {
  hasFailedToResume,
  isVmFailure,
  type OpenNebulaError,
  type OpenNebulaService,
  type Vm,
  type VmAction,
  type VmState,
  type VmWatcher,
  valueOf,
  vmStateText
} from "../opennebula/index.js"
import { OrderRefused, type SiteError, steadyMillis } from "../plugin/index.js"

/** What is needed of a front-end for it. */
export interface Machines {
  readonly one: OpenNebulaService
  /** The poller that all waits share. */
  readonly watch: VmWatcher["watch"]
}

/** States in which a VM stays by itself. In all others it is on its way, and takes no actions. */
const restingStates: ReadonlySet<VmState> = new Set([
  "Running",
  "Unknown",
  "Poweroff",
  "Suspended",
  "Stopped",
  "Undeployed",
  "Pending",
  "Hold",
  "Done"
])
export const isResting = (vm: Vm): boolean => restingStates.has(vm.state) || isVmFailure(vm.state)

/** The VM once `reached` says so; none if that takes longer. The last look is our own: the watcher's may be old, if the front-end was away. */
export const whenWithin = (
  machines: Machines,
  vmId: number,
  reached: (vm: Vm) => boolean,
  milliseconds: number
): Effect.Effect<Option.Option<Vm>, OpenNebulaError> =>
  machines.watch(vmId, Option.liftPredicate(reached), Duration.millis(Math.max(milliseconds, 0))).pipe(
    Effect.map(Option.some),
    Effect.catchTag("WaitExpired", "VmVanished", () =>
      Effect.map(machines.one.vm.info(vmId), Option.liftPredicate(reached))
    )
  )

/**
 * Does it stay there by itself, once that action was sent? What is resumed from Stopped or Undeployed is Pending until the scheduler has found a host for it,
 * which takes a stock one up to 15 s (recordings 136 to 141), and takes no second resume.
 */
const staysAfter = (action: VmAction, vm: Vm): boolean =>
  isResting(vm) && !(action === "resume" && vm.state === "Pending")

/**
 * What OpenNebula itself says of a machine that does not run: why no host takes it (`SCHED_MESSAGE`, recording 181), or what its driver has said (`ERROR`).
 * There as well is why one that waits could not be put on the host that was found for it (7.4 `PlanManager::start_action`).
 */
const saidOf = ({ state, userTemplate }: Pick<Vm, "state" | "userTemplate">): Option.Option<string> =>
  Option.orElse(state === "Pending" ? valueOf(userTemplate, "SCHED_MESSAGE") : Option.none(), () =>
    valueOf(userTemplate, "ERROR")
  )

/** Its state, and what is said of it. */
export const statusOf = (vm: Vm): string =>
  `${vmStateText(vm.state)}${Option.match(saidOf(vm), { onNone: () => "", onSome: (words) => `: ${words.slice(0, longestWords)}` })}`
/** Its tenant may write there, too. */
const longestWords = 500

/**
 * For what of a machine that waits there is no room, as OpenNebula says it (7.4 `SchedulerFailure::log_failures`, `VirtualMachineXML.cc`). "hosts": its size
 * makes no difference, as where all are disabled (`SchedulerManagerDriver.cc`), or nothing was said. "quota": that of the cluster where there is room, which is
 * asked only then (`VirtualMachineAPI::deploy`). Its tenant may write there, too.
 */
export const whatItLacks = (vm: Pick<Vm, "state" | "userTemplate">): "sizes" | "disk" | "hosts" | "quota" => {
  const said = Option.getOrElse(saidOf(vm), () => "")
  if (/ limit of \S+ reached for \w+ quota in VM/.test(said)) return "quota"
  if (/Not enough (CPU|memory) on hosts/i.test(said)) return "sizes"
  return /\[DS\] Not enough capacity|Image Datastore \d+ does not have enough capacity/.test(said) ? "disk" : "hosts"
}

/** Of these, the last host says nothing. */
const hostless: ReadonlySet<VmState> = new Set(["Pending", "Hold", "Stopped", "Undeployed"])
const answering: ReadonlySet<string> = new Set(["Monitored", "MonitoringMonitored"])

/**
 * " on host node-3 (Error)": for whoever looks after a machine that does not do as it was told. OpenNebula says "Running" of it after each try that its
 * driver has failed, also where its host does not answer at all (7.4 `LifeCycleManager::trigger_shutdown_failure`). "" where that cannot be read.
 */
export const whereItIs = ({ one }: Pick<Machines, "one">, vmId: number): Effect.Effect<string> =>
  Effect.zipWith(one.vm.info(vmId), one.host.list(), ({ history, state }, hosts) => {
    const last = history.at(-1)
    if (last === undefined || hostless.has(state)) return ""
    const host = hosts.find(({ id }) => id === last.hostId)
    return ` on host ${last.hostname}${host === undefined || answering.has(host.state) ? "" : ` (${host.state})`}`
  }).pipe(Effect.orElseSucceed(() => ""))

/** Ends of a `drive`. `Stuck`: the deadline is over, or the tries are used up; `state`: as `statusOf` has it. */
export type Driven =
  | { readonly _tag: "Reached"; readonly vm: Vm }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Stuck"; readonly state: string }

export interface Drive {
  readonly action: VmAction
  readonly until: (vm: Vm) => boolean
  /** For all tries together. */
  readonly seconds: number
  /** How often it may fall back; without one: until the deadline. */
  readonly tries?: number
}

/** How long a VM may show its old state after an action was taken: OK means queued. */
export const queuedFor = 2_000
/**
 * How long one may that was resumed. The front-end counts what runs when it hears a resume, and begins it when its life cycle manager comes to it; a second one
 * before that is counted as well, which nothing takes back, and not begun (OpenNebula 7.4 `VirtualMachineAPI::action`, `LifeCycleManager::trigger_restart`).
 * Not for ever: what a front-end that is restarted has not begun is lost.
 */
const resumedFor = 30_000
const firstPause = 100
const longestPause = 10_000
/** A VM at rest that refuses an action so often in a row will not take it at all. */
const refusalsTaken = 5

/**
 * Brings a VM into a state by an action, as often as it takes. An action that fails is silent (recordings 195 to 197): the VM is back in its old
 * state, and only looking tells. One that comes while the VM is on its way (Boot) is refused, and is sent again when it has arrived.
 */
export const drive = (machines: Machines, vmId: number, what: Drive): Effect.Effect<Driven, SiteError> =>
  Effect.gen(function* () {
    const deadline = (yield* steadyMillis) + what.seconds * 1000
    const left = Effect.map(steadyMillis, (now) => deadline - now)
    const stays = (vm: Vm) => staysAfter(what.action, vm)
    let seen: Vm | undefined
    let pause = firstPause
    let refusals = 0
    for (let tried = 0; tried < (what.tries ?? Number.POSITIVE_INFINITY) && refusals < refusalsTaken; ) {
      const lastRecord = seen?.history.at(-1)?.sequence ?? -1
      const answer = yield* machines.one.vm.action(vmId, what.action).pipe(
        Effect.as("taken" as const),
        // Refused: it is there already, or on its way, or cannot get there from where it is. Its state tells.
        Effect.catchTag("ActionRefused", () => Effect.succeed("refused" as const)),
        // Of a resume, OpenNebula asks the quota before the state: one that was heard already is refused by what the VM itself uses now.
        Effect.catchTag("QuotaExceeded", (error) =>
          Effect.flatMap(machines.one.vm.info(vmId), (vm) =>
            what.until(vm) || !stays(vm) ? Effect.succeed("refused" as const) : error
          )
        ),
        Effect.catchTag("NoSuchObject", () => Effect.succeed("gone" as const))
      )
      if (answer === "gone") return { _tag: "Gone" } as const
      if (answer === "taken") tried += 1
      refusals = answer === "refused" ? refusals + 1 : 0
      const moves = (vm: Vm) => {
        seen = vm
        return what.until(vm) || vm.state === "Done" || !stays(vm)
      }
      const soon = yield* whenWithin(
        machines,
        vmId,
        moves,
        Math.min(answer === "taken" ? queuedFor : firstPause, yield* left)
      )
      const movesOrFailed = (vm: Vm) => moves(vm) || hasFailedToResume(vm, lastRecord)
      const isQueued = Option.isNone(soon) && answer === "taken" && what.action === "resume"
      const moving = isQueued
        ? yield* whenWithin(machines, vmId, movesOrFailed, Math.min(resumedFor, yield* left))
        : soon
      const arrived = yield* Option.match(moving, {
        onNone: () => Effect.succeed(moving),
        onSome: () =>
          Effect.flatMap(left, (milliseconds) =>
            whenWithin(
              machines,
              vmId,
              (vm) => {
                seen = vm
                return what.until(vm) || stays(vm)
              },
              milliseconds
            )
          )
      })
      if (Option.isSome(arrived)) {
        if (what.until(arrived.value)) return { _tag: "Reached", vm: arrived.value } as const
        if (arrived.value.state === "Done") return { _tag: "Gone" } as const
      }
      if ((yield* left) <= pause) break
      yield* Effect.sleep(Duration.millis(pause))
      pause = Math.min(pause * 2, longestPause)
    }
    return { _tag: "Stuck", state: seen === undefined ? "Init" : statusOf(seen) } as const
  }).pipe(Effect.catchTag("NoSuchObject", () => Effect.succeed({ _tag: "Gone" } as const)))

/** States from which a machine can be started again. */
export const startable: ReadonlySet<VmState> = new Set(["Poweroff", "Suspended", "Stopped", "Undeployed"])

/** Starts a machine that was stopped, and sees it run. One that runs, or is on its way, is left alone. */
export const startStopped = (machines: Machines, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const vm = yield* machines.one.vm.info(vmId)
    if (!startable.has(vm.state)) return
    const end = yield* drive(machines, vmId, {
      action: "resume",
      until: ({ state }) => state === "Running",
      seconds: 300,
      tries: 3
    })
    if (end._tag === "Reached") return
    const state = end._tag === "Stuck" ? end.state : "gone"
    return yield* new OrderRefused({
      customerMessage: "The machine could not be started again: ask the provider.",
      detail: `VM ${vmId} is ${state}`
    })
  })

/**
 * One watcher for all VMs of a front-end that somebody waits for.
 *
 * All waits share one poller and are read together, by `one.vmpool.infoset` (recording 227), as often as `pace.ts` says. When nobody waits, nothing is
 * called.
 *
 * A front-end that cannot be talked to for a while is no end of a wait: the watcher tries on, with growing pauses,
 * until the wait's own deadline. If it still cannot then, the wait fails with that error, which passes, and not with
 * `WaitExpired`: nobody knows how the VM is.
 */
import { Cause, Data, Duration, Effect, Exit, Option, Random, type Scope } from "effect"
import { makeAlarms } from "../../core/lean/alarms.js"
import { steadyMillis } from "../../core/lean/elapsed.js"
import { aside } from "../../core/saga/place.js"
import type { OpenNebulaService } from "../calls/openNebula.js"
import { withCallOwner } from "../client.js"
import { NoSuchObject, type OpenNebulaError } from "../errors.js"
import type { SeenVm, Vm } from "../model/vm.js"
import { type VmState, vmStateText } from "../model/vmState.js"
import { backoffAfter, dueAt, intervalAt, makeAllowance, nextOf } from "./pace.js"

/** The deadline came before what was waited for, though the front-end answered. */
export class WaitExpired extends Data.TaggedError("WaitExpired")<{
  readonly vmId: number
  readonly seconds: number
  /** As the VM was last seen; "unseen" if there was no time for a look. */
  readonly lastState: VmState | "unseen"
}> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The machine did not get ready in time: try again, or ask the provider."
  override get message(): string {
    const state = this.lastState === "unseen" ? "unseen" : vmStateText(this.lastState)
    return `VM ${this.vmId} was still ${state} after ${this.seconds} s`
  }
}

/** The front-end answered, and the VM is not there (any more): it has not even been kept as Done. */
export class VmVanished extends Data.TaggedError("VmVanished")<{ readonly vmId: number; readonly endpoint: string }> {
  readonly disposition = "fail-order" as const
  readonly customerMessage = "The machine does not exist in the cloud any more."
  override get message(): string {
    return `VM ${this.vmId} is not to be found on ${this.endpoint}`
  }
}

/** How it was waited for before. */
export interface Waited {
  /** ms */
  readonly age: number
  /** Nobody has looked for a while, as after a restart: it is looked at at once. */
  readonly isUnseen: boolean
}

export interface VmWatcher {
  /**
   * What `settled` makes of the VM, as soon as it makes something. Without a deadline it waits for ever. Interrupting
   * it costs nothing and takes the wait away. An error that will not pass by itself (credentials, rights) fails the
   * waits it meets.
   */
  readonly watch: <A>(
    vmId: number,
    settled: (vm: Vm) => Option.Option<A>,
    deadline?: Duration.DurationInput
  ) => Effect.Effect<A, WaitExpired | VmVanished | OpenNebulaError>

  /**
   * The VM as the next look finds it. For who has waited long already, and mostly hears that there is nothing to see yet: it reads a third of what
   * `watch` has to, as long as nobody else wants more.
   */
  readonly glance: (
    vmId: number,
    deadline: Duration.DurationInput
  ) => Effect.Effect<SeenVm, WaitExpired | VmVanished | OpenNebulaError>

  /**
   * Calls `tell` once: when `settled` says so, or when there is no VM to be seen or no way to see it. Nobody's fiber waits. Gives what takes the wait away.
   */
  readonly tellWhen: (vmId: number, settled: (vm: SeenVm) => boolean, waited: Waited, tell: () => void) => () => void

  /**
   * The VM once `reached` says so; `NoSuchObject` if it is not there (any more). Waits for ever: give it a time-out.
   */
  readonly vmWhen: (vmId: number, reached: (vm: Vm) => boolean) => Effect.Effect<Vm, OpenNebulaError>
}

interface WaitFor<Needs, Seen> {
  readonly needs: Needs
  readonly vmId: number
  /** ms, of a steady clock. */
  readonly began: number
  lookedAt: number
  interval: number
  readonly seen: (vm: Seen) => void
  readonly end: (cause: Cause.Cause<VmVanished | OpenNebulaError>) => void
}
/** Those that wait long need the VM's state alone, by the thousand: as long as no other is looked at with them, that is all that is read. */
type Wait = WaitFor<"state", SeenVm> | WaitFor<"all", Vm>

/** Somebody who waits, whatever is read for it. */
interface Waiter<Seen, A> {
  readonly vmId: number
  /** ms */
  readonly millis: number
  readonly settled: (vm: Seen) => Option.Option<A>
  readonly waitOf: (about: Omit<WaitFor<unknown, Seen>, "needs">) => Wait
}

/** A defect in what a caller makes of a VM is the caller's, and must not end the poller of all. */
const guarded = <A>(work: () => A): Exit.Exit<A> => Effect.runSyncExit(Effect.sync(work))

/** The watcher of one front-end under one user. Its poller ends with the scope. */
export const makeVmWatcher = (one: {
  readonly endpoint: string
  readonly vm: Pick<OpenNebulaService["vm"], "infoset" | "states">
}): Effect.Effect<VmWatcher, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const waits = new Set<Wait>()
    const wake = yield* Effect.makeLatch()
    /** When the poller looks again by itself. */
    let wakeAt = Number.POSITIVE_INFINITY
    const allowance = makeAllowance(yield* steadyMillis)
    let failures = 0
    let lastFailure: OpenNebulaError | undefined
    let notBefore = 0

    const tell = <Seen extends SeenVm>(chosen: ReadonlyArray<WaitFor<unknown, Seen>>, vms: ReadonlyArray<Seen>) => {
      const found = new Map(vms.map((vm) => [vm.id, vm]))
      for (const wait of chosen) {
        const vm = found.get(wait.vmId)
        if (vm !== undefined) wait.seen(vm)
        else wait.end(Cause.fail(new VmVanished({ vmId: wait.vmId, endpoint: one.endpoint })))
      }
    }

    const failed = (chosen: ReadonlyArray<Wait>, cause: Cause.Cause<OpenNebulaError>) =>
      Effect.gen(function* () {
        const error = Option.getOrUndefined(Cause.failureOption(cause))
        if (error?.disposition !== "retry") {
          for (const wait of chosen) wait.end(cause)
          return
        }
        lastFailure = error
        const pause = backoffAfter(failures)
        failures += 1
        // Several agents that lost the same front-end should not all come back at the same moment.
        const jitter = yield* Random.nextRange(0.8, 1.2)
        notBefore = (yield* steadyMillis) + pause * jitter
        yield* Effect.logDebug(`Watching ${waits.size} VMs: ${Cause.pretty(cause)}; again in ${Math.round(pause)} ms`)
      })

    const look = Effect.gen(function* () {
      const chosen = nextOf(waits, yield* steadyMillis)
      const vmIds = [...new Set(chosen.map((wait) => wait.vmId))]
      const ofState = chosen.filter((wait) => wait.needs === "state")
      allowance.spend()
      const looked: Effect.Effect<() => void, OpenNebulaError> =
        ofState.length === chosen.length
          ? Effect.map(one.vm.states(vmIds), (vms) => () => tell(ofState, vms))
          : Effect.map(one.vm.infoset(vmIds), (vms) => () => tell(chosen, vms))
      const exit = yield* Effect.exit(looked)
      const now = yield* steadyMillis
      for (const wait of chosen) {
        wait.lookedAt = now
        wait.interval = intervalAt(now - wait.began, waits.size)
      }
      if (Exit.isSuccess(exit)) {
        failures = 0
        lastFailure = undefined
        exit.value()
      } else yield* failed(chosen, exit.cause)
    })

    const turn = Effect.gen(function* () {
      // Closed before anything is read, so that no wait that begins from here on goes unnoticed.
      yield* wake.close
      if (waits.size === 0) {
        wakeAt = Number.POSITIVE_INFINITY
        return yield* wake.await
      }
      const now = yield* steadyMillis
      const earliest = [...waits].reduce((soonest, wait) => Math.min(soonest, dueAt(wait)), Number.POSITIVE_INFINITY)
      const next = Math.max(earliest, allowance.affordableAt(now), notBefore)
      if (next <= now) return yield* look
      wakeAt = Math.ceil(next)
      yield* Effect.raceFirst(Effect.sleep(Duration.millis(wakeAt - now)), wake.await)
    })

    yield* Effect.forkScoped(withCallOwner("vm-watcher")(Effect.forever(turn)))

    // Beside the poller, which may be in a call.
    const alarms = yield* makeAlarms

    const wakeFor = (wait: Wait): void => {
      waits.add(wait)
      if (dueAt(wait) < wakeAt) wake.unsafeOpen()
    }

    const waiting = <Seen extends SeenVm, A>({ millis, settled, vmId, waitOf }: Waiter<Seen, A>) =>
      aside(
        Effect.flatMap(steadyMillis, (began) =>
          Effect.async<A, WaitExpired | VmVanished | OpenNebulaError>((resume) => {
            let lastState: VmState | "unseen" = "unseen"
            const end = (exit: Exit.Exit<A, WaitExpired | VmVanished | OpenNebulaError>): void => {
              takeAway()
              resume(exit)
            }
            const wait = waitOf({
              vmId,
              began,
              lookedAt: began,
              interval: intervalAt(0, waits.size + 1),
              seen: (vm) => {
                lastState = vm.state
                const what = guarded(() => settled(vm))
                if (Exit.isFailure(what)) end(Exit.failCause(what.cause))
                else if (Option.isSome(what.value)) end(Exit.succeed(what.value.value))
              },
              end: (cause) => end(Exit.failCause(cause))
            })
            allowance.grow()
            wakeFor(wait)
            const unset = alarms.after(millis, () =>
              end(Exit.fail(lastFailure ?? new WaitExpired({ vmId, seconds: millis / 1000, lastState })))
            )
            const takeAway = () => {
              unset()
              waits.delete(wait)
            }
            return Effect.sync(takeAway)
          })
        )
      )

    const watch: VmWatcher["watch"] = (vmId, settled, deadline) =>
      waiting({
        vmId,
        millis: deadline === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(deadline),
        settled,
        waitOf: (about) => ({ needs: "all", ...about })
      })

    const glance: VmWatcher["glance"] = (vmId, deadline) =>
      waiting<SeenVm, SeenVm>({
        vmId,
        millis: Duration.toMillis(deadline),
        settled: Option.some,
        waitOf: (about) => ({ needs: "state", ...about })
      })

    const tellWhen: VmWatcher["tellWhen"] = (vmId, settled, { age, isUnseen }, tell) => {
      const now = Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
      const interval = intervalAt(age, waits.size)
      const end = () => {
        if (waits.delete(wait)) tell()
      }
      const wait: Wait = {
        needs: "state",
        vmId,
        began: now - age,
        lookedAt: isUnseen ? now - interval : now,
        interval,
        seen: (vm) => {
          const isSettled = guarded(() => settled(vm))
          // Whoever hears it finds out what is wrong with it.
          if (Exit.isFailure(isSettled) || isSettled.value) end()
        },
        end
      }
      wakeFor(wait)
      return () => void waits.delete(wait)
    }

    return {
      watch,
      glance,
      tellWhen,
      vmWhen: (vmId, reached) =>
        watch(vmId, Option.liftPredicate(reached)).pipe(
          Effect.catchTags({
            VmVanished: (gone) =>
              Effect.fail(
                new NoSuchObject({
                  method: "one.vmpool.infoset",
                  endpoint: gone.endpoint,
                  objectId: vmId,
                  serverMessage: gone.message
                })
              ),
            WaitExpired: (never) => Effect.die(never)
          })
        )
    }
  })

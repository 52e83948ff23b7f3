/**
 * Whether an offering's orders can be carried out.
 *
 * While one of its servers is away (`core/calls/breaker.ts`), its orders wait at the gate instead of trying, and go on when the server answers.
 *
 * A fault of the configuration (wrong credentials, no rights) stops the offering: orders in work wait at the gate, none is taken,
 * and none is failed for it. A probe looks until the fault is mended, and opens the gate again. No restart needed.
 */
import { Clock, Effect, type Scope, SubscriptionRef } from "effect"
import { type EndpointListener, makeDoor, type SiteError } from "../../core/index.js"
import { mendProbe } from "../schedules.js"

export type Status =
  | { readonly _tag: "Ok" }
  /** Something transient: orders go on, slower. `since` in ms since 1970. */
  | { readonly _tag: "Degraded"; readonly reason: string; readonly since: number }
  | { readonly _tag: "Stopped"; readonly reason: string; readonly since: number }

/** That another agent is at work on the offering, as an order has shown. */
export interface RivalSeen {
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly last: number
  /** Does the order wait for that one? */
  readonly waits: boolean
}

/** So long after it was last seen that another agent is at work it is still told, in ms: an order that was lost to it waits no more. */
const rivalTold = 15 * 60_000

export interface OfferingHealth {
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /** Passes while the offering runs and its servers answer; waits while it is stopped or one of them is away. */
  readonly passed: Effect.Effect<void>
  /** Says what went wrong; an error of disposition `stop-offering` closes the gate. */
  readonly report: (error: SiteError) => Effect.Effect<void>
  /** A call went well: whatever was degraded is over. A stopped offering only opens when its probe succeeds. */
  readonly recovered: Effect.Effect<void>
  /** Do orders wait at the gate now? */
  readonly waits: Effect.Effect<boolean>
  /** Its servers that are away now: URL -> why. */
  readonly away: Effect.Effect<ReadonlyMap<string, string>>
  /** Closes the gate for an operator, with why; `undefined`: opens it again, as far as nothing else keeps it closed. */
  readonly hold: (why: string | undefined) => Effect.Effect<void>
  /** Another agent was seen to be at work on this order, which waits for it, or does not (any more). */
  readonly rival: (order: string, reason: string, waits: boolean) => Effect.Effect<void>
  /** The order waits for no other agent (any more). */
  readonly noRival: (order: string) => Effect.Effect<void>
  /** Orders on which another agent was seen at work: those that wait for it, and those of the last quarter of an hour. */
  readonly rivals: Effect.Effect<ReadonlyMap<string, RivalSeen>>
  /** Hears of the servers that the offering rests on. */
  readonly endpoint: EndpointListener
}

/** Told when the gate closes and when it opens: so much time is not counted against an order's deadline. */
export interface PauseRecorder {
  readonly began: (reason: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<void>
}
const unrecorded: PauseRecorder = { began: () => Effect.void, ended: Effect.void }

/** `probe`: the cheapest look at everything that the offering needs; asked only while it is stopped. */
export const make = (
  probe: Effect.Effect<unknown, SiteError>,
  recorder: PauseRecorder = unrecorded
): Effect.Effect<OfferingHealth, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const status = yield* SubscriptionRef.make<Status>({ _tag: "Ok" })
    const gate = makeDoor(true)
    const away = new Map<string, string>()
    let held = false
    const rivals = new Map<string, RivalSeen>()
    const isClosed = (now: Status) => now._tag === "Stopped" || away.size > 0 || held
    /** Opens or closes the gate as things stand now. */
    const settle = (reason: string) =>
      Effect.flatMap(SubscriptionRef.get(status), (now) =>
        isClosed(now) ? Effect.zipRight(gate.close, recorder.began(reason)) : Effect.zipRight(recorder.ended, gate.open)
      )
    const mend = probe.pipe(
      Effect.tapError((error) => Effect.logDebug(`Still stopped: ${error.message}`)),
      Effect.retry(mendProbe),
      Effect.zipRight(SubscriptionRef.set(status, { _tag: "Ok" })),
      Effect.zipRight(settle(""))
    )
    const report = (error: SiteError) =>
      Effect.gen(function* () {
        const since = yield* Clock.currentTimeMillis
        if (error.disposition === "retry") {
          yield* SubscriptionRef.update(
            status,
            (now): Status => (now._tag === "Ok" ? { _tag: "Degraded", reason: error.message, since } : now)
          )
        }
        if (error.disposition !== "stop-offering") return
        const before = yield* SubscriptionRef.getAndUpdate(
          status,
          (now): Status => (now._tag === "Stopped" ? now : { _tag: "Stopped", reason: error.message, since })
        )
        if (before._tag === "Stopped") return
        yield* settle(error.message)
        // Interruptible, though this is not: a probe whose time-outs cannot interrupt it would hang with the first answer that is lost.
        yield* Effect.forkIn(mend.pipe(Effect.delay("5 seconds"), Effect.interruptible), scope)
      }).pipe(Effect.uninterruptible)
    return {
      status,
      passed: gate.passed,
      waits: Effect.map(SubscriptionRef.get(status), isClosed),
      away: Effect.sync(() => new Map(away)),
      rival: (order, reason, waits) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          rivals.set(order, { reason, last: now, waits })
        }),
      noRival: (order) =>
        Effect.sync(() => {
          const known = rivals.get(order)
          if (known?.waits === true) rivals.set(order, { ...known, waits: false })
        }),
      rivals: Effect.map(Clock.currentTimeMillis, (now) => {
        for (const [order, { last, waits }] of rivals) if (!waits && now - last > rivalTold) rivals.delete(order)
        return new Map(rivals)
      }),
      report,
      hold: (why) =>
        Effect.suspend(() => {
          if (held === (why !== undefined)) return Effect.void
          held = why !== undefined
          return settle(why ?? "")
        }).pipe(Effect.uninterruptible),
      recovered: SubscriptionRef.update(status, (now): Status => (now._tag === "Degraded" ? { _tag: "Ok" } : now)),
      endpoint: (event) =>
        Effect.gen(function* () {
          const since = yield* Clock.currentTimeMillis
          if (event.away) away.set(event.endpoint, event.reason)
          else away.delete(event.endpoint)
          yield* SubscriptionRef.update(status, (now): Status => {
            if (now._tag === "Stopped") return now
            return away.size === 0
              ? { _tag: "Ok" }
              : { _tag: "Degraded", reason: [...away.values()].join(" "), since: now._tag === "Ok" ? since : now.since }
          })
          yield* settle(event.reason)
        }).pipe(Effect.uninterruptible)
    }
  })

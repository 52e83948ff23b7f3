/**
 * Whether an offering's orders can be carried out.
 *
 * A fault of the configuration (wrong credentials, no rights) stops the offering: orders in work wait at the gate, none is taken,
 * and none is failed for it. A probe looks until the fault is mended, and opens the gate again. No restart needed.
 */
import { Clock, Effect, type Scope, SubscriptionRef } from "effect"
import type { SiteError } from "../../core/index.js"
import { mendProbe } from "../schedules.js"

export type Status =
  | { readonly _tag: "Ok" }
  /** Something transient: orders go on, slower. `since` in ms since 1970. */
  | { readonly _tag: "Degraded"; readonly reason: string; readonly since: number }
  | { readonly _tag: "Stopped"; readonly reason: string; readonly since: number }

export interface OfferingHealth {
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /** Passes while the offering runs, waits while it is stopped. */
  readonly passed: Effect.Effect<void>
  /** Says what went wrong; an error of disposition `stop-offering` closes the gate. */
  readonly report: (error: SiteError) => Effect.Effect<void>
  /** A call went well: whatever was degraded is over. A stopped offering only opens when its probe succeeds. */
  readonly recovered: Effect.Effect<void>
}

/** `probe`: the cheapest look at everything that the offering needs; asked only while it is stopped. */
export const make = (probe: Effect.Effect<unknown, SiteError>): Effect.Effect<OfferingHealth, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const status = yield* SubscriptionRef.make<Status>({ _tag: "Ok" })
    const gate = yield* Effect.makeLatch(true)
    const mend = probe.pipe(
      Effect.tapError((error) => Effect.logDebug(`Still stopped: ${error.message}`)),
      Effect.retry(mendProbe),
      Effect.zipRight(SubscriptionRef.set(status, { _tag: "Ok" })),
      Effect.zipRight(gate.open)
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
        yield* gate.close
        yield* Effect.forkIn(mend.pipe(Effect.delay("5 seconds")), scope)
      }).pipe(Effect.uninterruptible)
    return {
      status,
      passed: gate.await,
      report,
      recovered: SubscriptionRef.update(status, (now): Status => (now._tag === "Degraded" ? { _tag: "Ok" } : now))
    }
  })

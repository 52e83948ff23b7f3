/**
 * An actor's hold on its resource: a lease that it takes when it starts, and takes anew some time after it was lost.
 *
 * Whoever lost it leaves the resource alone for a while, as another process is at work there. For good would be too long: that process may
 * be gone by then, and the resource's orders would wait for ever.
 */
import { Duration, Effect, Ref } from "effect"
import { type LeaseLost, type ResourceId, retried, steadyMillis } from "../../core/index.js"
import { JournalHealth } from "../journal/health.js"
import { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import { Placement, underLease } from "../placement/index.js"
import { Stopping, stoppable } from "../placement/stopping.js"
import { leaseRest, orderRetry, placeRest } from "../schedules.js"

type Hold =
  | { readonly _tag: "Held"; readonly lease: Lease }
  /** Left alone until then, by `steadyMillis`. */
  | { readonly _tag: "Left"; readonly until: number }

export interface Holding {
  /** Does something under the lease, unless this process ends. `moved`: another process has the resource. */
  readonly under: <A, R>(work: (lease: Lease) => Effect.Effect<A, LeaseLost, R>) => Effect.Effect<A | "moved", never, R>
}

const leftFor = (rest: Duration.Duration): Effect.Effect<Hold> =>
  Effect.map(steadyMillis, (now) => ({ _tag: "Left", until: now + Duration.toMillis(rest) }))

/** `owner`: what this process is called in its leases. */
export const makeHolding = (
  resource: ResourceId,
  owner: string
): Effect.Effect<Holding, never, Journal | JournalHealth | Placement | Stopping> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const placement = yield* Placement
    const health = yield* JournalHealth
    const { word } = yield* Stopping
    const rest = placement.several ? leaseRest.several : leaseRest.single
    const take: Effect.Effect<Hold> = Effect.gen(function* () {
      // A process that was paused may still believe that the resource is its own: it must not take it from the one that has it now.
      if (!(yield* placement.isOurs(resource))) return yield* leftFor(placeRest)
      return { _tag: "Held", lease: yield* journal.lease(resource, owner) } as const
    }).pipe(
      Effect.tapError(() => health.passed),
      retried(orderRetry),
      Effect.orDie
    )
    const hold = yield* Effect.flatMap(take, (taken) => Ref.make(taken))

    const lease: Effect.Effect<Lease | undefined> = Effect.gen(function* () {
      const now = yield* Ref.get(hold)
      if (now._tag === "Held") return now.lease
      if ((yield* steadyMillis) < now.until) return undefined
      const taken = yield* stoppable(word)(take)
      yield* Ref.set(hold, taken)
      return taken._tag === "Held" ? taken.lease : undefined
    })

    return {
      under: (work) =>
        Effect.gen(function* () {
          const held = yield* lease
          if (held === undefined) return "moved" as const
          return yield* underLease(journal, held, work(held), word, placement.several).pipe(
            Effect.catchAll((lost) =>
              Effect.gen(function* () {
                yield* Ref.set(hold, yield* leftFor(rest))
                yield* Effect.logWarning(lost.message)
                return "moved" as const
              })
            )
          )
        })
    }
  })

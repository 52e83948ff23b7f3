/**
 * An actor's hold on its resource: a lease that it takes when it starts, and takes anew some time after it was lost.
 *
 * Whoever lost it leaves the resource alone for a while, as another process is at work there. For good would be too long: that process may
 * be gone by then, and the resource's orders would wait for ever.
 */
import { Duration, Effect, Ref } from "effect"
import { type LeaseLost, type ResourceId, steadyMillis } from "../../core/index.js"
import { Journal, type Lease } from "../journal/journal.js"
import { leaseRest, orderRetry } from "../schedules.js"

type Hold = { readonly _tag: "Held"; readonly lease: Lease } | { readonly _tag: "Lost"; readonly at: number }

export interface Holding {
  /** Does something under the lease. `moved`: another process has the resource. */
  readonly under: <A, R>(work: (lease: Lease) => Effect.Effect<A, LeaseLost, R>) => Effect.Effect<A | "moved", never, R>
}

/** `owner`: what this process is called in its leases. */
export const makeHolding = (resource: ResourceId, owner: string): Effect.Effect<Holding, never, Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const take = journal.lease(resource, owner).pipe(Effect.retry(orderRetry), Effect.orDie)
    const hold = yield* Ref.make<Hold>({ _tag: "Held", lease: yield* take })

    const lease: Effect.Effect<Lease | undefined> = Effect.gen(function* () {
      const now = yield* Ref.get(hold)
      if (now._tag === "Held") return now.lease
      if ((yield* steadyMillis) - now.at < Duration.toMillis(leaseRest)) return undefined
      const taken = yield* take
      yield* Ref.set(hold, { _tag: "Held", lease: taken })
      return taken
    })

    return {
      under: (work) =>
        Effect.gen(function* () {
          const held = yield* lease
          if (held === undefined) return "moved" as const
          return yield* work(held).pipe(
            Effect.catchAll((lost) =>
              Effect.gen(function* () {
                yield* Ref.set(hold, { _tag: "Lost", at: yield* steadyMillis })
                yield* Effect.logWarning(lost.message)
                return "moved" as const
              })
            )
          )
        })
    }
  })

/**
 * What the look at an order's event has read already, for the attempt that follows it within a moment: it need not be read twice, and the
 * resource is on its way while the actor takes its lease. What is older than a breath is read anew.
 *
 * And what a look at the queue has seen: that an order executes. That is all that an order needs to know of Waldur which goes on after a restart, and
 * a thousand of them are ten pages of the queue.
 */
import { Effect, Fiber, FiberSet, Option, type Scope } from "effect"
import { OrderId, type SiteError, steadyMillis } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import type { WaldurService } from "../../waldur/index.js"

export interface EarlyRead {
  readonly order: api.Order
  readonly resource: Effect.Effect<api.ProviderResource, SiteError>
}

export interface EarlyReads {
  /** Keeps the order, and begins to read its resource. */
  readonly begin: (order: api.Order, resource: string) => Effect.Effect<void>
  /** Once, and only while it is fresh. */
  readonly take: (order: OrderId) => Effect.Effect<Option.Option<EarlyRead>>
  /**
   * Keeps which orders execute by the first look at the queue, which began at `since` (`steadyMillis`): a long queue takes many answers. Of later
   * looks nothing: an order that goes on then rested, and somebody may have ended it in the meantime.
   */
  readonly listed: (executing: Iterable<OrderId>, since: number) => Effect.Effect<void>
  /** Has the queue just been read for the first time, and did the order execute? Once: a further attempt has its own reasons to look. */
  readonly executes: (order: OrderId) => Effect.Effect<boolean>
  /** Did the order execute when the queue was first read? Then it did before this agent came, whatever the clocks of both servers say. Once. */
  readonly executedBefore: (order: OrderId) => Effect.Effect<boolean>
}

export const noEarlyReads: EarlyReads = {
  begin: () => Effect.void,
  take: () => Effect.succeedNone,
  listed: () => Effect.void,
  executes: () => Effect.succeed(false),
  executedBefore: () => Effect.succeed(false)
}

/** ms. The marketplace may take as long for one answer. */
const freshFor = 2_000
/** ms. Thousands that are taken up again are spread over seconds. */
const listedFor = 5_000

/** Reads end with the scope. */
export const makeEarlyReads = (
  waldur: Pick<WaldurService, "resource">
): Effect.Effect<EarlyReads, never, Scope.Scope> =>
  Effect.gen(function* () {
    const reading = yield* FiberSet.make<api.ProviderResource, SiteError>()
    const kept = new Map<OrderId, EarlyRead & { readonly at: number }>()
    /** What the first look has seen. Each order is asked for by its first attempt, and then forgotten. */
    let first: { readonly executing: Set<OrderId>; readonly since: number } | undefined
    return {
      begin: (order, resource) =>
        Effect.gen(function* () {
          const at = yield* steadyMillis
          for (const [id, old] of kept) if (at - old.at > freshFor) kept.delete(id)
          const fiber = yield* FiberSet.run(reading, waldur.resource(resource))
          kept.set(OrderId.make(order.uuid), { order, at, resource: Fiber.join(fiber) })
        }),
      take: (id) =>
        Effect.map(steadyMillis, (now) => {
          const found = kept.get(id)
          kept.delete(id)
          return Option.filter(Option.fromNullable(found), ({ at }) => now - at <= freshFor)
        }),
      listed: (executing, since) =>
        Effect.sync(() => {
          first ??= { executing: new Set(executing), since }
        }),
      executes: (id) =>
        Effect.map(steadyMillis, (now) => first?.executing.delete(id) === true && now - first.since <= listedFor),
      executedBefore: (id) => Effect.sync(() => first?.executing.delete(id) === true)
    }
  })

/** Orders that rest between two attempts, and who wakes them. */
import { Context, Deferred, Effect, Layer } from "effect"
import type { OrderId } from "../../core/index.js"

export class Wakes extends Context.Tag("site-actors/runtime/Wakes")<
  Wakes,
  {
    /** Completes when somebody wakes the order. */
    readonly woken: (order: OrderId) => Effect.Effect<void>
    /** Says until when it rests, if nobody wakes it: ms since 1970. */
    readonly rests: (order: OrderId, until: number) => Effect.Effect<void>
    /** `undefined`: it does not rest. */
    readonly restsUntil: (order: OrderId) => Effect.Effect<number | undefined>
    /** False: it does not rest. */
    readonly wake: (order: OrderId) => Effect.Effect<boolean>
  }
>() {
  static readonly layer = Layer.sync(Wakes, () => {
    const resting = new Map<OrderId, Deferred.Deferred<void>>()
    const until = new Map<OrderId, number>()
    return {
      rests: (order, at) => Effect.sync(() => until.set(order, at)),
      restsUntil: (order) => Effect.sync(() => until.get(order)),
      woken: (order) =>
        Effect.acquireUseRelease(
          Effect.tap(Deferred.make<void>(), (bell) => Effect.sync(() => resting.set(order, bell))),
          Deferred.await,
          () =>
            Effect.sync(() => {
              resting.delete(order)
              until.delete(order)
            })
        ),
      wake: (order) =>
        Effect.suspend(() => {
          const bell = resting.get(order)
          return bell === undefined ? Effect.succeed(false) : Deferred.succeed(bell, undefined)
        })
    }
  })
}

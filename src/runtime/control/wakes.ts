/**
 * Orders that rest between two attempts, or are parked until what they wait for has come to something (`core/park.ts`), and who wakes them.
 *
 * A parked order has no fiber: it is a note here, and is sent to its actor again when it is woken.
 */
import { Context, Deferred, Effect, Layer } from "effect"
import type { OfferingId, OrderId, Parked, ResourceId } from "../../core/index.js"
import { steadyMillis } from "../../core/index.js"
import { parkedRound } from "../schedules.js"

export interface ParkedOrder {
  readonly offering: OfferingId
  readonly order: OrderId
  readonly resource: ResourceId
}

interface Note {
  readonly what: ParkedOrder
  /** ms, steady. */
  readonly due: number
  readonly takeBack: () => void
}

export class Wakes extends Context.Tag("site-actors/runtime/Wakes")<
  Wakes,
  {
    /** Completes when somebody wakes the order. */
    readonly woken: (order: OrderId) => Effect.Effect<void>
    /** Says until when it rests, if nobody wakes it: ms since 1970. */
    readonly rests: (order: OrderId, until: number) => Effect.Effect<void>
    /** `undefined`: it does not rest. */
    readonly restsUntil: (order: OrderId) => Effect.Effect<number | undefined>
    /** False: it does not rest, and is not parked. */
    readonly wake: (order: OrderId) => Effect.Effect<boolean>
    /** Notes it down until it is woken: by what it waits for, after its time, or by somebody. */
    readonly park: (what: ParkedOrder, parked: Parked) => Effect.Effect<void>
    /** Hears of each parked order that is woken. One listener: who sends orders to their actors. */
    readonly listen: (send: (what: ParkedOrder) => void) => void
    readonly parked: Effect.Effect<number>
  }
>() {
  static readonly layer = Layer.scoped(
    Wakes,
    Effect.gen(function* () {
      const resting = new Map<OrderId, Deferred.Deferred<void>>()
      const until = new Map<OrderId, number>()
      const notes = new Map<OrderId, Note>()
      let send = (_what: ParkedOrder): void => undefined

      const unpark = (order: OrderId): boolean => {
        const note = notes.get(order)
        if (note === undefined) return false
        notes.delete(order)
        note.takeBack()
        send(note.what)
        return true
      }
      const some = yield* Effect.makeLatch(false)
      yield* Effect.gen(function* () {
        yield* some.await
        const now = yield* steadyMillis
        for (const [order, { due }] of [...notes]) if (due <= now) unpark(order)
        if (notes.size === 0) yield* some.close
        yield* Effect.sleep(parkedRound)
      }).pipe(Effect.forever, Effect.forkScoped)

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
            if (unpark(order)) return Effect.succeed(true)
            const bell = resting.get(order)
            return bell === undefined ? Effect.succeed(false) : Deferred.succeed(bell, undefined)
          }),
        park: (what, { watch, within }) =>
          Effect.map(steadyMillis, (now) => {
            notes.get(what.order)?.takeBack()
            notes.set(what.order, {
              what,
              due: now + within,
              takeBack: watch(() => void unpark(what.order))
            })
            some.unsafeOpen()
          }),
        listen: (to) => {
          send = to
        },
        parked: Effect.sync(() => notes.size)
      }
    })
  )
}

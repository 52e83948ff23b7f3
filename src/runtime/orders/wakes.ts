/**
 * Orders that rest between two attempts, or are parked until what they wait for has come to something (`core/saga/park.ts`), and who wakes them.
 *
 * A parked order has no fiber: it is a note in the process where its actor was, and is sent to its actor again when it is woken. Notes are only in
 * memory. Whoever sends orders finds out when the process of one has gone (`actors/dispatch.ts`).
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
    /** Hears of each order parked in this process that is woken. One listener. */
    readonly listen: (hear: (what: ParkedOrder) => void) => void
    /** Says who sends an order that was parked, here or in another process, to its actor. One. */
    readonly sender: (send: (what: ParkedOrder) => Effect.Effect<void>) => void
    /** Has an order sent to its actor that was woken in another process. */
    readonly send: (what: ParkedOrder) => Effect.Effect<void>
    /** Is it parked in this process? */
    readonly isParked: (order: OrderId) => boolean
    /** Its actor is at it: its note is no more. */
    readonly taken: (order: OrderId) => void
    /** Wakes those whose actors are in another process now. */
    readonly left: (isElsewhere: (resource: ResourceId) => boolean) => void
    /** How many are parked in this process. */
    readonly parked: Effect.Effect<number>
  }
>() {
  static readonly layer = Layer.scoped(
    Wakes,
    Effect.gen(function* () {
      const resting = new Map<OrderId, Deferred.Deferred<void>>()
      const until = new Map<OrderId, number>()
      const notes = new Map<OrderId, Note>()
      let hear = (_what: ParkedOrder): void => undefined
      let sendOn = (_what: ParkedOrder): Effect.Effect<void> => Effect.void

      const unpark = (order: OrderId): boolean => {
        const note = notes.get(order)
        if (note === undefined) return false
        notes.delete(order)
        note.takeBack()
        hear(note.what)
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
          hear = to
        },
        sender: (to) => {
          sendOn = to
        },
        send: (what) => Effect.suspend(() => sendOn(what)),
        isParked: (order) => notes.has(order),
        taken: (order) => {
          notes.get(order)?.takeBack()
          notes.delete(order)
        },
        left: (isElsewhere) => {
          for (const [order, { what }] of [...notes]) if (isElsewhere(what.resource)) unpark(order)
        },
        parked: Effect.sync(() => notes.size)
      }
    })
  )
}

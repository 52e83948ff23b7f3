/**
 * What is asked of the process that has a resource, or that looks after an offering, whichever that is. A single process asks
 * itself; how several ask each other: `cluster/bells.ts`.
 *
 * All that is asked may be asked twice or be lost when a resource moves: what has to last is written down beside, or is asked until it is heard.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Call } from "../../api/index.js"
import type { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import { MemberCalls } from "../members/calls.js"
import { Looks } from "../observation/looks.js"
import { Standings } from "../offerings/standing.js"
import { type ParkedOrder, Wakes } from "../orders/wakes.js"
import { Quarantine } from "./quarantine.js"

/** What is in the memory of the process that has an order's resource. */
export const Remembered = Schema.Struct({
  /** When it began to record: ms since 1970. */
  began: Schema.Number,
  calls: Schema.Array(Call),
  /** There were more calls, which are forgotten. */
  missing: Schema.Boolean,
  /** Until when the order rests: ms since 1970; `null`: it does not. */
  restsUntil: Schema.NullOr(Schema.Number)
})
type Remembered = typeof Remembered.Type

export const answersOfResource = Effect.gen(function* () {
  const wakes = yield* Wakes
  const quarantine = yield* Quarantine
  const recorder = yield* Recorder
  return (resource: ResourceId) => ({
    remembers: (order: OrderId): Effect.Effect<Remembered> =>
      Effect.map(wakes.restsUntil(order), (restsUntil) => ({
        began: recorder.began,
        ...recorder.callsOf(order),
        restsUntil: restsUntil ?? null
      })),
    wake: (order: OrderId) => wakes.wake(order),
    release: Effect.tap(quarantine.holds(resource), (holds) => Effect.when(quarantine.release(resource), () => holds))
  })
})

export const answersOfOffering = Effect.gen(function* () {
  const standings = yield* Standings
  const looks = yield* Looks
  const members = yield* MemberCalls
  const wakes = yield* Wakes
  return (offering: OfferingId) => ({
    woken: (orders: ReadonlyArray<Pick<ParkedOrder, "order" | "resource">>) =>
      Effect.forEach(orders, ({ order, resource }) => wakes.send({ offering, order, resource }), { discard: true }),
    lookForOrders: Effect.flatMap(standings.of(offering), ({ wake }) => wake),
    lookAtAll: looks.soon(offering),
    syncMembers: members.at(offering)
  })
})

export class Bells extends Context.Tag("site-actors/runtime/Bells")<
  Bells,
  {
    readonly wake: (resource: ResourceId, order: OrderId) => Effect.Effect<boolean>
    readonly release: (resource: ResourceId) => Effect.Effect<boolean>
    /** `undefined`: nobody answered. */
    readonly remembers: (resource: ResourceId, order: OrderId) => Effect.Effect<Remembered | undefined>
    readonly lookForOrders: (offering: OfferingId) => Effect.Effect<void>
    /** Tells whoever sends the offering's orders that these were woken. False: nobody has heard it. */
    readonly woken: (offering: OfferingId, orders: ReadonlyArray<ParkedOrder>) => Effect.Effect<boolean>
    readonly lookAtAll: (offering: OfferingId) => Effect.Effect<boolean>
    /** `undefined`: this offering's members are not synchronised. */
    readonly syncMembers: (offering: OfferingId) => Effect.Effect<boolean | undefined>
  }
>() {
  /** One process: it has all of them. Two entities for that would be made at each start, and wake up each second to count themselves. */
  static readonly single = Layer.effect(
    Bells,
    Effect.gen(function* () {
      const resource = yield* answersOfResource
      const offering = yield* answersOfOffering
      return {
        wake: (id, order) => within(resource(id).wake(order), false),
        remembers: (id, order) => within(resource(id).remembers(order), undefined, "3 seconds"),
        release: (id) => within(resource(id).release, false),
        lookForOrders: (id) => within(offering(id).lookForOrders, undefined),
        woken: (id, orders) => within(Effect.as(offering(id).woken(orders), true), false),
        lookAtAll: (id) => within(offering(id).lookAtAll, false),
        syncMembers: (id) => within(Effect.map(offering(id).syncMembers, Option.getOrUndefined), false, "10 minutes")
      }
    })
  )
}

/** A process that went away has its bells answered elsewhere in some seconds; until then nobody rings. */
export const within = <A, E>(
  asked: Effect.Effect<A, E>,
  otherwise: A,
  patience: "3 seconds" | "15 seconds" | "10 minutes" = "15 seconds"
) =>
  asked.pipe(
    Effect.timeoutTo({ duration: patience, onSuccess: (answer) => answer, onTimeout: () => otherwise }),
    Effect.catchAllCause((cause) => Effect.as(Effect.logWarning("Nobody answered", cause), otherwise))
  )

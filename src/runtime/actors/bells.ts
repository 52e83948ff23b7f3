/**
 * What is asked of the process that has a resource, or that looks after an offering, whichever that is. With several processes: two entities beside
 * the resource's actor. A bell has the resource's own id and is so placed where its actor is, and is answered at once, while the actor is at work.
 * That of an offering has the offering's, and is where its work is done (`cluster/once.ts`). A single process asks itself.
 *
 * All that is asked may be asked twice or be lost when a resource moves: what has to last is written down beside, or is asked until it is heard.
 */
import { Entity } from "@effect/cluster"
import { Rpc } from "@effect/rpc"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Call } from "../../api/index.js"
import { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import { type ParkedOrder, Wakes } from "../control/wakes.js"
import { MemberCalls } from "../members/calls.js"
import { Looks } from "../observation/looks.js"
import { Standings } from "../offerings/standing.js"
import { actorIdle } from "../schedules.js"
import { Quarantine } from "./quarantine.js"

/** What is in the memory of the process that has an order's resource. */
const Remembered = Schema.Struct({
  /** When it began to record: ms since 1970. */
  began: Schema.Number,
  calls: Schema.Array(Call),
  /** There were more calls, which are forgotten. */
  missing: Schema.Boolean,
  /** Until when the order rests: ms since 1970; `null`: it does not. */
  restsUntil: Schema.NullOr(Schema.Number)
})
type Remembered = typeof Remembered.Type

const ResourceBell = Entity.make("ResourceBell", [
  /** Has an order that rests tried now. False: it does not rest. */
  Rpc.make("Wake", { payload: { order: OrderId }, success: Schema.Boolean }),
  /** Releases the resource from quarantine. False: it is not held. */
  Rpc.make("Release", { success: Schema.Boolean }),
  /** What only the process at work on it knows of an order, for the page of another one. */
  Rpc.make("Remembers", { payload: { order: OrderId }, success: Remembered })
])

const OfferingBell = Entity.make("OfferingBell", [
  /** Has the queue looked at now. */
  Rpc.make("LookForOrders", { success: Schema.Void }),
  /** Orders that waited without a fiber were woken: they are sent to their actors again. */
  Rpc.make("Woken", {
    payload: { orders: Schema.Array(Schema.Struct({ order: OrderId, resource: ResourceId })) },
    success: Schema.Void
  }),
  /** Has all its resources looked at soon. False: nobody looks at this offering. */
  Rpc.make("LookAtAll", { success: Schema.Boolean }),
  /** One round over its members, to its end. None: they are not synchronised. */
  Rpc.make("SyncMembers", { success: Schema.Option(Schema.Boolean) })
])

const unqueued = { maxIdleTime: actorIdle, concurrency: "unbounded", mailboxCapacity: "unbounded" } as const

const answersOfResource = Effect.gen(function* () {
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

const answersOfOffering = Effect.gen(function* () {
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

const resourceBells = ResourceBell.toLayer(
  Effect.gen(function* () {
    const answers = (yield* answersOfResource)(ResourceId.make((yield* Entity.CurrentAddress).entityId))
    return {
      Remembers: ({ payload: { order } }) => answers.remembers(order),
      Wake: ({ payload: { order } }) => answers.wake(order),
      Release: () => answers.release
    }
  }),
  unqueued
)

const offeringBells = OfferingBell.toLayer(
  Effect.gen(function* () {
    const answers = (yield* answersOfOffering)(OfferingId.make((yield* Entity.CurrentAddress).entityId))
    return {
      Woken: ({ payload: { orders } }) => answers.woken(orders),
      LookForOrders: () => answers.lookForOrders,
      LookAtAll: () => answers.lookAtAll,
      SyncMembers: () => answers.syncMembers
    }
  }),
  unqueued
)

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

  static readonly several = Layer.effect(
    Bells,
    Effect.gen(function* () {
      const resource = yield* ResourceBell.client
      const offering = yield* OfferingBell.client
      return {
        wake: (id, order) => within(resource(id).Wake({ order }), false),
        remembers: (id, order) => within(resource(id).Remembers({ order }), undefined, "3 seconds"),
        release: (id) => within(resource(id).Release(), false),
        lookForOrders: (id) => within(offering(id).LookForOrders(), undefined),
        woken: (id, orders) =>
          within(
            Effect.as(offering(id).Woken({ orders: orders.map(({ order, resource }) => ({ order, resource })) }), true),
            false
          ),
        lookAtAll: (id) => within(offering(id).LookAtAll(), false),
        syncMembers: (id) => within(Effect.map(offering(id).SyncMembers(), Option.getOrUndefined), false, "10 minutes")
      }
    })
  ).pipe(Layer.provideMerge(Layer.merge(resourceBells, offeringBells)))
}

/** A process that went away has its bells answered elsewhere in some seconds; until then nobody rings. */
const within = <A, E>(
  asked: Effect.Effect<A, E>,
  otherwise: A,
  patience: "3 seconds" | "15 seconds" | "10 minutes" = "15 seconds"
) =>
  asked.pipe(
    Effect.timeoutTo({ duration: patience, onSuccess: (answer) => answer, onTimeout: () => otherwise }),
    Effect.catchAllCause((cause) => Effect.as(Effect.logWarning("Nobody answered", cause), otherwise))
  )

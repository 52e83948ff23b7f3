/**
 * How processes ask each other: two entities beside the resource's actor. A bell has the resource's own id and is so placed where its actor is, and is
 * answered at once, while the actor is at work. That of an offering has the offering's, and is where its work is done (`once.ts`).
 */
import { Entity } from "@effect/cluster"
import { Rpc } from "@effect/rpc"
import { Effect, Layer, Option, Schema } from "effect"
import { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { answersOfOffering, answersOfResource, Bells, Remembered, within } from "../actors/bells.js"
import { actorIdle } from "../schedules.js"

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

export const bells = Layer.effect(
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

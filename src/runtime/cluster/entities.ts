/** The actors of all resources as entities of the cluster: each is in one process at a time, and takes one message at a time. */
import { ClusterSchema, Entity } from "@effect/cluster"
import { Rpc } from "@effect/rpc"
import { Effect, Layer, Schema } from "effect"
import { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { makeActor, Processed } from "../actors/actor.js"
import { Actors } from "../actors/actors.js"
import { TeamReport } from "../members/report.js"
import { Reconciled } from "../observation/reconcile.js"
import { Undone } from "../orders/leftovers.js"
import { actorIdle } from "../schedules.js"

/** Whoever asked may go away, as when the looks for orders move to another process: what was begun here goes on. */
const goesOn = ClusterSchema.Uninterruptible

const ResourceActor = Entity.make("Resource", [
  Rpc.make("Process", {
    payload: {
      offering: OfferingId,
      order: OrderId,
      /** Its project, whose turns it takes. */
      project: Schema.String,
      /** It was begun before. */
      begun: Schema.Boolean,
      /** Whoever sends it hears when it is woken: it may be parked. Earlier versions do not say so. */
      hears: Schema.optional(Schema.Boolean)
    },
    success: Processed
  }).annotate(goesOn, "client"),
  Rpc.make("Reconcile", { payload: { offering: OfferingId }, success: Reconciled }).annotate(goesOn, "client"),
  Rpc.make("SyncMembers", { payload: { offering: OfferingId }, success: Schema.Option(TeamReport) }).annotate(
    goesOn,
    "client"
  ),
  Rpc.make("UndoLeftovers", { payload: { offering: OfferingId, order: OrderId }, success: Undone }).annotate(
    goesOn,
    "client"
  )
])

const entities = (owner: string) =>
  ResourceActor.toLayer(
    Effect.gen(function* () {
      const { entityId } = yield* Entity.CurrentAddress
      const actor = yield* makeActor(ResourceId.make(entityId), owner)
      return {
        Process: ({ payload }) => actor.process(payload),
        Reconcile: ({ payload }) => actor.reconcile(payload),
        SyncMembers: ({ payload }) => actor.syncMembers(payload),
        UndoLeftovers: ({ payload }) => actor.undoLeftovers(payload)
      }
    }),
    { maxIdleTime: actorIdle, concurrency: 1, mailboxCapacity: "unbounded" }
  )

/** `owner`: what this process is called in the leases that its actors take. */
export const actors = (owner: string) =>
  Layer.effect(
    Actors,
    Effect.map(ResourceActor.client, (client) => (resource) => {
      const { Process, Reconcile, SyncMembers, UndoLeftovers } = client(resource)
      return {
        process: (asked) => Process(asked),
        reconcile: (asked) => Reconcile(asked),
        syncMembers: (asked) => SyncMembers(asked),
        undoLeftovers: (asked) => UndoLeftovers(asked)
      }
    })
  ).pipe(Layer.provideMerge(entities(owner)))

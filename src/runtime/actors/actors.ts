/**
 * The actors of all resources, wherever they are: each a mailbox that takes one message at a time.
 *
 * In one process the mailboxes are this process's own. Where several share the work, each actor is an entity of the cluster, which has it in one of
 * them at a time. What an actor does with a message is the same (`actor.ts`).
 */
import { ClusterSchema, Entity } from "@effect/cluster"
import { Rpc } from "@effect/rpc"
import { Context, Effect, Layer, type Option, Schema } from "effect"
import { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { TeamReport } from "../members/sync.js"
import { Reconciled } from "../observation/reconcile.js"
import { Undone } from "../orders/leftovers.js"
import { actorIdle, actorPatience } from "../schedules.js"
import { type Asked, type Handlers, makeActor, type Needs, Processed } from "./actor.js"
import { makeMailboxes } from "./mailboxes.js"

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

type Client = Effect.Effect.Success<typeof ResourceActor.client>
/** Nobody has the resource at the moment, or it could not be told. */
export type NotReached = Effect.Effect.Error<ReturnType<ReturnType<Client>["Process"]>>

/** What may be asked of an actor. */
export interface Actor {
  readonly process: (asked: Asked) => Effect.Effect<Processed, NotReached>
  readonly reconcile: (asked: Pick<Asked, "offering">) => Effect.Effect<Reconciled, NotReached>
  readonly syncMembers: (asked: Pick<Asked, "offering">) => Effect.Effect<Option.Option<TeamReport>, NotReached>
  readonly undoLeftovers: (asked: Pick<Asked, "offering" | "order">) => Effect.Effect<Undone, NotReached>
}

export class Actors extends Context.Tag("site-actors/runtime/Actors")<Actors, (resource: ResourceId) => Actor>() {
  /** `owner`: what this process is called in the leases that its actors take. */
  static readonly single = (owner: string) =>
    Layer.scoped(
      Actors,
      Effect.map(
        makeMailboxes<ResourceId, Handlers, Needs>((resource) => makeActor(resource, owner), {
          idle: actorIdle,
          patience: actorPatience
        }),
        ({ ask }) =>
          (resource: ResourceId) => ({
            process: (asked: Asked) => ask(resource, (actor) => actor.process(asked)),
            reconcile: (asked: Pick<Asked, "offering">) => ask(resource, (actor) => actor.reconcile(asked)),
            syncMembers: (asked: Pick<Asked, "offering">) => ask(resource, (actor) => actor.syncMembers(asked)),
            undoLeftovers: (asked: Pick<Asked, "offering" | "order">) =>
              ask(resource, (actor) => actor.undoLeftovers(asked))
          })
      )
    )

  static readonly several = (owner: string) =>
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
}

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

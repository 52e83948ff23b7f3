/**
 * The actors of all resources, wherever they are: each a mailbox that takes one message at a time.
 *
 * In one process the mailboxes are this process's own. Where several share the work, each actor is an entity of the cluster, which has it in one of
 * them at a time (`cluster/entities.ts`). What an actor does with a message is the same (`actor.ts`).
 */
import { Context, Effect, Layer, type Option } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { TeamReport } from "../members/report.js"
import type { Reconciled } from "../observation/reconcile.js"
import type { Undone } from "../orders/leftovers.js"
import { actorIdle, actorPatience } from "../schedules.js"
import { type Asked, type Handlers, makeActor, type Needs, type Processed } from "./actor.js"
import { makeMailboxes } from "./mailboxes.js"

/** Nobody has the resource at the moment, or it could not be told. */
export type NotReached = Error

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
}

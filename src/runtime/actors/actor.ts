/**
 * The actor of a resource: what it does with each message. It takes them one at a time, from a mailbox (`actors.ts`).
 *
 * It takes a lease when it starts, which ends every earlier one, and leaves memory when it has been idle. Its messages are not stored:
 * an order that was not taken is still in Waldur.
 */
import { Cause, Clock, Effect, FiberRef, Option, Ref, Schema } from "effect"
import {
  LeaseLost,
  OfferingId,
  type OrderId,
  orderPlace,
  parksAfter,
  type ResourceId,
  retried,
  wholeOrder
} from "../../core/index.js"
import { publish } from "../activity.js"
import { Journal, type OpenOrder } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import { syncMembersOf } from "../members/sync.js"
import { reconcile } from "../observation/reconcile.js"
import { Offerings } from "../offerings/offering.js"
import { undoLeftovers } from "../orders/leftovers.js"
import { processOrder } from "../orders/process.js"
import { Wakes } from "../orders/wakes.js"
import { Placement } from "../placement/index.js"
import { atWorkOn } from "../placement/stopping.js"
import { orderRetry } from "../schedules.js"
import { makeHolding } from "./holding.js"
import { PlacesInWork } from "./placesInWork.js"
import { Quarantine } from "./quarantine.js"

/**
 * `moved`: another process has the resource now. `closed`: its offering is not open (yet) in this one. `quarantined`: a defect; the order stays
 * as it is. `parkedAt`: it waits without a fiber, by a note of this start of a process, and is to be sent again when it is woken, or when its
 * resource is with another one.
 */
export const Processed = Schema.Union(
  Schema.Literal("done", "erred", "nothing to do", "moved", "closed", "quarantined"),
  Schema.Struct({ parkedAt: Schema.String })
)
export type Processed = typeof Processed.Type

/** An order that its resource's actor is to carry out. */
export interface Asked {
  readonly offering: OfferingId
  readonly order: OrderId
  /** Its project, whose turns it takes. */
  readonly project: string
  /** It was begun before. */
  readonly begun: boolean
  /** Whoever sends it hears when it is woken: it may be parked. Earlier versions do not say so. */
  readonly hears?: boolean | undefined
}

/** What may be asked of an actor, and what its work needs of its process. */
export type Handlers = Effect.Effect.Success<ReturnType<typeof makeActor>>
export type Needs =
  | Effect.Effect.Context<ReturnType<typeof makeActor>>
  | { readonly [Name in keyof Handlers]: Effect.Effect.Context<ReturnType<Handlers[Name]>> }[keyof Handlers]

/** What a defect says of itself, in one line. */
const defectOf = (cause: Cause.Cause<unknown>): string => {
  const [defect] = Cause.defects(cause)
  const text = defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect)
  return (text.split("\n")[0] ?? "").replace(/\p{Cc}/gu, "?").slice(0, 500)
}

/** What stands in the way, other than a lost lease, is logged and left for another time. */
const notNow = <A, R>(what: string, work: Effect.Effect<A, Error, R>): Effect.Effect<A | "not now", LeaseLost, R> =>
  Effect.catchAll(work, (error) =>
    error instanceof LeaseLost
      ? Effect.fail(error)
      : Effect.as(Effect.logWarning(`${what}: ${error.message}`), "not now" as const)
  )

/** A defect that left it would make the cluster run it again, for ever. */
const notNowOnDefect =
  (what: string) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A | "not now", never, R> =>
    Effect.catchAllCause(work, (cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.as(Effect.logWarning(what, cause), "not now" as const)
    )

/** `owner`: what this process is called in the leases that it takes. */
export const makeActor = (resource: ResourceId, owner: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const offerings = yield* Offerings
    const quarantine = yield* Quarantine
    const places = yield* PlacesInWork
    const placement = yield* Placement
    const wakes = yield* Wakes
    const holding = yield* makeHolding(resource, owner)
    /** In the journal too, for whoever asks while the agent runs or is stopped. The stack stays in the log. */
    const recordQuarantine = (order: OrderId, lease: Lease, reason: string) =>
      Effect.flatMap(journal.order(order, lease), (own) => own.append(wholeOrder, "quarantined", reason)).pipe(
        Effect.catchAll((error) => Effect.logWarning(error.message))
      )
    const quarantined = (offering: OfferingId, order: OrderId, lease: Lease, cause: Cause.Cause<unknown>) =>
      Effect.gen(function* () {
        const reason = Cause.pretty(cause)
        const { name } = (yield* Ref.get(offerings)).get(offering) ?? { name: offering }
        yield* Effect.logError(`Quarantined: a defect in the handler of order ${order}`, cause).pipe(
          Effect.annotateLogs({ order, resource, offering: name })
        )
        yield* quarantine.put({ resource, order, reason, since: yield* Clock.currentTimeMillis })
        yield* recordQuarantine(order, lease, defectOf(cause))
        yield* publish({ _tag: "Order", order, resource, offering, event: "quarantined", detail: reason })
        return "quarantined" as const
      })
    /**
     * What was begun here and has not ended comes first, in whatever order messages arrive: an order that somebody ended in Waldur while no
     * agent ran may have to be undone before the next one is begun.
     */
    const begunHere = (order: OrderId) =>
      journal.openOrdersOf(resource).pipe(
        Effect.map((open) => {
          const self = open.find((one) => one.order === order)
          return { self, before: self === undefined ? open : [] }
        }),
        retried(orderRetry),
        Effect.orDie
      )
    return {
      undoLeftovers: ({ offering: id, order }: Pick<Asked, "offering" | "order">) =>
        Effect.gen(function* () {
          const offering = (yield* Ref.get(offerings)).get(id)
          if (offering === undefined || (yield* quarantine.holds(resource))) return "not now" as const
          const undone = yield* holding.under((lease) =>
            notNow(`Leftovers of order ${order} stay for now`, undoLeftovers(offering, order, lease))
          )
          return undone === "moved" ? ("not now" as const) : undone
        }).pipe(notNowOnDefect(`Leftovers of order ${order} stay for now`)),
      // Also of a resource in quarantine: whoever left the team has to lose access.
      syncMembers: ({ offering: id }: Pick<Asked, "offering">) =>
        Effect.gen(function* () {
          const offering = (yield* Ref.get(offerings)).get(id)
          if (offering === undefined) return Option.none()
          const synchronised = yield* holding.under(() =>
            notNow("Members stay as they are for now", syncMembersOf(offering, resource))
          )
          return typeof synchronised === "string" ? Option.none() : synchronised
        }).pipe(
          Effect.annotateLogs({ resource, part: "members" }),
          notNowOnDefect("Members stay as they are for now"),
          Effect.map((answer) => (answer === "not now" ? Option.none() : answer))
        ),
      reconcile: ({ offering: id }: Pick<Asked, "offering">) =>
        Effect.gen(function* () {
          const offering = (yield* Ref.get(offerings)).get(id)
          if (offering === undefined || (yield* quarantine.holds(resource))) return "not now" as const
          const reconciled = yield* holding.under((lease) =>
            notNow(`Resource ${resource} is left for the next look`, reconcile(offering, resource, lease))
          )
          return reconciled === "moved" ? ("not now" as const) : reconciled
        }).pipe(notNowOnDefect(`Resource ${resource} is left for the next look`)),
      process: ({ begun, hears = false, offering: id, order, project }: Asked) =>
        Effect.gen(function* () {
          const offering = (yield* Ref.get(offerings)).get(id)
          if (offering === undefined) return "closed" as const
          if (yield* quarantine.holds(resource)) return "nothing to do" as const
          // Asked for by somebody who does not know that it waits here: what wakes it takes its note away first.
          const waits = (one: OrderId) => hears && wakes.isParked(one)
          if (waits(order)) return { parkedAt: placement.self }
          return yield* holding.under((lease) => {
            const carryOut = (one: OrderId, of = offering) =>
              waits(one)
                ? Effect.succeed("parked" as const)
                : Effect.suspend(() => {
                    wakes.taken(one)
                    return processOrder(of, one, lease)
                  }).pipe(
                    // A defect that left the handler would make the cluster run it again, for ever.
                    Effect.catchAllCause((cause) =>
                      Cause.isDie(cause) ? quarantined(of.id, one, lease, cause) : Effect.failCause(cause)
                    )
                  )
            return Effect.gen(function* () {
              // Its fiber is its own, and ends with it.
              yield* FiberRef.set(orderPlace, places.of(id).placeOf(resource))
              yield* FiberRef.set(parksAfter, hears ? places.parksAfter : Number.POSITIVE_INFINITY)
              const open = yield* Ref.get(offerings)
              const own = (one: OpenOrder) => open.get(OfferingId.make(one.offering))
              const { before, self } = yield* begunHere(order)
              for (const earlier of before) {
                // A resource may have been moved to another offering meanwhile: what was begun for the first is carried out by that.
                const of = own(earlier)
                if (of === undefined) {
                  yield* Effect.logDebug(
                    `Order ${order} waits for order ${earlier.order} of the same resource, whose offering ${earlier.offering} is not open here`
                  )
                  return "nothing to do" as const
                }
                const ended = yield* carryOut(earlier.order, of)
                // While one is parked the resource's next has to wait; it is asked for again at the next look.
                if (ended === "quarantined" || ended === "parked") return "nothing to do" as const
              }
              if (self !== undefined && own(self) === undefined) return "closed" as const
              const ended = yield* carryOut(order, self === undefined ? offering : own(self))
              return ended === "parked" ? { parkedAt: placement.self } : ended
            })
          })
        }).pipe(places.within(id, resource, { turn: project, begun }), atWorkOn(order))
    }
  })

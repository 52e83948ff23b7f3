/**
 * From "there is work" to the actor that does it.
 *
 * At most one order of a resource is on its way at a time, the oldest, and of each offering only so many as have places (`places.ts`); the
 * rest waits in Waldur, and as ids here. Nobody awaits an actor here: a provisioning that takes an hour must not hold up the next look at the
 * queue.
 *
 * A parked order (`core/saga/park.ts`) is a note in the process where its actor was, and an entry here that says which process that is. It is sent
 * again when that process says that it was woken, or when its resource is with another one (docs/decisions/0047-parked-orders.md).
 */
import { Array, Context, Duration, Effect, FiberMap, FiberSet, Layer, Schedule, type Scope } from "effect"
import type { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { Standings } from "../offerings/standing.js"
import { Wakes } from "../orders/wakes.js"
import { Placement } from "../placement/index.js"
import { Stopping } from "../placement/stopping.js"
import { moveRest, parkedRound } from "../schedules.js"
import type { Processed } from "./actor.js"
import { Actors } from "./actors.js"
import { Bells } from "./bells.js"
import { tellTogether } from "./goneBack.js"
import { makeMoves } from "./moves.js"
import { lentFor } from "./places.js"
import { PlacesInWork } from "./placesInWork.js"
import { Quarantine } from "./quarantine.js"
import { untilHeard } from "./woken.js"

export interface Work {
  readonly offering: OfferingId
  readonly order: OrderId
  readonly resource: ResourceId
  /** Whose turns it takes when many wait: its project. */
  readonly project?: string
  /** It was begun before, and goes before what was not. */
  readonly begun?: boolean
}

/** Looks for a resource's orders. */
export type Look = (resource: ResourceId) => Effect.Effect<void>
/** Is told that an order of the resource was done. */
export type Done = (resource: ResourceId) => Effect.Effect<void>

interface AtWork {
  readonly work: Work
  /** Another one of its resource waits. */
  hasNext: boolean
  readonly look: Look
  /** The start of a process whose actor has let go of it; it is sent again when it is woken. */
  parkedAt: string | undefined
  /** An order of the resource that was woken while this one was on its way. */
  woken: OrderId | undefined
}

/** What the look at the whole queue of an offering has found. */
export interface Seen {
  /** By Waldur. */
  readonly listed: ReadonlySet<OrderId>
  /** Begun here and not ended, by the journal. */
  readonly open: ReadonlySet<OrderId>
}

export class Dispatch extends Context.Tag("site-actors/runtime/Dispatch")<
  Dispatch,
  {
    /**
     * Sends each resource's first order to its actor, unless one is there already: at once, or when there is a place. `work` is in the order
     * in which it was placed.
     * `look` is run when an order has ended and its resource has another one waiting, also one that came in the meantime.
     */
    readonly send: (work: ReadonlyArray<Work>, look: Look) => Effect.Effect<void>
    /** Forgets parked orders that are over, and wakes those that somebody has ended in Waldur: once each. */
    readonly seen: (offering: OfferingId, what: Seen) => Effect.Effect<void>
    /** Wakes those of these that are parked: somebody has ended them in Waldur. Once each. */
    readonly ended: (offering: OfferingId, orders: ReadonlySet<OrderId>) => Effect.Effect<void>
    /**
     * This process looks for the offering's orders until the scope closes: another one keeps those that are parked from then on. `done` is told of each
     * resource whose order was done, in whichever process, and waited for by nobody.
     */
    readonly attended: (offering: OfferingId, done: Done) => Effect.Effect<void, never, Scope.Scope>
  }
>() {
  static readonly layer = Layer.scoped(
    Dispatch,
    Effect.flatMap(Actors, (actor) =>
      makeDispatch(({ begun = false, offering, order, project = "", resource }) =>
        actor(resource).process({ offering, order, project, begun, hears: true })
      )
    )
  )
}

/** `process`: has an order carried out by its resource's actor, wherever that is. */
export const makeDispatch = (process: (work: Work) => Effect.Effect<Processed, unknown>) =>
  Effect.gen(function* () {
    const { word } = yield* Stopping
    yield* Effect.addFinalizer(() => word.give)
    const run = yield* FiberSet.makeRuntime<never>()
    const sweepers = yield* FiberMap.make<OfferingId>()
    const quarantine = yield* Quarantine
    const places = yield* PlacesInWork
    const placement = yield* Placement
    const standings = yield* Standings
    const bells = yield* Bells
    const wakes = yield* Wakes
    /** The order that each resource's actor has or shall have, and what to do when it has ended: set as soon as another one waits. */
    const atWork = new Map<ResourceId, AtWork>()
    const goesBack = tellTogether(run)
    /** Offerings whose orders another process looks for now. */
    const left = new Set<OfferingId>()
    const heard = new Map<OfferingId, Done>()
    /** Looked for once when Waldur did not list them any more. */
    const missed = new Set<OrderId>()
    const forget = (own: AtWork): void => {
      missed.delete(own.work.order)
      if (atWork.get(own.work.resource) === own) atWork.delete(own.work.resource)
    }

    const one = (own: AtWork): Effect.Effect<void> => {
      const { offering, order, resource } = own.work
      return process(own.work).pipe(
        Effect.tap((processed) => {
          if (processed === "done" || processed === "erred") {
            if (processed === "done") run(heard.get(offering)?.(resource) ?? Effect.void)
            return Effect.suspend(() => (own.hasNext ? own.look(resource) : Effect.void))
          }
          if (typeof processed === "object") {
            own.parkedAt = processed.parkedAt
            moves.parked(resource, processed.parkedAt)
          }
          return processed === "moved" || processed === "closed" ? soon(own) : Effect.void
        }),
        Effect.catchAllCause((cause) => Effect.zipRight(goesBack(order, cause), soon(own))),
        Effect.ensuring(
          Effect.zipRight(
            places.sent(offering).free(resource),
            Effect.suspend(() => {
              if (own.parkedAt !== undefined && !left.has(offering)) {
                return own.woken === undefined ? Effect.void : again(own)
              }
              forget(own)
              // Of another order than this one nobody else knows that it waits.
              return own.woken === undefined || own.woken === order ? Effect.void : lookAgain(offering)
            })
          )
        ),
        Effect.asVoid
      )
    }

    const queue = (own: AtWork, begun: boolean) => {
      const { offering, project = "", resource } = own.work
      return places.sent(offering).queue(resource, { turn: project, begun, start: () => void run(one(own)) })
    }

    const lookAgain = (offering: OfferingId) => Effect.flatMap(standings.of(offering), ({ wake }) => wake)

    /** A parked order goes to its actor once more: it was begun before. */
    const again = (own: AtWork) =>
      Effect.suspend(() => {
        own.parkedAt = undefined
        own.woken = undefined
        return queue(own, true)
      })

    wakes.sender(({ offering, order, resource }) =>
      Effect.suspend(() => {
        const own = atWork.get(resource)
        if (own === undefined) return lookAgain(offering)
        if (own.parkedAt !== undefined && own.work.order === order) return again(own)
        // Before its actor's answer was here.
        own.woken = order
        return Effect.void
      })
    )

    const tellSender = untilHeard(run, bells)
    wakes.listen((what) => (placement.several ? tellSender(what) : void run(wakes.send(what))))

    const moves = makeMoves(placement, wakes, { all: () => [...atWork.values()], again })
    if (placement.several) yield* Effect.forkScoped(Effect.repeat(moves.follow, Schedule.spaced(parkedRound)))

    /**
     * The actor moves to another process, or its offering is not open there yet. Not a matter of the next look, which may be a minute away.
     * In one process there is no other.
     */
    const soon = ({ look, work }: AtWork): Effect.Effect<void> =>
      placement.several ? Effect.sync(() => void run(Effect.delay(look(work.resource), moveRest))) : Effect.void

    /** While orders wait for a place, looks whether one was lent for too long. */
    const sweep = (offering: OfferingId) =>
      places
        .sent(offering)
        .look.pipe(
          Effect.delay(Duration.millis(lentFor)),
          Effect.repeat({ until: () => places.sent(offering).isEmpty() }),
          Effect.asVoid
        )

    const begin = (work: Work, hasNext: boolean, look: Look) =>
      Effect.suspend(() => {
        const { begun = false, offering, resource } = work
        if (atWork.has(resource)) return Effect.void
        const own: AtWork = { work, hasNext, look, parkedAt: undefined, woken: undefined }
        atWork.set(resource, own)
        return Effect.zipRight(
          queue(own, begun),
          Effect.unless(FiberMap.run(sweepers, offering, sweep(offering), { onlyIfMissing: true }), () =>
            places.sent(offering).isEmpty()
          )
        )
      })

    const parkedOf = (offering: OfferingId): ReadonlyArray<AtWork> =>
      [...atWork.values()].filter(({ parkedAt, work }) => parkedAt !== undefined && work.offering === offering)

    /** They find out what has become of them. */
    const wakeOnce = (gone: ReadonlyArray<AtWork>) =>
      Effect.forEach(
        gone.filter(({ work }) => !missed.has(work.order)),
        ({ work: { order, resource } }) => {
          missed.add(order)
          return bells.wake(resource, order)
        },
        { discard: true }
      )

    const noteWaiting = (work: ReadonlyArray<Work>): void => {
      for (const { order, resource } of work) {
        const now = atWork.get(resource)
        if (now !== undefined && now.work.order !== order) now.hasNext = true
      }
    }

    return Dispatch.of({
      send: (work, look) =>
        Effect.zipRight(
          Effect.sync(() => noteWaiting(work)),
          Effect.suspend(() =>
            Effect.forEach(
              // Each look finds all that waits once more. `begin` asks again, as others may have begun it by then.
              perResource(work).filter(([oldest]) => !atWork.has(oldest.resource)),
              ([oldest, ...waiting]) =>
                Effect.unlessEffect(begin(oldest, waiting.length > 0, look), quarantine.holds(oldest.resource)),
              { discard: true }
            )
          )
        ),
      seen: (offering, { listed, open }) =>
        Effect.suspend(() => {
          const gone: Array<AtWork> = []
          for (const own of parkedOf(offering)) {
            const { order, resource } = own.work
            if (listed.has(order)) continue
            if (open.has(order)) gone.push(own)
            else {
              forget(own)
              if (own.hasNext) run(own.look(resource))
            }
          }
          return wakeOnce(gone)
        }),
      ended: (offering, orders) =>
        Effect.suspend(() =>
          orders.size === 0 ? Effect.void : wakeOnce(parkedOf(offering).filter(({ work }) => orders.has(work.order)))
        ),
      attended: (offering, done) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            left.delete(offering)
            heard.set(offering, done)
          }),
          () =>
            Effect.sync(() => {
              left.add(offering)
              heard.delete(offering)
              for (const own of parkedOf(offering)) forget(own)
            })
        )
    })
  })

const perResource = (work: ReadonlyArray<Work>): ReadonlyArray<Array.NonEmptyReadonlyArray<Work>> =>
  Object.values(Array.groupBy(work, (item) => item.resource))

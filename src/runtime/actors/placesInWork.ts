/**
 * The places of all offerings of this process: dispatch lends them, and an actor's order steps aside from its own.
 *
 * One of several processes sends orders to actors elsewhere too, and has orders sent by others. There an order takes a place where it is worked
 * on, and dispatch only limits how many it has sent.
 */
import { Context, Deferred, Duration, Effect, FiberId, Layer } from "effect"
import type { OfferingId, ResourceId } from "../../core/index.js"
import { Placement } from "../placement/index.js"
import { Stopping, stoppable, type WordHeard } from "../placement/stopping.js"
import { type Candidate, lentFor, makePlaces, ordersInWork, type Places } from "./places.js"

/** Of one offering, by the process that looks for its orders: in work and waiting for a place, in all processes together. */
const ordersSent = 8 * ordersInWork

const perOffering = (size: number) => {
  const all = new Map<OfferingId, Places<ResourceId>>()
  return (offering: OfferingId): Places<ResourceId> => {
    const known = all.get(offering)
    if (known !== undefined) return known
    const made = makePlaces<ResourceId>(size)
    all.set(offering, made)
    return made
  }
}

export class PlacesInWork extends Context.Tag("site-actors/runtime/PlacesInWork")<
  PlacesInWork,
  {
    /** In which this process's actors work. */
    readonly of: (offering: OfferingId) => Places<ResourceId>
    /** Of those that dispatch sends. In one process: the same. */
    readonly sent: (offering: OfferingId) => Places<ResourceId>
    /** Does an actor's work in a place, unless dispatch has lent it one already. */
    readonly within: (
      offering: OfferingId,
      resource: ResourceId,
      about: Omit<Candidate, "start">
    ) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** ms, as `core/saga/park.ts` has it. */
    readonly parksAfter: number
  }
>() {
  static readonly layer = (parksAfter: number) =>
    Layer.effect(
      PlacesInWork,
      Effect.map(Effect.all([Placement, Stopping]), ([{ several }, { word }]) => {
        const of = perOffering(ordersInWork)
        return {
          of,
          sent: several ? perOffering(ordersSent) : of,
          within: (offering, resource, about) => (work) =>
            several ? inPlace(of(offering), { resource, about, word }, work) : work,
          parksAfter
        }
      })
    )
}

interface Waiting {
  readonly resource: ResourceId
  readonly about: Omit<Candidate, "start">
  /** Of this process's end: nobody waits for a place any more. */
  readonly word: WordHeard
}

const inPlace = <A, E, R>(
  places: Places<ResourceId>,
  { about, resource, word }: Waiting,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => {
      const turn = Deferred.unsafeMake<void>(FiberId.none)
      const start = () => Deferred.unsafeDone(turn, Effect.void)
      return Effect.as(places.queue(resource, { ...about, start }), Deferred.await(turn))
    }),
    (turn) =>
      Effect.zipRight(
        // Whether a place was lent for too long is only seen by whoever looks.
        stoppable(word)(Effect.raceFirst(turn, Effect.forever(Effect.delay(places.look, Duration.millis(lentFor))))),
        work
      ),
    () => places.free(resource)
  )

/**
 * A resource's event: the resource is read as it is now. If it stands otherwise in Waldur than at the last look, its actor looks at it at
 * once (paused, opened again, erred by hand); if it is new, or was opened or closed to its team, its members are synchronised.
 *
 * Waldur tells of pauses, downscaling and closed teams alone, and of what it has not heard of for an hour (source: waldur-mastermind,
 * marketplace_site_agent/handlers.py and tasks.py). While an order is in work there is nothing to do. What is missed, the next look at all resources finds.
 */
import { Effect, Option, Schema } from "effect"
import { type OfferingId, ResourceId, standingOf } from "../../core/index.js"
import type { ProviderResource } from "../../waldur/index.js"
import { makeGathering } from "../gathering.js"
import { Journal } from "../journal/journal.js"
import { isSettled, Looks, Observations } from "../observation/index.js"
import type { Offering } from "../offerings/offering.js"
import type { MembersTold } from "../rounds/members.js"
import { resourceBurst } from "../schedules.js"

const isResourceId = Schema.is(ResourceId)

/** Completes when members are synchronised; the look goes on in the background. */
export const resourceEvents = (offering: Offering, members: MembersTold | undefined) =>
  makeGathering(resourceBurst, (uuids: ReadonlyArray<string>) =>
    Effect.forEach(new Set(uuids.filter(isResourceId)), (id) => about(offering, members, id), {
      concurrency: "unbounded",
      discard: true
    })
  )

const about = (offering: Offering, members: MembersTold | undefined, id: ResourceId) =>
  Effect.gen(function* () {
    yield* offering.health.passed
    const found = yield* offering.waldur.resource(id)
    if (!Option.contains(found.offeringUuid, offering.id)) return
    if (isSettled(found) && (yield* standsOtherwise(offering.id, found, id))) yield* (yield* Looks).at(offering.id, id)
    yield* members?.resource(found) ?? Effect.void
  }).pipe(
    Effect.catchAll((error) => Effect.logDebug(`Resource ${id} is left for the next look: ${error.message}`)),
    Effect.annotateLogs({ offering: offering.name })
  )

/** Than at the last look at all resources. One that was never looked at was made by an order, and is active; or it was imported. */
const standsOtherwise = (offering: OfferingId, found: ProviderResource, id: ResourceId) =>
  Effect.gen(function* () {
    const before = yield* Observations.one(id)
    const isOtherwise = yield* Option.match(before, {
      onNone: () =>
        Effect.map(
          Observations.wasOffered(
            offering,
            Option.getOrElse(found.backendId, () => "")
          ),
          (imported) => imported || standingOf(found) !== "active"
        ),
      onSome: ({ marketplaceState, standing }) =>
        Effect.succeed(marketplaceState !== found.state || standing !== standingOf(found))
    })
    if (!isOtherwise) return false
    return (yield* (yield* Journal).openOrdersOf(id)).length === 0
  })

/** The broker of events, tried as the agent would use it: the queue is asked for, and subscribed to for a moment. */
import { Effect, type Scope } from "effect"
import type { SiteError } from "../../core/errors.js"
import { brokerUrl, isUnsupported, type ObjectType, probeEvents, type WaldurService } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"
import { heardTypes } from "../events/handlers.js"
import { brokerPlace } from "../events/place.js"
import { type Finding, failed, ok, warning } from "./row.js"

/** The type that is tried: one of those that the agent listens to. All go the same way. */
const triedType = ({ functions }: OfferingConfig): ObjectType | undefined =>
  functions.orders ? "order" : functions.membership ? "user_role" : undefined

/** None where the offering has no events. */
export const eventsFinding = (
  offering: OfferingConfig,
  waldur: Effect.Effect<WaldurService, SiteError, Scope.Scope>
): Effect.Effect<ReadonlyArray<Finding>, SiteError, Scope.Scope> =>
  Effect.gen(function* () {
    const type = triedType(offering)
    if (!offering.events.enabled || type === undefined) return []
    const service = yield* waldur
    // For the same types as the agent's, which may be running: what is asked for holds for its queue.
    const one = service.oneEventQueue(offering.id, heardTypes(offering.functions))
    const queue = yield* Effect.orElse(one, () => service.eventQueue(offering.id, type)).pipe(
      Effect.catchIf(
        (error) => error._tag !== "OfferingFault" && isUnsupported(error),
        () => Effect.succeed("unsupported" as const)
      )
    )
    if (queue === "unsupported") {
      return [
        warning("events", "This Waldur has no events: orders are found by polling, and stomp_enabled has no effect.")
      ]
    }
    const url = brokerUrl(offering.waldur.apiUrl, brokerPlace(offering))
    const found = yield* probeEvents({ url, transport: offering.waldur, queue })
    return [found.ok ? ok("events", found.detail) : failed("events", found.detail)]
  })

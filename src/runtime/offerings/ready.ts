/** Which offerings of the configuration are ready: the facts, gathered where they are, for `readiness.ts` to answer by. */
import { Clock, Duration, Effect, Option, Ref, SubscriptionRef } from "effect"
import type { OfferingReadiness } from "../../api/index.js"
import type { Config, OfferingConfig } from "../config/index.js"
import { JournalHealth } from "../journal/health.js"
import { Offerings } from "./offering.js"
import { Pausings } from "./pausings.js"
import { type Facts, readinessOf } from "./readiness.js"
import { Standings } from "./standing.js"

/** Three times the longest pause between two looks, and half a minute for a slow Waldur. */
const passDue = (config: Config, { events }: OfferingConfig): number =>
  3 * Duration.toMillis(events.enabled ? config.eventsPollInterval : config.pollInterval) + 30_000

export const factsOf = (config: Config, offering: OfferingConfig): Effect.Effect<Facts, never, Offerings | Standings> =>
  Effect.gen(function* () {
    const standing = yield* (yield* Standings).of(offering.id)
    const open = (yield* Ref.get(yield* Offerings)).get(offering.id)
    const consumers = yield* Effect.forEach(standing.consumers, ({ status }) => SubscriptionRef.get(status))
    const health =
      open === undefined
        ? undefined
        : {
            status: yield* SubscriptionRef.get(open.health.status),
            away: yield* open.health.away,
            rivals: yield* open.health.rivals
          }
    const pausings = yield* Effect.serviceOption(Pausings)
    const journal = yield* Effect.serviceOption(JournalHealth)
    const paused = Option.isNone(pausings) ? undefined : (yield* pausings.value.all).get(offering.id)
    return {
      uuid: offering.id,
      name: offering.name,
      backendType: offering.plugin.type,
      waldurUrl: offering.waldur.apiUrl,
      health,
      standing,
      wantsOrders: offering.functions.orders && !standing.elsewhere,
      wantsEvents: offering.events.enabled && offering.functions.orders && !standing.elsewhere,
      consumers,
      journal: Option.isNone(journal) ? undefined : yield* journal.value.away,
      paused,
      passDue: passDue(config, offering)
    }
  })

export const readiness = (
  config: Config
): Effect.Effect<ReadonlyArray<OfferingReadiness>, never, Offerings | Standings> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.forEach(config.offerings, (offering) =>
      Effect.map(factsOf(config, offering), (facts) => readinessOf(facts, now))
    )
  )

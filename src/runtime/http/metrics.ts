/** `/metrics` for Prometheus: what was counted, and what is looked up now. Nothing secret in it, nothing of a customer. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Clock, Effect } from "effect"
import { healthApi } from "../../api/index.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config } from "../config/index.js"
import { Journal } from "../journal/journal.js"
import { Metrics, type OfferingFacts, processText } from "../metrics/index.js"
import type { Offerings } from "../offerings/offering.js"
import { type Facts, readinessOf } from "../offerings/readiness.js"
import { factsOf } from "../offerings/ready.js"
import type { Standings } from "../offerings/standing.js"
import { reachNow } from "../placement/index.js"
import { version } from "../version.js"

type Asked = Quarantine | Offerings | Standings

/** What an undo could not remove. A journal that cannot be read must not hide the rest. */
export const leftoversInJournal: Effect.Effect<number, never, Journal> = Effect.flatMap(Journal, ({ leftovers }) =>
  Effect.map(
    Effect.orElseSucceed(leftovers, () => []),
    ({ length }) => length
  )
)

const stateOf = ({ health }: Facts): OfferingFacts["state"] => {
  switch (health?.status._tag) {
    case undefined:
      return "closed"
    case "Ok":
      return "ok"
    case "Degraded":
      return "degraded"
    case "Stopped":
      return "stopped"
  }
}

const offeringFacts = (label: string, facts: Facts, now: number): OfferingFacts => ({
  offering: label,
  uuid: facts.uuid,
  backendType: facts.backendType,
  ready: readinessOf(facts, now).ready,
  state: stateOf(facts),
  consumers: facts.consumers
    .filter(({ supported }) => supported)
    .map(({ connectedSince, events, held, objectType, reconnects, unreadable }) => ({
      objectType,
      connected: connectedSince !== undefined,
      events,
      held,
      reconnects,
      unreadable
    }))
})

/** Everything that the agent measures, in Prometheus' text format. */
const metricsText = <R>(
  config: Config,
  leftovers: Effect.Effect<number, never, R>
): Effect.Effect<string, never, Asked | R> =>
  Effect.gen(function* () {
    const metrics = yield* Metrics
    const now = yield* Clock.currentTimeMillis
    const facts = yield* Effect.forEach(config.offerings, (offering) => factsOf(config, offering))
    const gauges = {
      offerings: facts.map((one) => offeringFacts(metrics.labelOf(one.uuid), one, now)),
      leftovers: yield* leftovers,
      quarantined: (yield* (yield* Quarantine).all).length,
      reach: yield* reachNow,
      version
    }
    const [own, ofProcess] = yield* Effect.promise(() => Promise.all([metrics.text(gauges), processText()]))
    return `${own}\n${ofProcess}`
  })

export const metricsLive = <R>(config: Config, leftovers: Effect.Effect<number, never, R>) =>
  HttpApiBuilder.group(healthApi, "metrics", (handlers) =>
    Effect.map(Effect.context<Asked | R>(), (context) =>
      handlers.handle("scrape", () => Effect.provide(metricsText(config, leftovers), context))
    )
  )

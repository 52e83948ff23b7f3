/** How all is, in one answer: figures, servers, and what somebody should look at, the worst first. */
import { Clock, Effect } from "effect"
import type { OfferingState, Overview, Server } from "../../api/index.js"
import { Recorder } from "../activity/recorder.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config, OfferingConfig } from "../config/index.js"
import { type Facts, readinessOf, withoutAddress } from "../offerings/readiness.js"
import { factsOf } from "../offerings/ready.js"
import { reachNow } from "../placement/index.js"
import { version } from "../version.js"
import { troublesOf } from "./attention.js"
import { midnight } from "./clock.js"
import { openOffering } from "./facts.js"
import { noOrders, orderCounts, resourceCounts, retriesSince, sumOf } from "./figures.js"

const tenMinutes = 600_000
const hour = 3_600_000

const stateOf = (facts: Facts): { readonly state: OfferingState; readonly since: number | null } => {
  const { health, paused, standing } = facts
  if (health === undefined) return { state: "closed", since: standing.since }
  const since = health.status._tag === "Ok" ? standing.since : health.status.since
  if (health.status._tag === "Stopped") return { state: "stopped", since }
  if (paused !== undefined) return { state: "paused", since: paused.since }
  if (health.away.size > 0) return { state: "waits", since }
  return { state: health.status._tag === "Degraded" ? "slow" : "ok", since }
}

/** Each server once, however many offerings rest on it. */
const serversOf = (
  about: ReadonlyArray<{ readonly config: OfferingConfig; readonly facts: Facts; readonly place: string | undefined }>
) => {
  const servers = new Map<string, Server>()
  const add = (url: string, system: string, offering: string, reason: string | undefined) => {
    const known = servers.get(url)
    servers.set(url, {
      url,
      system: known?.system ?? system,
      breaker: reason !== undefined || known?.breaker === "open" ? "open" : "closed",
      reason: reason === undefined ? (known?.reason ?? "") : withoutAddress(url, reason),
      offerings: [...new Set([...(known?.offerings ?? []), offering])]
    })
  }
  for (const { config, facts, place } of about) {
    const away = facts.health?.away ?? new Map<string, string>()
    add(facts.waldurUrl, "waldur", config.name, away.get(facts.waldurUrl))
    // "opennebula-vdc" stands on "opennebula".
    const system = facts.backendType.split("-")[0] ?? facts.backendType
    if (place !== undefined) add(place, system, config.name, away.get(place))
    for (const [url, reason] of away)
      if (url !== facts.waldurUrl && url !== place) add(url, system, config.name, reason)
  }
  return [...servers.values()]
}

/** `started`: when the process did. */
export const overviewOf = (config: Config, started: number) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const recorder = yield* Recorder
    const counts = yield* orderCounts(midnight(config.timezone, now))
    const { differing, leftovers, resources } = yield* resourceCounts
    const quarantined = yield* (yield* Quarantine).all
    const about = yield* Effect.forEach(config.offerings, (offering) =>
      Effect.gen(function* () {
        const facts = yield* factsOf(config, offering)
        const place = (yield* openOffering(offering.id))?.backend.upkeep?.place
        return { config: offering, facts, place }
      })
    )
    const offerings = about.map(({ config: { id }, facts }) => ({
      ...readinessOf(facts, now),
      ...stateOf(facts),
      paused:
        facts.paused === undefined
          ? null
          : { by: facts.paused.who, reason: facts.paused.reason, since: facts.paused.since },
      orders: counts.get(id) ?? noOrders,
      resources: resources.get(id) ?? 0
    }))
    const servers = serversOf(about)
    const cutOffs = (yield* reachNow)?.cutOffs ?? []
    const overview: Overview = {
      now,
      version,
      started,
      troubles: yield* troublesOf({ offerings, servers, quarantined, cutOffs, now }),
      offerings,
      orders: sumOf(counts.values()),
      servers,
      systems: recorder.windows.systems.map((system) => ({
        system,
        ...recorder.windows.window(system, now - tenMinutes, now)
      })),
      retries: yield* retriesSince(now - hour),
      leftovers,
      quarantined: quarantined.length,
      differing,
      resources: [...resources.values()].reduce((sum, count) => sum + count, 0)
    }
    return overview
  })

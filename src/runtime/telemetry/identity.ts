/**
 * Tells Waldur who the agent is and that it lives: an identity in each offering, a service for each thing that it does there, and how it goes.
 *
 * Names and modes are the Python agent's, so that whoever looks finds them where they were. A Waldur without these calls is asked again
 * every hour; whatever else goes wrong is said once and tried again.
 */
import { Clock, type Duration, Effect, FiberRef, Option, Ref } from "effect"
import type { AgentAbout } from "../../waldur/index.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config, OfferingConfig } from "../config/index.js"
import { Journal } from "../journal/journal.js"
import type { Offering } from "../offerings/offering.js"
import { readiness } from "../offerings/ready.js"
import { version } from "../version.js"
import { aboutSending, type Line, LogLines } from "./lines.js"
import { lastWords, shipAll } from "./ship.js"

/** When: orders go first at a start. */
export interface TellingTimes {
  readonly first: Duration.DurationInput
  readonly every: Duration.DurationInput
  readonly unsupported: Duration.DurationInput
}
export const tellingTimes: FiberRef.FiberRef<TellingTimes> = FiberRef.unsafeMake<TellingTimes>({
  first: "5 seconds",
  every: "5 minutes",
  unsupported: "1 hour"
})

interface Service {
  /** Also its mode. */
  readonly name: "order_process" | "report" | "membership_sync" | "event_process"
  /** None: it is a way to hear of work, not work. */
  readonly processor: string | undefined
}

const servicesOf = ({ events, functions }: OfferingConfig): ReadonlyArray<Service> => [
  ...(functions.orders ? [{ name: "order_process", processor: "OfferingOrderProcessor" } as const] : []),
  ...(functions.reports ? [{ name: "report", processor: "OfferingReportProcessor" } as const] : []),
  ...(functions.membership ? [{ name: "membership_sync", processor: "OfferingMembershipProcessor" } as const] : []),
  ...(events.enabled ? [{ name: "event_process", processor: undefined } as const] : [])
]

/** Never ends and never fails. At the end of its scope it sends what the log has said until then. */
export const tellWaldur = (config: Config, offering: OfferingConfig, opened: Offering) =>
  Effect.gen(function* () {
    if (!config.agentIdentity) return
    const identity = yield* Ref.make<string | undefined>(undefined)
    const lines = yield* Effect.serviceOption(LogLines)
    const startedAt = yield* Clock.currentTimeMillis
    const { first } = yield* FiberRef.get(tellingTimes)
    if (Option.isSome(lines)) {
      const wasTold = yield* Ref.make("")
      const ship = shipAll(
        { waldur: opened.waldur, lines: lines.value, isOurs: oursOf(config, offering), identity },
        wasTold
      )
      yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(Effect.interruptible(ship), lastWords)))
      yield* Effect.forkScoped(Effect.forever(Effect.delay(ship, config.logShipping.interval)))
    }
    yield* Effect.delay(rounds(config, offering, opened, identity, startedAt), first)
  }).pipe(Effect.annotateLogs({ offering: offering.name }))

/** Lines about no offering are told once, where the first one is sold: another marketplace has no business with them. */
const oursOf = ({ offerings }: Config, { name }: OfferingConfig): ((line: Line) => boolean) => {
  const names = new Set(offerings.map((offering) => offering.name))
  const isFirst = offerings[0]?.name === name
  return (line) => line.offering === name || (isFirst && (line.offering === undefined || !names.has(line.offering)))
}

const rounds = (
  config: Config,
  offering: OfferingConfig,
  opened: Offering,
  identity: Ref.Ref<string | undefined>,
  startedAt: number
) =>
  Effect.gen(function* () {
    const { every, unsupported } = yield* FiberRef.get(tellingTimes)
    const wasTold = yield* Ref.make("")
    const once = (what: string, log: (what: string) => Effect.Effect<void>) =>
      Effect.flatMap(Ref.getAndSet(wasTold, what), (before) => (before === what ? Effect.logDebug(what) : log(what)))
    const round = Effect.gen(function* () {
      const known = yield* Ref.get(identity)
      const own = known ?? (yield* opened.waldur.agent.register(opened.id, aboutAgent(startedAt)))
      if (own === "unsupported") {
        yield* once("This Waldur knows no agents: it is not told of this one.", Effect.logInfo)
        return unsupported
      }
      yield* Ref.set(identity, own)
      const figures = yield* figuresOf(config, offering)
      yield* Effect.forEach(servicesOf(offering), (service) => report(offering, opened, own, service, figures), {
        discard: true
      })
      yield* Ref.set(wasTold, "")
      return every
    }).pipe(
      Effect.catchAll((error) =>
        // Gone in Waldur, perhaps: it is looked for again.
        Effect.zipRight(
          Ref.set(identity, undefined),
          Effect.as(once(`Waldur could not be told of this agent: ${error.message}`, Effect.logWarning), every)
        )
      ),
      Effect.catchAllDefect((defect) => Effect.as(Effect.logError("A bug in what is told to Waldur", defect), every))
    )
    yield* Effect.forever(Effect.flatMap(round, (pause) => Effect.sleep(pause)))
  }).pipe(Effect.annotateLogs(aboutSending))

const aboutAgent = (startedAt: number): AgentAbout => ({
  version,
  startedAt,
  dependencies: [
    { package: "site-actors", version },
    { package: "node", version: process.versions.node }
  ]
})

const report = (
  { plugin }: OfferingConfig,
  { waldur }: Offering,
  identity: string,
  { name, processor }: Service,
  figures: Readonly<Record<string, unknown>>
) =>
  Effect.gen(function* () {
    const service = yield* waldur.agent.service(identity, { name, mode: name })
    if (processor !== undefined) {
      yield* waldur.agent.processor(service, { name: processor, backendType: plugin.type, backendVersion: version })
    }
    yield* waldur.agent.statistics(service, figures)
  })

/** What `/readyz` says of the offering, and what waits or needs somebody. No names and no reasons of orders: customers may see it. */
const figuresOf = (config: Config, offering: OfferingConfig) =>
  Effect.gen(function* () {
    const all = yield* readiness(config)
    const standing = all.find(({ uuid }) => uuid === offering.id)
    const journal = yield* Journal
    const open = yield* journal.openOrders
    const leftovers = yield* journal.leftovers
    const quarantined = yield* (yield* Quarantine).all
    const ours = open.filter((order) => order.offering === offering.id)
    const orders = new Set<string>(ours.map(({ order }) => order))
    return {
      agent: "site-actors",
      version,
      ready: standing?.ready ?? false,
      open_orders: ours.length,
      quarantined: quarantined.filter(({ order }) => orders.has(order)).length,
      // Of all offerings of this agent: what is left of an order does not say whose it was.
      leftovers: leftovers.length,
      events: (standing?.events ?? []).map(({ events, objectType, reconnects, status }) => ({
        object_type: objectType,
        status,
        events,
        reconnects
      })),
      ...(standing?.lastPass === undefined ? {} : { last_pass: standing.lastPass })
    }
  })

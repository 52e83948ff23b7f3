/** What the runtime tells of its work. Where nobody measures, telling costs a call of an empty function. */
import { Context, Effect, Layer } from "effect"
import { Registry } from "prom-client"
import { type EndpointEvent, endpointObserver, type ObservedCall, type OrderId, OrderType } from "../../core/index.js"
import { fill, type Gauges, makeInstruments } from "./instruments.js"

/** Work that comes round again. `orders`: looks into Waldur's queue; `observation`: what Waldur says against what the cloud has. */
const roundsOf = ["orders", "observation", "usage", "membership"] as const
export type RoundOf = (typeof roundsOf)[number]

export interface OrderAtWork {
  readonly offering: string
  /** Waldur's word; what is none of its four counts as "other". */
  readonly type: string
  readonly state: "executing" | "waiting" | "undoing"
}

/** Offerings are given by their uuids. Nothing in here fails or waits. */
export interface MetricsService {
  /** How offerings are labelled from now on. */
  readonly named: (offerings: ReadonlyArray<{ readonly id: string; readonly name: string }>) => void
  readonly labelOf: (offering: string) => string
  readonly called: (call: ObservedCall) => void
  readonly endpoint: (event: EndpointEvent) => void
  readonly orderAccepted: (order: Pick<OrderAtWork, "offering" | "type">) => void
  /** From the first of these to `orderLeft` an actor has it. */
  readonly orderIs: (order: OrderId, at: OrderAtWork) => void
  /** It rests until it is tried again. */
  readonly orderRests: (order: OrderId, offering: string) => void
  readonly orderLeft: (order: OrderId) => void
  readonly orderEnded: (order: OrderId, outcome: "done" | "erred", milliseconds: number) => void
  readonly journalWritten: (milliseconds: number, failed: boolean) => void
  /** Something else than an entry could not be written. */
  readonly journalFailed: () => void
  readonly round: (offering: string, work: RoundOf, wentWell: boolean, at: number) => void
  /** Its rounds are another process's from now on: what this one last did of them grows old, and says nothing. */
  readonly roundsLeft: (offering: string) => void
  /** Everything, in the text format 0.0.4. */
  readonly text: (gauges: Gauges) => Promise<string>
}

const nothing = (): void => {}
const silent: MetricsService = {
  named: nothing,
  labelOf: (offering) => offering,
  called: nothing,
  endpoint: nothing,
  orderAccepted: nothing,
  orderIs: nothing,
  orderRests: nothing,
  orderLeft: nothing,
  orderEnded: nothing,
  journalWritten: nothing,
  journalFailed: nothing,
  round: nothing,
  roundsLeft: nothing,
  text: () => Promise.resolve("")
}

export class Metrics extends Context.Reference<Metrics>()("site-actors/runtime/Metrics", {
  defaultValue: (): MetricsService => silent
}) {
  /** A registry for each agent, so that two in one process do not count together. */
  static readonly layer: Layer.Layer<Metrics> = Layer.sync(Metrics, () => make())
}

/** The breakers that are made from here on tell of their servers. */
export const watchedEndpoints: Layer.Layer<never> = Layer.scopedDiscard(
  Effect.flatMap(Metrics, (metrics) => Effect.locallyScoped(endpointObserver, metrics.endpoint))
)

const knownTypes: ReadonlySet<string> = new Set(OrderType.literals)
const typeOf = (type: string): string => (knownTypes.has(type) ? type : "other")

/** The name, which is what people know; with some of the uuid where several have the same. */
const labelsOf = (offerings: ReadonlyArray<{ readonly id: string; readonly name: string }>) =>
  new Map(
    offerings.map(({ id, name }) => {
      const isOnly = offerings.every((other) => other.id === id || other.name !== name)
      return [id, isOnly ? name : `${name} (${id.slice(0, 8)})`]
    })
  )

const make = (): MetricsService => {
  const registry = new Registry()
  const instruments = makeInstruments(registry)
  const atWork = new Map<OrderId, OrderAtWork>()
  const away = new Set<string>()
  let labels: ReadonlyMap<string, string> = new Map()
  const labelOf = (offering: string) => labels.get(offering) ?? offering
  const countOrdersAtWork = () => {
    instruments.ordersAtWork.reset()
    for (const { offering, state, type } of atWork.values()) {
      instruments.ordersAtWork.inc({ offering: labelOf(offering), type: typeOf(type), state })
    }
  }
  return {
    named: (offerings) => {
      labels = labelsOf(offerings)
    },
    labelOf,
    called: ({ attempt, call, milliseconds, outcome, system }) => {
      instruments.callDuration.observe({ system, call }, milliseconds / 1000)
      if (outcome !== "ok") instruments.callErrors.inc({ system, call, error: outcome })
      if (attempt !== undefined && attempt > 1) instruments.callRetries.inc({ system })
    },
    endpoint: ({ away: isAway, endpoint }) => {
      if (isAway && !away.has(endpoint)) instruments.breakerOpened.inc({ endpoint })
      if (!isAway && !away.has(endpoint)) instruments.breakerOpened.inc({ endpoint }, 0)
      if (isAway) away.add(endpoint)
      else away.delete(endpoint)
      instruments.endpointAway.set({ endpoint }, isAway ? 1 : 0)
    },
    orderAccepted: ({ offering, type }) =>
      instruments.ordersAccepted.inc({ offering: labelOf(offering), type: typeOf(type) }),
    orderIs: (order, at) => {
      atWork.set(order, at)
    },
    orderRests: (order, offering) => {
      instruments.orderRetries.inc({ offering: labelOf(offering) })
      const now = atWork.get(order)
      atWork.set(order, { offering, type: now?.type ?? "", state: "waiting" })
    },
    orderLeft: (order) => {
      atWork.delete(order)
    },
    orderEnded: (order, outcome, milliseconds) => {
      const ended = atWork.get(order)
      if (ended === undefined) return
      const labelled = { offering: labelOf(ended.offering), type: typeOf(ended.type), outcome }
      instruments.ordersEnded.inc(labelled)
      instruments.orderDuration.observe(labelled, milliseconds / 1000)
    },
    journalWritten: (milliseconds, failed) => {
      instruments.journalWrite.observe(milliseconds / 1000)
      if (failed) instruments.journalFailures.inc()
    },
    journalFailed: () => instruments.journalFailures.inc(),
    round: (offering, work, wentWell, at) => {
      const label = labelOf(offering)
      instruments.rounds.inc({ offering: label, work, outcome: wentWell ? "ok" : "failed" })
      if (wentWell) instruments.lastSuccess.set({ offering: label, work }, at / 1000)
    },
    roundsLeft: (offering) => {
      for (const work of roundsOf) instruments.lastSuccess.remove({ offering: labelOf(offering), work })
    },
    text: async (gauges) => {
      countOrdersAtWork()
      const asked = new Registry()
      fill(asked, gauges)
      return `${await registry.metrics()}\n${await asked.metrics()}`
    }
  }
}

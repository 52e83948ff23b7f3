/** Every metric of the agent: its name, its unit, its labels. Prometheus' conventions: base units, `_total` for what only grows. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client"

/** From a cheap call to one that OpenNebula works on; seconds. */
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** From an order for other limits to one that waits for a server; seconds. */
const orderBuckets = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21_600, 86_400]
/** From memory to a slow disk; seconds. */
const journalBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

const prefix = "site_actors_"

/** What is counted where it happens. */
export const makeInstruments = (registry: Registry) => {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: ReadonlyArray<Label>) =>
    new Counter({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: ReadonlyArray<number>,
    labelNames: ReadonlyArray<Label>
  ) => new Histogram({ name: `${prefix}${name}`, help, buckets: [...buckets], labelNames: [...labelNames], registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: ReadonlyArray<Label>) =>
    new Gauge({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers })
  return {
    ordersAccepted: counter("orders_accepted_total", "Orders that were taken on.", ["offering", "type"]),
    ordersEnded: counter("orders_ended_total", "Orders that ended: done, or erred and undone.", [
      "offering",
      "type",
      "outcome"
    ]),
    orderDuration: histogram(
      "order_duration_seconds",
      "From the acceptance of an order to its end, time in which it could not be carried out included.",
      orderBuckets,
      ["offering", "type", "outcome"]
    ),
    orderRetries: counter(
      "order_retries_total",
      "Attempts at orders that broke off, and after which the order rested and was tried again.",
      ["offering"]
    ),
    ordersAtWork: gauge(
      "orders_at_work",
      "Orders that actors have now: executing, waiting for another attempt or for a server, or undoing.",
      ["offering", "type", "state"]
    ),
    callDuration: histogram(
      "call_duration_seconds",
      "Calls to Waldur, OpenNebula and Keycloak, from their turn to the end of the answer.",
      callBuckets,
      ["system", "call"]
    ),
    callErrors: counter("call_errors_total", "Calls that did not go well, by the tag of their error.", [
      "system",
      "call",
      "error"
    ]),
    callRetries: counter("call_retries_total", "Calls that were sent again at once, after a failure that may pass.", [
      "system"
    ]),
    endpointAway: gauge("endpoint_away", "1 while the breaker of a server is open: it is away, and only probed.", [
      "endpoint"
    ]),
    breakerOpened: counter("breaker_openings_total", "How often the breaker of a server opened.", ["endpoint"]),
    journalWrite: histogram(
      "journal_write_duration_seconds",
      "Entries of the journal, from the wish to the acknowledged write.",
      journalBuckets,
      []
    ),
    journalFailures: counter(
      "journal_write_failures_total",
      "What could not be written: entries, and signs of life.",
      []
    ),
    rounds: counter("rounds_total", "Work that comes round again, by how it went.", ["offering", "work", "outcome"]),
    lastSuccess: gauge("last_success_timestamp_seconds", "When such a round last went well; seconds since 1970.", [
      "offering",
      "work"
    ])
  }
}
export type Instruments = ReturnType<typeof makeInstruments>

export interface OfferingFacts {
  /** Its label. */
  readonly offering: string
  readonly uuid: string
  readonly backendType: string
  readonly ready: boolean
  readonly state: "ok" | "degraded" | "stopped" | "closed"
  readonly consumers: ReadonlyArray<{
    readonly objectType: string
    readonly connected: boolean
    readonly reconnects: number
    readonly events: number
    readonly unreadable: number
    readonly held: number
  }>
}

/** What is looked up when somebody asks. */
export interface Gauges {
  readonly offerings: ReadonlyArray<OfferingFacts>
  readonly leftovers: number
  readonly quarantined: number
  /** Of one of several processes. */
  readonly reach?: { readonly unreached: number; readonly leftOut: boolean } | undefined
  /** "0.1.0" */
  readonly version: string
}

const offeringStates = ["ok", "degraded", "stopped", "closed"] as const

/** Instruments that are filled for one answer: what is gone by the next one does not stay. */
export const fill = (registry: Registry, { leftovers, offerings, quarantined, reach, version }: Gauges): void => {
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: ReadonlyArray<Label>) =>
    new Gauge({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers })
  const counter = <Label extends string>(name: string, help: string, labelNames: ReadonlyArray<Label>) =>
    new Counter({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers })
  const event = ["offering", "object_type"] as const
  const info = gauge("offering_info", "1; says which offering is meant by its label.", [
    "offering",
    "offering_uuid",
    "backend_type"
  ])
  const ready = gauge("offering_ready", "1 if /readyz has it as ready.", ["offering"])
  const state = gauge("offering_state", "1 for the state that the offering is in, 0 for the others.", [
    "offering",
    "state"
  ])
  const connected = gauge("events_connected", "1 while Waldur's events can come.", event)
  const reconnects = counter("events_reconnects_total", "How often the consumer of events connected again.", event)
  const received = counter("events_received_total", "Events from Waldur.", event)
  const unreadable = counter("events_unreadable_total", "Events that could not be read, and were dropped.", event)
  const held = gauge("events_held", "Events that wait for being acknowledged.", event)
  for (const { backendType, consumers, offering, uuid, ...one } of offerings) {
    info.set({ offering, offering_uuid: uuid, backend_type: backendType }, 1)
    ready.set({ offering }, one.ready ? 1 : 0)
    for (const name of offeringStates) state.set({ offering, state: name }, name === one.state ? 1 : 0)
    for (const consumer of consumers) {
      const labels = { offering, object_type: consumer.objectType }
      connected.set(labels, consumer.connected ? 1 : 0)
      reconnects.inc(labels, consumer.reconnects)
      received.inc(labels, consumer.events)
      unreadable.inc(labels, consumer.unreadable)
      held.set(labels, consumer.held)
    }
  }
  gauge("leftovers", "What an undo could not remove, and is tried again.", []).set(leftovers)
  gauge("quarantined_resources", "Resources that a bug stopped.", []).set(quarantined)
  gauge(
    "processes_unreached",
    "Other processes that give signs of life, and that this one does not reach, or that do not reach it.",
    []
  ).set(reach?.unreached ?? 0)
  gauge("left_out", "1 while others have this process's resources, as they do not reach each other.", []).set(
    reach?.leftOut === true ? 1 : 0
  )
  gauge("build_info", "1; the version of the agent and of Node.", ["version", "node"]).set(
    { version, node: process.versions.node },
    1
  )
}

/** How all is: what is wrong, where, since when, and what to do; and the figures of the last hour or day. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Schema } from "effect"
import { Length, Millis, Unavailable } from "./common.js"
import { OfferingReadiness } from "./health.js"
import { Known } from "./session.js"

/** What a link leads to. */
export const Place = Schema.Struct({
  kind: Schema.Literal(
    "offering",
    "order",
    "resource",
    "server",
    "process",
    "leftovers",
    "quarantine",
    "differences",
    "orders"
  ),
  /** A uuid, a server's address; empty for a list, and for a process. */
  id: Schema.String,
  name: Schema.String
})
export type Place = typeof Place.Type

/** Something that somebody should look at. The worst first, of those the oldest. */
export const Trouble = Schema.Struct({
  severity: Schema.Literal("critical", "warning"),
  /** One sentence: what is wrong. */
  what: Schema.String,
  where: Place,
  /** `null`: not known. */
  since: Schema.NullOr(Millis),
  /** One sentence: what to do. */
  todo: Schema.String
})
export type Trouble = typeof Trouble.Type

/**
 * `ok`; `slow`: something passed, orders go on; `waits`: a server is away, orders wait for it; `stopped`: a fault of the configuration;
 * `closed`: it could not be opened yet; `paused`: by an operator.
 */
export const OfferingState = Schema.Literal("ok", "slow", "waits", "stopped", "closed", "paused")
export type OfferingState = typeof OfferingState.Type

export const Paused = Schema.Struct({ by: Schema.String, reason: Schema.String, since: Millis })

/** How many orders are in which state. `waits`: rests between two attempts. Ended ones: since midnight in the configuration's time zone. */
export const OrderCounts = Schema.Struct({
  executing: Schema.Int,
  waits: Schema.Int,
  undoing: Schema.Int,
  quarantined: Schema.Int,
  doneToday: Schema.Int,
  erredToday: Schema.Int
})
export type OrderCounts = typeof OrderCounts.Type

export const OfferingOverview = Schema.Struct({
  ...OfferingReadiness.fields,
  state: OfferingState,
  /** Of `state`. */
  since: Schema.NullOr(Millis),
  paused: Schema.NullOr(Paused),
  orders: OrderCounts,
  resources: Schema.Int
})

/** Calls of the last ten minutes. `null`: none was made. */
export const Latency = Schema.Struct({
  calls: Schema.Int,
  errors: Schema.Int,
  p50: Schema.NullOr(Length),
  p95: Schema.NullOr(Length)
})

/** A server that offerings rest on. */
export const Server = Schema.Struct({
  url: Schema.String,
  system: Schema.String,
  /** `open`: it is away, nothing is sent but one probe now and then, and orders wait. */
  breaker: Schema.Literal("closed", "open"),
  /** Why it is away; empty while it answers. */
  reason: Schema.String,
  /** Names of the offerings. */
  offerings: Schema.Array(Schema.String)
})
export type Server = typeof Server.Type

export const System = Schema.Struct({
  /** `opennebula`, `waldur`, `keycloak`. */
  system: Schema.String,
  ...Latency.fields
})

export const Overview = Schema.Struct({
  now: Millis,
  version: Schema.String,
  /** When the process started. */
  started: Millis,
  troubles: Schema.Array(Trouble),
  offerings: Schema.Array(OfferingOverview),
  orders: OrderCounts,
  servers: Schema.Array(Server),
  systems: Schema.Array(System),
  /** Attempts that broke off and were or will be made again, in the last hour. */
  retries: Schema.Int,
  leftovers: Schema.Int,
  quarantined: Schema.Int,
  /** Resources that differ from what Waldur says. */
  differing: Schema.Int,
  resources: Schema.Int
})
export type Overview = typeof Overview.Type

/** One figure for each bucket. `null`: nothing happened in it that could be measured. */
const Figures = Schema.Array(Schema.NullOr(Schema.Number))

/** Columns of equal length, ready to be drawn: index i is the bucket that begins at `at[i]`. The last one is not over yet. */
export const Series = Schema.Struct({
  /** Length of a bucket. */
  step: Length,
  at: Schema.Array(Millis),
  /** From the journal: also of the time before this process. */
  orders: Schema.Struct({ accepted: Figures, done: Figures, erred: Figures, p50: Figures, p95: Figures }),
  /** From memory: since this process started; before that `null`. `p50` and `p95` in ms. */
  systems: Schema.Array(
    Schema.Struct({ system: Schema.String, calls: Figures, errors: Figures, p50: Figures, p95: Figures })
  ),
  retries: Figures
})
export type Series = typeof Series.Type

/** `hour`: 60 buckets of a minute. `day`: 96 buckets of 15 minutes. */
export const Span = Schema.Literal("hour", "day")
export type Span = typeof Span.Type

export const overview = HttpApiGroup.make("overview")
  .add(HttpApiEndpoint.get("overview", "/api/overview").addSuccess(Overview).addError(Unavailable))
  .add(
    HttpApiEndpoint.get("series", "/api/series")
      .setUrlParams(Schema.Struct({ span: Span }))
      .addSuccess(Series)
      .addError(Unavailable)
  )
  .middleware(Known)

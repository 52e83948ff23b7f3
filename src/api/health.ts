/** For probes: is the process alive, and is it ready to carry out orders. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Schema } from "effect"
export const Alive = Schema.Struct({
  status: Schema.Literal("alive"),
  version: Schema.String,
  /** ISO 8601. */
  started: Schema.String
})

/** One thing that an offering rests on. `off`: not wanted, or not there to be had. */
export const ReadinessPart = Schema.Struct({
  status: Schema.Literal("ok", "down", "off"),
  /** Why it is down, or off. */
  reason: Schema.optional(Schema.String),
  /** Of being connected or down; ISO 8601. */
  since: Schema.optional(Schema.String)
})
export type ReadinessPart = typeof ReadinessPart.Type

export const Events = Schema.Struct({
  ...ReadinessPart.fields,
  objectType: Schema.String,
  reconnects: Schema.Number,
  events: Schema.Number,
  lastEvent: Schema.optional(Schema.String),
  /** Messages that could not be read, and were dropped. */
  unreadable: Schema.Number,
  /** Events that wait for being acknowledged. */
  held: Schema.Number
})

export const OfferingReadiness = Schema.Struct({
  uuid: Schema.String,
  name: Schema.String,
  ready: Schema.Boolean,
  /** Every reason for not being ready, and, beside them, what makes it slow. Empty if all is well. */
  reasons: Schema.Array(Schema.String),
  waldur: ReadinessPart,
  /** The cloud: OpenNebula for its two backends. */
  backend: Schema.Struct({ ...ReadinessPart.fields, type: Schema.String }),
  /** One for each type of object that is listened to. Empty: events are off, or nothing has been connected yet. */
  events: Schema.Array(Events),
  /** The last look at Waldur's queue that found everything; ISO 8601. */
  lastPass: Schema.optional(Schema.String)
})
export type OfferingReadiness = typeof OfferingReadiness.Type

/** Two of several processes that both reach the database, and of which one at least does not reach the other. Orders go on: it makes nobody not ready. */
export const CutOff = Schema.Struct({
  /** "host:pid at address": who does not reach the other one. */
  from: Schema.String,
  to: Schema.String,
  /** Neither reaches the other. */
  both: Schema.Boolean,
  /** ISO 8601. */
  since: Schema.optional(Schema.String),
  /** What it is, what becomes of their resources, and what to do. */
  reason: Schema.String
})

const fields = {
  offerings: Schema.Array(OfferingReadiness),
  /** Absent: all processes reach each other, or there is one. */
  cutOff: Schema.optional(Schema.Array(CutOff))
}
export const Ready = Schema.Struct({ status: Schema.Literal("ready"), ...fields })
export const NotReady = Schema.Struct({ status: Schema.Literal("not ready"), ...fields })

export const health = HttpApiGroup.make("health")
  .add(HttpApiEndpoint.get("alive", "/healthz").addSuccess(Alive))
  .add(HttpApiEndpoint.get("ready", "/readyz").addSuccess(Ready).addError(NotReady, { status: 503 }))

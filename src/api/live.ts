/**
 * What has changed, as it changes: server-sent events at `/api/live`, each one `data:` line with a `LiveEvent` as JSON.
 *
 * They are hints: whoever gets one asks again for what it shows, and whoever connects anew asks for everything. At most four a second.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Schema } from "effect"
import { Length, Millis, Unavailable } from "./common.js"
import { OrderRow } from "./orders.js"
import { Known } from "./session.js"

/** The first one of a connection. */
export const Hello = Schema.TaggedStruct("Hello", {
  now: Millis,
  version: Schema.String,
  /** Something comes at least this often; twice as long without is a lost connection. */
  heartbeat: Length
})

export const Changed = Schema.TaggedStruct("Changed", {
  at: Millis,
  /** Orders as they are now, to be put into lists that show them. */
  orders: Schema.Array(OrderRow),
  /** Resources of which something has changed: uuids. */
  resources: Schema.Array(Schema.String),
  /** An offering, a server, or one of the lists of troubles has changed. */
  overview: Schema.Boolean,
  /** So much has changed that not all of it is named: ask for whatever is shown. */
  more: Schema.Boolean
})
export type Changed = typeof Changed.Type

export const Heartbeat = Schema.TaggedStruct("Heartbeat", { at: Millis })

/** The agent stops: try to connect again in a while. */
export const Bye = Schema.TaggedStruct("Bye", {})

export const LiveEvent = Schema.Union(Hello, Changed, Heartbeat, Bye)
export type LiveEvent = typeof LiveEvent.Type
/** The text of one event. */
export const LiveEventJson = Schema.parseJson(LiveEvent)

export const livePath = "/api/live"

export const live = HttpApiGroup.make("live")
  .add(
    HttpApiEndpoint.get("live", livePath)
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .addError(Unavailable)
  )
  .middleware(Known)

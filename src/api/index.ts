/**
 * What the agent says and takes over HTTP, as types: from this one definition come the server (`src/runtime/http`), the page's client
 * (`src/dashboard`) and the OpenAPI document at `/api/openapi.json`.
 *
 * Nothing of Node's and nothing of the runtime's may be imported here: the page is built from it. Times are milliseconds since 1970.
 * Every refusal is a tagged error with a `message` of one sentence (`common.ts`). Begin with `overview.ts`.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { actions } from "./actions.js"
import { health } from "./health.js"
import { live } from "./live.js"
import { metrics } from "./metrics.js"
import { orders } from "./orders.js"
import { overview } from "./overview.js"
import { resources } from "./resources.js"
import { session } from "./session.js"
import { troubles } from "./troubles.js"

/** What every agent serves, the page switched on or off. */
export const healthApi = HttpApi.make("site-actors").add(health).add(metrics)

export const api = HttpApi.make("site-actors")
  .add(health)
  .add(metrics)
  .add(session)
  .add(overview)
  .add(orders)
  .add(resources)
  .add(troubles)
  .add(actions)
  .add(live)
  .annotate(OpenApi.Title, "Site Actors")

export * from "./action-kinds.js"
export * from "./actions.js"
export * from "./common.js"
export * from "./health.js"
export * from "./live.js"
export * from "./metrics.js"
export * from "./orders.js"
export * from "./overview.js"
export * from "./resources.js"
export * from "./session.js"
export * from "./troubles.js"

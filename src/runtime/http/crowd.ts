/**
 * How many requests are worked on at once: whoever sends thousands without waiting for an answer, on one connection, needs a megabyte for it. Each of
 * them would be begun, and held until its turn: 1.5 GB, and a minute in which nothing else of the agent gets on.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect } from "effect"
import { Unavailable } from "../../api/index.js"
import { pathOf } from "./guard.js"

/** More than fifty pages that are loaded at the same moment, and probes and collectors beside. */
const mostAtWork = 500

const tooMany = Effect.orDie(
  HttpServerResponse.schemaJson(Unavailable)(
    new Unavailable({ message: `${mostAtWork} requests are at work already: ask again in a moment.` }),
    { status: 503, headers: { "retry-after": "1" } }
  )
)

/** For all requests of one server. A probe of `/healthz` is always answered, which costs next to nothing: who is refused there is started anew. */
export const makeCrowd = (most: number = mostAtWork) => {
  let atWork = 0
  const left = Effect.sync(() => {
    atWork -= 1
  })
  return <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.suspend(() => {
        if (pathOf(request) === "/healthz") return app
        if (atWork >= most) return tooMany
        atWork += 1
        return Effect.ensuring(app, left)
      })
    )
}

/**
 * What stands before every request for the page and its API.
 *
 * - `Host` must be a name that is ours: a page of another site whose name was made to point here (DNS rebinding) gets nothing.
 * - What changes something must carry a header of our own and come from our own origin: no form, link or script of another site can.
 * - No answer may be framed, sniffed, or load anything from elsewhere; what the API says is not kept by caches.
 */
import { isIP } from "node:net"
import { HttpApp, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect } from "effect"
import { NotAllowed, requestHeader } from "../../api/index.js"
import { hostOf, isLoopbackName, nameIn } from "./hosts.js"
import type { Entrance } from "./visitor.js"

/** Nothing inline, nothing from elsewhere, no frames. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const headers = {
  "content-security-policy": contentPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()"
}

const refusal = (message: string) =>
  Effect.orDie(HttpServerResponse.schemaJson(NotAllowed)(new NotAllowed({ message }), { status: 403 }))

/** For probes and collectors, which have no session and change nothing. */
export const forMachines: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"])

export const pathOf = (request: HttpServerRequest.HttpServerRequest): string => request.url.split("?")[0] ?? ""

const isOurName = ({ host, page }: Entrance, name: string): boolean => {
  if (isLoopbackName(name) || page.hosts.includes(name) || name === nameIn(host)) return true
  // Listening for others without a list of names: a token is asked for, and its cookie belongs to the name.
  return page.hosts.length === 0 && !isLoopbackName(host) && name !== ""
}

/**
 * Names that no page in somebody's browser can come under (docs/decisions/0020): an address, as the probes of Kubernetes and collectors in a
 * cluster have it, and names that the public DNS does not give to anybody.
 */
const isNobodys = (name: string): boolean =>
  isIP(name) !== 0 || !name.includes(".") || /\.(svc|cluster\.local)$/.test(name)

/** Why a request for health or metrics is turned away; `undefined`: it may pass. */
const objectionToMachine = ({ host, page }: Entrance, name: string): string | undefined =>
  isNobodys(name) || page.hosts.includes(name) || name === nameIn(host)
    ? undefined
    : "This name is not one of the agent's: ask by address, or list the name under page.hosts in the configuration."

/** Around health and metrics, with or without a page. */
export const guardedForMachines =
  (entrance: Entrance) =>
  <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const wrong = objectionToMachine(entrance, hostOf(request))
      return wrong === undefined ? app : refusal(wrong)
    })

const isSameOrigin = (request: HttpServerRequest.HttpServerRequest): boolean => {
  const { host = "", origin } = request.headers
  const site = request.headers["sec-fetch-site"]
  if (site !== undefined && site !== "same-origin" && site !== "none") return false
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

/** Why the request is turned away; `undefined`: it may pass. */
export const objection = (entrance: Entrance, request: HttpServerRequest.HttpServerRequest): string | undefined => {
  if (!isOurName(entrance, hostOf(request))) {
    return "This name is not one of the agent's: list it under page.hosts in the configuration."
  }
  if (request.method === "GET" || request.method === "HEAD") return undefined
  if (request.headers[requestHeader] === undefined)
    return `Requests that change something carry the header ${requestHeader}.`
  return isSameOrigin(request) ? undefined : "Requests that change something come from the page itself."
}

/** What every answer carries, be it an error. */
const safely = (path: string) => (_: unknown, response: HttpServerResponse.HttpServerResponse) => {
  const safe = HttpServerResponse.setHeaders(response, headers)
  return Effect.succeed(
    path.startsWith("/api/") ? HttpServerResponse.setHeader(safe, "cache-control", "no-store") : safe
  )
}

/** Around the whole server. Headers are set when an answer is sent: the API makes those of its errors further out than here. */
export const guarded =
  (entrance: Entrance) =>
  <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const path = pathOf(request)
      if (forMachines.has(path)) return yield* guardedForMachines(entrance)(app)
      yield* HttpApp.appendPreResponseHandler(safely(path))
      const wrong = objection(entrance, request)
      return yield* wrong === undefined ? app : refusal(wrong)
    })

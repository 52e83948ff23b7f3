/** From a process's Waldur client to the simulated marketplace: JSON there, JSON back. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect, Option } from "effect"
import type { ApiRequest, Marketplace } from "../../src/simulator/waldur/index.js"
import type { RawAnswer } from "../../src/waldur/http/answer.js"
import type { Transport } from "../../src/waldur/http/transport.js"
import { WaldurUnreachable } from "../../src/waldur/index.js"
import type { Bench } from "./bench.js"
import { onBehalfOf } from "./cloud-wire.js"
import type { MarketChecks } from "./market-checks.js"
import type { Process } from "./process.js"
import { exchange, type Seen, type Text } from "./wire.js"

export const marketUrl = "http://waldur.example/api/"

const bodyOf = (request: HttpClientRequest.HttpClientRequest): string =>
  request.body._tag === "Uint8Array" ? Buffer.from(request.body.body).toString("utf8") : ""

const apiRequest = (request: HttpClientRequest.HttpClientRequest): ApiRequest => {
  const url = new URL(request.url)
  const body = bodyOf(request)
  return {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    headers: { ...request.headers, ...(body === "" ? {} : { "content-type": "application/json" }) },
    body,
    origin: url.origin
  }
}

/** One request, carried out now. */
export const ask = (bench: Bench, marketplace: Marketplace, request: ApiRequest): Text => {
  const reply = bench.succeed(marketplace.handle(request))
  if (reply._tag === "Cut") throw new Error("the marketplace has faults of its own")
  const { status, headers, body } = reply.answer
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: body === undefined ? "" : "json" in body ? JSON.stringify(body.json) : body.html
  }
}

export const marketTransport = (
  bench: Bench,
  marketplace: Marketplace,
  checks: MarketChecks,
  process: Process
): Transport => {
  const chance = bench.chance.fork(`market of ${process.name}`)
  return (call, http) =>
    Effect.flatMap(onBehalfOf, ({ order }) =>
      Effect.async<RawAnswer, WaldurUnreachable>((resume) => {
        const request = apiRequest(http)
        const fate = bench.faults.fateOf("market")
        const short = request.path.replace("/api/marketplace-", "").replace(/[0-9a-f]{26}(?=[0-9a-f]{6})/g, "")
        const name = `${request.method} ${short}`
        const isWrite = request.method !== "GET"
        const tell = (what: string) => {
          if (isWrite || fate !== "none") bench.story.tell("call", process.name, what)
        }
        let hungUp = false
        if (isWrite) process.atCall(`before ${name}`)
        exchange(bench, chance, {
          fate,
          latest: 90_000,
          isUp: () => bench.marketIsUp,
          isGone: () => hungUp,
          carryOut: () => {
            if (isWrite) checks.before(order, request)
            const answer = ask(bench, marketplace, request)
            tell(`${name} ${answer.status}${fate === "none" ? "" : ` [${fate}]`}`)
            if (isWrite) {
              checks.after(request, answer)
              process.atCall(`after ${name}`)
            }
            return answer
          },
          // A refusal stays one, in other words: a success in its place is a lie that no client could see through.
          garbage: (good, source) => ({
            ...good,
            status: good.status >= 400 ? good.status : 200,
            body: source.pick(["<html>Maintenance</html>", "", '[{"uuid": "12', '{"detail": 7}'] as const)
          }),
          seen: (seen) => {
            if (seen._tag === "Broken" || fate === "status before") tell(`${name} [${fate}]`)
            resume(rawOf(call, seen))
          }
        })
        return Effect.sync(() => {
          hungUp = true
        })
      })
    )
}

const rawOf = (call: string, seen: Seen): Effect.Effect<RawAnswer, WaldurUnreachable> => {
  if (seen._tag === "Silence") return Effect.never
  if (seen._tag === "Broken") return Effect.fail(new WaldurUnreachable({ call, reason: seen.code }))
  if (seen.torn) return Effect.fail(new WaldurUnreachable({ call, reason: "ECONNRESET" }))
  const { status, headers, body } = seen.answer
  return Effect.succeed({ status, body, header: (name) => Option.fromNullable(headers[name.toLowerCase()]) })
}

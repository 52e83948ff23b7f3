/** Who asks: told by the session's cookie, by a trusted reverse proxy, or by the agent's listening on this machine alone. */
import { BlockList, isIP, isIPv6 } from "node:net"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Context, Effect, Layer, Option } from "effect"
import { Known, SignInFirst, type Visitor } from "../../api/index.js"
import type { PageSettings } from "../config/index.js"
import { hostOf, isLoopbackName } from "./hosts.js"
import { Sessions } from "./sessions.js"

export const cookieName = "site-actors-session"

/** How people get in, as the configuration says. */
export interface Entrance {
  readonly page: PageSettings
  /** What the agent listens on. */
  readonly host: string
}

const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "")

const remoteOf = (request: HttpServerRequest.HttpServerRequest): string =>
  withoutMapping(Option.getOrElse(request.remoteAddress, () => ""))

const listed = (networks: ReadonlyArray<string>) => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = "", bits] = network.split("/")
    const family = isIPv6(address) ? "ipv6" : "ipv4"
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address: string) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4")
}

/** What a proxy puts in: such a request came from somewhere else, whatever the connection's address says. */
const forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]

/** Whether no token is asked for: only on this machine, and where no proxy stands before it. */
export const asksNothing = ({ host, page }: Entrance): boolean =>
  page.signIn === "auto" && Option.isNone(page.trustedHeader) && isLoopbackName(host)

/** Whether somebody may come with a token. */
export const needsToken = (entrance: Entrance): boolean => !asksNothing(entrance)

export class Visitors extends Context.Tag("site-actors/runtime/Visitors")<
  Visitors,
  {
    readonly entrance: Entrance
    readonly of: (
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<Option.Option<Visitor & { readonly expires: number | null }>>
    /** Where the request comes from, as far as trusted proxies say: the last address in `X-Forwarded-For` that is none of theirs. */
    readonly addressOf: (request: HttpServerRequest.HttpServerRequest) => string
    /** Did the browser come by https, as far as a trusted proxy says? */
    readonly isSecure: (request: HttpServerRequest.HttpServerRequest) => boolean
  }
>() {
  static readonly layer = (entrance: Entrance) =>
    Layer.effect(
      Visitors,
      Effect.map(Sessions, (sessions) => {
        const { page } = entrance
        const isProxy = listed(page.trustedProxies)
        const byProxy = (request: HttpServerRequest.HttpServerRequest) =>
          page.trustedHeader.pipe(
            Option.filter(() => isProxy(remoteOf(request))),
            Option.flatMapNullable((header) => request.headers[header]),
            Option.map((name) => name.trim().slice(0, 200)),
            Option.filter((name) => name !== ""),
            Option.map((name) => ({
              name,
              role: page.operators.some((one) => one === name || one === "*")
                ? ("operator" as const)
                : ("viewer" as const),
              by: "proxy" as const,
              expires: null
            }))
          )
        const here = (request: HttpServerRequest.HttpServerRequest) =>
          asksNothing(entrance) &&
          isLoopbackName(remoteOf(request)) &&
          isLoopbackName(hostOf(request)) &&
          forwarded.every((header) => request.headers[header] === undefined)
        const addressOf = (request: HttpServerRequest.HttpServerRequest) => {
          const remote = remoteOf(request)
          if (!isProxy(remote)) return remote
          const passed = (request.headers["x-forwarded-for"] ?? "")
            .split(",")
            .map((text) => withoutMapping(text.trim()))
          const from = passed.filter((address) => !isProxy(address)).at(-1) ?? ""
          return isIP(from) === 0 ? remote : from
        }
        return {
          entrance,
          addressOf,
          isSecure: (request) => isProxy(remoteOf(request)) && request.headers["x-forwarded-proto"] === "https",
          of: (request) =>
            Effect.gen(function* () {
              const proxied = byProxy(request)
              if (Option.isSome(proxied)) return proxied
              const secret = request.cookies[cookieName]
              const session = secret === undefined ? Option.none() : yield* sessions.find(secret)
              if (Option.isSome(session)) {
                const { expires, role } = session.value
                return Option.some({ name: `${role} (token)`, role, by: "token" as const, expires })
              }
              return here(request)
                ? Option.some({
                    name: "this machine",
                    role: "operator" as const,
                    by: "loopback" as const,
                    expires: null
                  })
                : Option.none()
            })
        }
      })
    )
}

export const knownLive = Layer.effect(
  Known,
  Effect.map(Visitors, (visitors) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.flatMap(
        visitors.of(request),
        Option.match({
          onNone: () => new SignInFirst({ message: "Sign in first." }),
          onSome: ({ by, name, role }) => Effect.succeed({ by, name, role })
        })
      )
    )
  )
)

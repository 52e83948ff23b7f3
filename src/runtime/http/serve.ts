/** Listens as the configuration says. The agent's work never waits for it, and never ends with it. */
import { createServer, type Server } from "node:http"
import { fileURLToPath } from "node:url"
import type * as Etag from "@effect/platform/Etag"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Clock, Console, Context, Deferred, Duration, Effect, Layer, Option, Redacted, type Schedule } from "effect"
import { api, healthApi, Refused } from "../../api/index.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config } from "../config/index.js"
import { Metrics } from "../metrics/index.js"
import { Offerings } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"
import { ofPackage } from "../package.js"
import { mendProbe } from "../schedules.js"
import { assets } from "./assets.js"
import { makeCrowd } from "./crowd.js"
import { forMachines, guarded, guardedForMachines, pathOf } from "./guard.js"
import { healthLive } from "./health.js"
import { nameIn } from "./hosts.js"
import { Live } from "./live.js"
import { leftoversInJournal, metricsLive } from "./metrics.js"
import { openApiPath, openApiResponse, pageLive } from "./page.js"
import { Sessions } from "./sessions.js"
import { firstToken, readTokens } from "./tokens.js"
import { type Entrance, knownLive, needsToken, Visitors } from "./visitor.js"

export interface PageOptions {
  /** Where the built page is; absent: beside the built agent. */
  readonly assets?: string
}

/** Of the last build, if there was one. */
const builtPage = fileURLToPath(ofPackage("dist/dashboard"))

/** Bodies are small: an action, a token. */
const largestBody = 65_536

const healthOnly = <R>(
  config: Config,
  entrance: Entrance,
  leftovers: Effect.Effect<number, never, R>,
  around: (app: HttpApp.Default) => HttpApp.Default = (app) => app,
  crowd = makeCrowd()
) =>
  HttpApiBuilder.serve((app) => guardedForMachines(entrance)(around(crowd(app)))).pipe(
    Layer.provide(HttpApiBuilder.api(healthApi)),
    Layer.provide(healthLive(config)),
    Layer.provide(metricsLive(config, leftovers))
  )

/** Before the API's own routes: the guard, the document, and the page's files. A body that cannot be read is the request's own fault. */
const frontLive = (entrance: Entrance, folder: string, crowd = makeCrowd()) =>
  HttpApiBuilder.middleware(
    Effect.map(
      Effect.context<FileSystem.FileSystem | Path.Path | HttpPlatform.HttpPlatform | Etag.Generator>(),
      (context) => (app) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const path = pathOf(request)
          if (path === openApiPath && request.method === "GET") return openApiResponse
          if (path.startsWith("/api/") || forMachines.has(path)) return app
          return Effect.map(
            Effect.provide(assets(folder), context),
            (found) => found ?? HttpServerResponse.empty({ status: 404 })
          )
        }).pipe(
          Effect.catchSomeDefect((defect) => (isOfTheBody(defect) ? Option.some(unreadable) : Option.none())),
          HttpServerRequest.withMaxBodySize(Option.some(largestBody)),
          crowd,
          guarded(entrance)
        )
    )
  )

/** No JSON, or JSON that is nested so deep that nothing can walk it. */
const isOfTheBody = (defect: unknown): boolean =>
  (HttpServerError.isServerError(defect) && defect._tag === "RequestError") ||
  (defect instanceof RangeError && /call stack/.test(defect.message))

const unreadable = Effect.orDie(
  HttpServerResponse.schemaJson(Refused)(
    new Refused({
      message: `The body of the request is no JSON, is nested too deep, or has more than ${largestBody} bytes.`
    }),
    { status: 400 }
  )
)

const withPage = (
  config: Config,
  entrance: Entrance,
  live: typeof Live.Service,
  { assets: folder = builtPage }: PageOptions
) =>
  Layer.unwrapEffect(
    Effect.map(Clock.currentTimeMillis, (started) =>
      HttpApiBuilder.serve().pipe(
        Layer.provide(frontLive(entrance, folder)),
        Layer.provide(HttpApiBuilder.api(api)),
        Layer.provide(healthLive(config)),
        Layer.provide(metricsLive(config, leftoversInJournal)),
        Layer.provide(pageLive(config, started)),
        Layer.provide(knownLive),
        Layer.provide(Layer.merge(Visitors.layer(entrance), Layer.succeed(Live, live))),
        Layer.provide(Sessions.layer(config.page.sessionLength)),
        Layer.provide(NodeContext.layer)
      )
    )
  )

/** Whoever connects and asks nothing, or asks a byte at a time, is hung up on; answers may take their time. */
const hurried = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 5_000 }
/**
 * Longer than most proxies keep a connection, which is a minute: after Node's own 5 s one may write to a connection that is just being closed here,
 * and tell whoever acts through it that there is no agent.
 */
const kept = { keepAliveTimeout: 75_000 }
/** More than probes, collectors, proxies and watching pages need, and less than what the agent's own calls would miss. */
const mostConnections = 1_000

const makeServer = (): Server => {
  const server = createServer({ ...hurried, ...kept })
  server.maxConnections = mostConnections
  // Somebody has gone away: nothing that anybody here has to hear of, and unheard it would end the process.
  server.on("connection", (socket) => socket.on("error", () => undefined))
  // The library would take a request with `Upgrade:` for a web socket. There are none here: its connection would have none of the limits above, and
  // none of Node's own care. Without a listener Node treats it as any other.
  server.on("newListener", (event) => {
    if (event === "upgrade") queueMicrotask(() => server.removeAllListeners("upgrade"))
  })
  return server
}

/** How long whoever is connected when it ends may still take. */
const grace = Duration.seconds(2)

/**
 * Nobody new is let in, `goodbye` is said, and who is not done by then is cut off. Without that, one request that is begun and not ended, or a
 * browser that comes back between the goodbye and the library's own closing, would hold up the agent's end for as long as it likes.
 */
const closing = (server: Server, goodbye: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    server.close(() => Deferred.unsafeDone(closed, Effect.void))
    yield* goodbye
    yield* Deferred.await(closed).pipe(Effect.interruptible, Effect.timeoutOption(grace))
    server.closeAllConnections()
    yield* Deferred.await(closed)
  })

/** Listens until the scope closes; gives the URL, without a slash at its end. Without `page`: the health alone. */
export const listen = (config: Config, host: string, port: number, page?: PageOptions) =>
  Effect.gen(function* () {
    const entrance: Entrance = { page: config.page, host: nameIn(host) }
    const own = makeServer()
    const server = NodeHttpServer.layer(() => own, { host, port })
    let goodbye: Effect.Effect<void> = Effect.void
    const context = yield* page !== undefined && config.page.enabled
      ? Effect.gen(function* () {
          const live = Context.get(yield* Layer.build(Live.layer(config)), Live)
          const served = withPage(config, entrance, live, page)
          goodbye = live.end
          return yield* Layer.build(Layer.provideMerge(served, server))
        })
      : Layer.build(Layer.provideMerge(healthOnly(config, entrance, leftoversInJournal), server))
    // Before everything else of it closes, or nobody would hear the goodbye.
    yield* Effect.addFinalizer(() => closing(own, goodbye))
    const { address } = Context.get(context, HttpServer.HttpServer)
    const bound = address._tag === "TcpAddress" ? address.port : port
    return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`
  })

/** For somebody who looks at the page. The reason is not for everybody who may ask for a page. */
const notYet = (app: HttpApp.Default): HttpApp.Default =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    forMachines.has(pathOf(request))
      ? app
      : HttpServerResponse.text("Site Actors has not begun its work yet. /readyz and its log say why.\n", {
          status: 503,
          headers: { "retry-after": "5" }
        })
  )

/**
 * The health alone, of an agent that has not begun yet: no offering is open, each for this reason. Until the scope closes, and then the port is
 * free again. A port that is taken is only said.
 */
export const listenBeforehand = (config: Config, reason: Effect.Effect<string>) =>
  Option.match(config.http.port, {
    onNone: () => Effect.void,
    onSome: (port) =>
      Effect.gen(function* () {
        const { host } = config.http
        const own = makeServer()
        const named = Layer.tap(Metrics.layer, (metrics) =>
          Effect.sync(() => Context.get(metrics, Metrics).named(config.offerings))
        )
        const services = Layer.mergeAll(Offerings.layer, Standings.waiting(reason), Quarantine.layer, named)
        yield* healthOnly(config, { page: config.page, host: nameIn(host) }, Effect.succeed(0), notYet).pipe(
          Layer.provide(NodeHttpServer.layer(() => own, { host, port })),
          Layer.provide(services),
          Layer.build
        )
        yield* Effect.addFinalizer(() => closing(own, Effect.void))
        yield* Effect.logInfo(
          `Health, until it begins: http://${host.includes(":") ? `[${host}]` : host}:${port}/readyz`
        )
      }).pipe(
        Effect.catchAll(({ cause }) =>
          Effect.logWarning(
            `Health cannot be shown on ${config.http.host}:${port} yet: ${cause instanceof Error ? cause.message : String(cause)}`
          )
        )
      )
  })

/** Says how to get in. A token is shown once, and only at a terminal: anywhere else what is printed is kept. */
const sayHowToSignIn = (config: Config, url: string) =>
  Effect.gen(function* () {
    if (!needsToken({ page: config.page, host: nameIn(config.http.host) })) {
      return yield* Effect.logInfo(`Page: ${url}/ (no token is asked for on this machine)`)
    }
    const known = yield* readTokens
    if (known.some(({ role }) => role === "operator"))
      return yield* Effect.logInfo(`Page: ${url}/ (sign in with your token)`)
    if (process.stdout.isTTY !== true) {
      return yield* Effect.logWarning(`Page: ${url}/ needs a token to sign in: \`site-actors token\` makes one.`)
    }
    const token = yield* firstToken("operator")
    if (Option.isNone(token)) return yield* Effect.logInfo(`Page: ${url}/ (sign in with your token)`)
    yield* Console.log(
      `\nSign in on ${url}/ with this token. It is shown only now; \`site-actors token --rotate\` makes another.\n\n    ${Redacted.value(token.value)}\n`
    )
  }).pipe(Effect.catchAll((error) => Effect.logWarning(error.message)))

/** A port that is taken is tried again: the agent that has it may be the one that this one follows. Never ends, and never fails. */
export const serveHttp = (config: Config, again: Schedule.Schedule<unknown> = mendProbe, page?: PageOptions) =>
  Option.match(config.http.port, {
    onNone: () => Effect.never,
    onSome: (port) =>
      listen(config, config.http.host, port, page).pipe(
        Effect.tapError(({ cause }) =>
          Effect.logWarning(
            `Health cannot be shown on ${config.http.host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}. Set http.port to another, or to off.`
          )
        ),
        Effect.retry(again),
        Effect.tap((url) => Effect.logInfo(`Health: ${url}/healthz and ${url}/readyz, metrics: ${url}/metrics`)),
        Effect.tap((url) => (page !== undefined && config.page.enabled ? sayHowToSignIn(config, url) : Effect.void)),
        Effect.zipRight(Effect.never),
        Effect.scoped
      )
  })

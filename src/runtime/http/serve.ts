/** Listens as the configuration says. The agent's work never waits for it, and never ends with it. */
import { createServer } from "node:http"
import { HttpApiBuilder, HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Option, type Schedule } from "effect"
import { healthApi } from "../../api/index.js"
import type { Config } from "../config/index.js"
import { mendProbe } from "../schedules.js"
import { healthLive } from "./health.js"

/** Listens until the scope closes; gives the URL, without a slash at its end. */
export const listen = (config: Config, host: string, port: number) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      HttpApiBuilder.serve().pipe(
        Layer.provide(HttpApiBuilder.api(healthApi)),
        Layer.provide(healthLive(config)),
        Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host, port }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const bound = address._tag === "TcpAddress" ? address.port : port
    return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`
  })

/** A port that is taken is tried again: the agent that has it may be the one that this one follows. Never ends, and never fails. */
export const serveHttp = (config: Config, again: Schedule.Schedule<unknown> = mendProbe) =>
  Option.match(config.http.port, {
    onNone: () => Effect.never,
    onSome: (port) =>
      listen(config, config.http.host, port).pipe(
        Effect.tapError(({ cause }) =>
          Effect.logWarning(
            `Health cannot be shown on ${config.http.host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}. Set http.port to another, or to off.`
          )
        ),
        Effect.retry(again),
        Effect.tap((url) => Effect.logInfo(`Health: ${url}/healthz and ${url}/readyz`)),
        Effect.zipRight(Effect.never),
        Effect.scoped
      )
  })

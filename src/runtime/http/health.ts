/** The health endpoints. What makes an offering ready stands in `offerings/readiness.ts`. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { DateTime, Effect } from "effect"
import { healthApi } from "../../api/index.js"
import type { Config } from "../config/index.js"
import { toOpen } from "../journal/present.js"
import type { Offerings } from "../offerings/offering.js"
import { readiness } from "../offerings/ready.js"
import type { Standings } from "../offerings/standing.js"
import { reachNow } from "../placement/index.js"
import { version } from "../version.js"

/** Processes that do not reach each other make nobody not ready: docs/scaling.md says why. */
const cutOff = Effect.map(reachNow, (reach) =>
  reach === undefined || reach.cutOffs.length === 0
    ? {}
    : {
        cutOff: reach.cutOffs.map(({ both, from, sentence, since, to }) => ({
          from,
          to,
          both,
          ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
          reason: `${sentence} ${toOpen}`
        }))
      }
)

export const healthLive = (config: Config) =>
  HttpApiBuilder.group(healthApi, "health", (handlers) =>
    Effect.map(Effect.zip(DateTime.now, Effect.context<Offerings | Standings>()), ([started, context]) =>
      handlers
        .handle("alive", () =>
          Effect.succeed({ status: "alive" as const, version, started: DateTime.formatIso(started) })
        )
        .handle("ready", () =>
          Effect.flatMap(Effect.provide(Effect.zip(readiness(config), cutOff), context), ([offerings, found]) =>
            offerings.every(({ ready }) => ready)
              ? Effect.succeed({ status: "ready" as const, offerings, ...found })
              : Effect.fail({ status: "not ready" as const, offerings, ...found })
          )
        )
    )
  )

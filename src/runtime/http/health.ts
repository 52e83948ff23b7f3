/** The health endpoints. What makes an offering ready stands in `offerings/readiness.ts`. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { DateTime, Effect } from "effect"
import { healthApi } from "../../api/index.js"
import type { Config } from "../config/index.js"
import type { Offerings } from "../offerings/offering.js"
import { readiness } from "../offerings/ready.js"
import type { Standings } from "../offerings/standing.js"
import { version } from "../version.js"

export const healthLive = (config: Config) =>
  HttpApiBuilder.group(healthApi, "health", (handlers) =>
    Effect.map(Effect.zip(DateTime.now, Effect.context<Offerings | Standings>()), ([started, context]) =>
      handlers
        .handle("alive", () =>
          Effect.succeed({ status: "alive" as const, version, started: DateTime.formatIso(started) })
        )
        .handle("ready", () =>
          Effect.flatMap(Effect.provide(readiness(config), context), (offerings) =>
            offerings.every(({ ready }) => ready)
              ? Effect.succeed({ status: "ready" as const, offerings })
              : Effect.fail({ status: "not ready" as const, offerings })
          )
        )
    )
  )

/** `site-actors run`: the agent, until it is told to stop. */
import { hostname } from "node:os"
import { Command } from "@effect/cli"
import { Effect, Layer, Logger, LogLevel, Option } from "effect"
import * as Agent from "../agent.js"
import { type Config, loadConfig, sentence } from "../config/index.js"
import { serveHttp } from "../http/index.js"
import { commandLogger, formats, secretsOf } from "../logging.js"
import { plugins } from "../plugins.js"
import { mendProbe } from "../schedules.js"
import { logLines } from "../telemetry/index.js"
import { defaultDataDir } from "./open-journal.js"
import * as options from "./options.js"

export const run = Command.make("run", { config: options.config, dataDir: options.dataDir }, ({ config, dataDir }) =>
  Effect.gen(function* () {
    const loaded = yield* loadConfig(config, plugins)
    const directory = Option.getOrElse(
      Option.orElse(dataDir, () => loaded.dataDir),
      () => defaultDataDir
    )
    const owner = `${hostname()}:${process.pid}`
    yield* Effect.gen(function* () {
      yield* Effect.forEach(loaded.notices, (notice) => Effect.logWarning(sentence(notice)))
      yield* Effect.logInfo(`Runs ${loaded.offerings.length} offering(s), journal in ${directory}`)
      yield* Effect.forkScoped(serveHttp(loaded, mendProbe, { dataDir: directory }))
      yield* Agent.run(loaded)
    }).pipe(
      Effect.scoped,
      Effect.provide(Agent.layer(directory, owner)),
      Effect.provide(Layer.provideMerge(logLines(loaded), logging(loaded)))
    )
  })
).pipe(
  Command.withDescription(
    "Takes orders from Waldur and carries them out, until SIGTERM. A restart goes on where it stopped."
  )
)

const levels = {
  DEBUG: LogLevel.Debug,
  INFO: LogLevel.Info,
  WARNING: LogLevel.Warning,
  ERROR: LogLevel.Error,
  CRITICAL: LogLevel.Fatal
} as const

/** Pretty on a terminal, one line of logfmt a record anywhere else. */
const logging = (config: Config) => {
  const format = process.stdout.isTTY === true ? formats.pretty : formats.logfmt
  return Layer.merge(
    Logger.replace(commandLogger, Logger.withConsoleLog(format(secretsOf(config)))),
    Logger.minimumLogLevel(levels[config.logLevel])
  )
}

/** `site-actors run`: the agent, until it is told to stop. */
import { fstatSync } from "node:fs"
import { hostname } from "node:os"
import { Command } from "@effect/cli"
import { Effect, Fiber, Layer, Logger, LogLevel, Option, Queue, Ref } from "effect"
import { countOf } from "../../../core/index.js"
import { keepCallsFile } from "../../activity/calls-file.js"
import { Recorder } from "../../activity/recorder.js"
import * as Agent from "../../agent.js"
import { begun } from "../../beforehand.js"
import { type Config, loadConfig, sentence } from "../../config/index.js"
import { nameOf } from "../../database/place.js"
import { tellOfEnd } from "../../drain.js"
import { serveHttp } from "../../http/index.js"
import { alone } from "../../journal/alone.js"
import { commandLogger, formats, isJournal, secretsOf, withPriorities } from "../../logging.js"
import { type LogLevels, LogLevelsInUse, levelled, logFile, makeLevels } from "../../logs/index.js"
import { Stopping } from "../../placement/stopping.js"
import { plugins } from "../../plugins.js"
import { collectAtRest, ownHeap } from "../../rest.js"
import { mendProbe } from "../../schedules.js"
import { logLines, sentry } from "../../telemetry/index.js"
import { coloured } from "../../terminal/paint.js"
import { showing } from "../../terminal/progress.js"
import { tracing } from "../../tracing/index.js"
import { described } from "../help.js"
import { defaultDataDir } from "../open-journal.js"
import * as options from "../options.js"

export const run = Command.make("run", { config: options.config, dataDir: options.dataDir }, ({ config, dataDir }) =>
  Effect.gen(function* () {
    const loaded = yield* loadConfig(config, plugins)
    const directory = Option.getOrElse(
      Option.orElse(dataDir, () => loaded.dataDir),
      () => defaultDataDir
    )
    const place = Option.getOrElse(loaded.database, () => directory)
    const levels = makeLevels(loaded.logLevel, loaded.logLevels)
    const owner = `${hostname()}:${process.pid}`
    const ending = yield* makeEnding
    const work = Effect.gen(function* () {
      yield* Effect.logInfo(`Runs ${countOf(loaded.offerings.length, "offering")}, journal in ${nameOf(place)}`)
      yield* rereadLevels(config, levels)
      yield* Effect.forkScoped(keepCallsFile(directory))
      yield* Effect.forkScoped(Effect.flatMap(ownHeap, collectAtRest))
      yield* Effect.forkScoped(serveHttp(loaded, mendProbe, {}))
      const { atWork } = yield* Stopping
      const { underWay } = yield* Recorder
      yield* Effect.onInterrupt(Agent.run(loaded), () => ending.begin(tellOfEnd({ atWork, underWay })))
    }).pipe(Effect.scoped)
    yield* Effect.gen(function* () {
      yield* Effect.forEach(loaded.notices, (notice) => Effect.logWarning(sentence(notice)))
      const agent = Layer.provide(
        Agent.layer(place, owner, { cluster: Option.getOrUndefined(loaded.cluster) }),
        alone(place)
      )
      yield* Effect.provide(work, yield* begun(loaded, agent))
    }).pipe(
      Effect.scoped,
      Effect.ensuring(ending.over),
      showing(false),
      Effect.provide(tracing(process.env)),
      Effect.provide(
        Layer.provideMerge(Layer.merge(logLines(loaded), sentry(loaded)), logging(loaded, levels, directory))
      )
    )
  })
).pipe(
  Command.withDescription(
    described(
      "Takes orders from Waldur and carries them out, until SIGTERM. A restart goes on where it stopped.",
      "site-actors run -c config.yaml --data-dir /var/lib/site-actors"
    )
  )
)

/** What is told beside an end, from its beginning until all that ends has ended. */
const makeEnding = Effect.map(Ref.make<Fiber.Fiber<void> | undefined>(undefined), (teller) => ({
  begin: (telling: Effect.Effect<void>) =>
    Effect.flatMap(Effect.forkDaemon(telling), (fiber) => Ref.set(teller, fiber)),
  over: Effect.flatMap(Ref.get(teller), (fiber) =>
    fiber === undefined
      ? Effect.void
      : // It looks five times a second, and has a last word.
        Effect.zipRight(
          Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), "500 millis"),
          Fiber.interrupt(fiber)
        )
  )
}))

/** On the console, and in the data directory. How much is said can change while the agent runs. */
const logging = (config: Config, levels: LogLevels, directory: string) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const secrets = secretsOf(config)
      const auto = process.stdout.isTTY === true ? "pretty" : "logfmt"
      const format = formats[config.logFormat === "auto" ? auto : config.logFormat]
      const isToJournal = isJournal(process.env.JOURNAL_STREAM, fstatSync(process.stdout.fd))
      const lines = isToJournal ? withPriorities(format(secrets, false)) : format(secrets, coloured())
      const copies = config.logFile ? [yield* logFile(directory, formats.json(secrets))] : []
      return Layer.mergeAll(
        Logger.replace(commandLogger, levelled(levels, [Logger.withConsoleLog(lines), ...copies])),
        // What is too little for the levels is left out there.
        Logger.minimumLogLevel(LogLevel.Debug),
        Layer.succeed(LogLevelsInUse, levels)
      )
    })
  )

/** SIGHUP: the levels as the file has them now, until the scope closes. A file that is wrong changes nothing. */
export const rereadLevels = (file: string, levels: LogLevels) =>
  Effect.gen(function* () {
    const signals = yield* Queue.sliding<void>(1)
    const heard = () => Queue.unsafeOffer(signals, undefined)
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("SIGHUP", heard)),
      () => Effect.sync(() => process.off("SIGHUP", heard))
    )
    const reread = Effect.gen(function* () {
      const { logLevel, logLevels } = yield* loadConfig(file, plugins)
      levels.set(logLevel, logLevels)
      yield* Effect.logInfo(
        "SIGHUP: log_level and log_levels are as the file has them now. Everything else needs a restart"
      )
    }).pipe(Effect.catchAll((error) => Effect.logWarning(`SIGHUP: the levels stay as they are: ${error.message}`)))
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(signals), reread)))
  })

/** The agent's own copy of its log: JSON, one line a record, readable by its owner only, and bounded: five files of 10 MB. */
import { Effect, Logger, type Scope } from "effect"
import { createStream } from "rotating-file-stream"
import { directoryOf, logName } from "./read.js"

const kept = 4

/** A disk that is full must not stop the agent: what cannot be written is said once, on the console, and left out. */
export const logFile = (
  dataDir: string,
  format: Logger.Logger<unknown, string>
): Effect.Effect<Logger.Logger<unknown, void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* Effect.runtime<never>()
    const stream = yield* Effect.acquireRelease(
      Effect.sync(() => createStream(logName, { path: directoryOf(dataDir), size: "10M", rotate: kept, mode: 0o600 })),
      (opened) =>
        Effect.async<void>((resume) => {
          if (opened.destroyed) resume(Effect.void)
          else opened.end(() => resume(Effect.void))
        }).pipe(Effect.timeoutOption("2 seconds"), Effect.asVoid)
    )
    let broken = false
    stream.on("error", (error) => {
      if (broken) return
      broken = true
      Effect.runFork(Effect.provide(Effect.logWarning(`The log file cannot be written: ${error.message}`), run))
    })
    return Logger.map(format, (line) => {
      if (!broken) stream.write(`${line}\n`)
    })
  })

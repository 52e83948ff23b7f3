/** The agent's own copy of its log: JSON, one line a record, readable by its owner only, and bounded: five files of 10 MB. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { Effect, Logger, type Scope } from "effect"
import { createStream } from "rotating-file-stream"
import { directoryOf, logName, logPath } from "./read.js"

const kept = 4

/** After so many ms without it the file is tried again: a disk that was full has room some time. */
const restOfFile = 60_000

/** Does the file end within a line? A process that is killed may leave one, and what is written behind it would be a part of it. */
const isTorn = (path: string): boolean => {
  try {
    const file = openSync(path, "r")
    try {
      const { size } = fstatSync(file)
      const last = Buffer.alloc(1)
      return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== "\n"
    } finally {
      closeSync(file)
    }
  } catch {
    // There is none yet, or it is the stream's to say what is wrong with it.
    return false
  }
}

/** A disk that is full must not stop the agent: what cannot be written is said once, on the console, and left out until it can be. */
export const logFile = (
  dataDir: string,
  format: Logger.Logger<unknown, string>,
  rest: number = restOfFile
): Effect.Effect<Logger.Logger<unknown, void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* Effect.runtime<never>()
    let isSaid = false
    /** Since when it cannot be written, by `performance.now()`. */
    let brokenAt: number | undefined
    const open = () => {
      const opened = createStream(logName, { path: directoryOf(dataDir), size: "10M", rotate: kept, mode: 0o600 })
      opened.on("error", (error) => {
        brokenAt = performance.now()
        if (isSaid) return
        isSaid = true
        Effect.runFork(Effect.provide(Effect.logWarning(`The log file cannot be written: ${error.message}`), run))
      })
      if (isTorn(logPath(dataDir))) opened.write("\n")
      return opened
    }
    let stream = open()
    yield* Effect.addFinalizer(() =>
      Effect.async<void>((resume) => {
        if (stream.destroyed) resume(Effect.void)
        else stream.end(() => resume(Effect.void))
      }).pipe(Effect.interruptible, Effect.timeoutOption("2 seconds"), Effect.asVoid)
    )
    const isWritten = (error?: Error | null) => {
      if (error === undefined || error === null) isSaid = false
    }
    return Logger.map(format, (line) => {
      if (brokenAt !== undefined) {
        if (performance.now() - brokenAt < rest) return
        brokenAt = undefined
        stream = open()
      }
      stream.write(`${line}\n`, isWritten)
    })
  })

/** What the agent's log file has, while it runs and after it has stopped. */
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Option, Schema } from "effect"

export const logName = "agent.log"
export const directoryOf = (dataDir: string): string => join(dataDir, "log")
export const logPath = (dataDir: string): string => join(directoryOf(dataDir), logName)

const Record = Schema.Struct({
  message: Schema.Unknown,
  logLevel: Schema.String,
  timestamp: Schema.String,
  cause: Schema.optional(Schema.Unknown),
  annotations: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), {
    default: () => ({})
  })
})
const decode = Schema.decodeUnknownOption(Schema.parseJson(Record))

export interface LogLine {
  /** As it stands in the file. */
  readonly text: string
  readonly level: string
  /** ISO 8601. */
  readonly at: string
  readonly message: string
  /** Empty if nothing failed. */
  readonly cause: string
  readonly annotations: Readonly<Record<string, string>>
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : Array.isArray(value) ? value.map(textOf).join(" ") : JSON.stringify(value)

/** None for what is no record, as the end of a line that is still being written. */
export const lineOf = (text: string): Option.Option<LogLine> =>
  Option.map(decode(text), ({ annotations, cause, logLevel, message, timestamp }) => ({
    text,
    level: logLevel,
    at: timestamp,
    message: textOf(message),
    cause: cause === undefined ? "" : textOf(cause),
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, textOf(value)]))
  }))

export const linesOf = (text: string): ReadonlyArray<LogLine> =>
  text.split("\n").flatMap((line) => Option.toArray(lineOf(line)))

/** All that is kept, the oldest first. Empty if there is no file. */
export const linesIn = (dataDir: string): Effect.Effect<ReadonlyArray<LogLine>, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const current = logPath(dataDir)
    const older = [4, 3, 2, 1].map((age) => `${current}.${age}`)
    const texts = yield* Effect.forEach([...older, current], (file) =>
      Effect.orElseSucceed(files.readFileString(file), () => "")
    )
    return texts.flatMap(linesOf)
  })

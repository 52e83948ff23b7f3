/** How much each part of the agent says. A change is felt with the next line. */
import { Array, Context, Either, FiberRef, FiberRefs, HashMap, Logger, LogLevel, Option, Tracer } from "effect"
import type { LogLevelName } from "../config/index.js"

/** The parts that have a level of their own: the annotation `part` of their lines. */
export const parts = [
  "orders",
  "events",
  "members",
  "usage",
  "observation",
  "waldur",
  "opennebula",
  "keycloak"
] as const

const effectLevels: Readonly<Record<LogLevelName, LogLevel.LogLevel>> = {
  DEBUG: LogLevel.Debug,
  INFO: LogLevel.Info,
  WARNING: LogLevel.Warning,
  ERROR: LogLevel.Error,
  CRITICAL: LogLevel.Fatal
}
const names: ReadonlyArray<string> = Object.keys(effectLevels)
const isName = (text: string): text is LogLevelName => names.includes(text)

export interface LogLevels {
  /** Of everything, and of single parts. */
  readonly set: (general: LogLevelName, byPart: Readonly<Record<string, LogLevelName>>) => void
  /** "waldur=debug" for a part, "=debug" for all that have no level of their own, "waldur=" to take its own away. One sentence. */
  readonly change: (wish: string) => Either.Either<string, string>
  readonly logs: (part: string | undefined, level: LogLevel.LogLevel) => boolean
}

export const makeLevels = (general: LogLevelName, byPart: Readonly<Record<string, LogLevelName>> = {}): LogLevels => {
  let everything = general
  let own = new Map(Object.entries(byPart))
  const of = (part: string | undefined): LogLevelName => (part === undefined ? undefined : own.get(part)) ?? everything
  return {
    set: (nextGeneral, nextByPart) => {
      everything = nextGeneral
      own = new Map(Object.entries(nextByPart))
    },
    change: (wish) => {
      const [part = "", said = ""] = wish.split("=")
      const level = said.toUpperCase()
      if (part !== "" && !parts.some((known) => known === part)) {
        return Either.left(`There is no part ${JSON.stringify(part)}: use one of ${parts.join(", ")}.`)
      }
      if (part !== "" && level === "") {
        own.delete(part)
        return Either.right(`${part} logs as everything does: ${everything}.`)
      }
      if (!isName(level))
        return Either.left(`There is no level ${JSON.stringify(said)}: use one of ${names.join(", ")}.`)
      if (part === "") everything = level
      else own.set(part, level)
      return Either.right(
        `${part === "" ? "Everything without a level of its own" : part} logs from ${level} on, until the agent ends or SIGHUP has it read its file again.`
      )
    },
    logs: (part, level) => LogLevel.greaterThanEqual(level, effectLevels[of(part)])
  }
}

/** Those of this process. By default everything passes that Effect's own minimum lets through. */
export class LogLevelsInUse extends Context.Reference<LogLevelsInUse>()("site-actors/runtime/LogLevels", {
  defaultValue: (): LogLevels => makeLevels("DEBUG")
}) {}

const partOf = (annotations: HashMap.HashMap<string, unknown>): string | undefined =>
  Option.getOrUndefined(Option.filter(HashMap.get(annotations, "part"), (part) => typeof part === "string"))

/** The trace and the span in which a line was said, where there is a tracer. */
const traced = (options: Logger.Logger.Options<unknown>): HashMap.HashMap<string, unknown> => {
  const context = FiberRefs.getOrDefault(options.context, FiberRef.currentContext)
  return Option.match(Context.getOption(context, Tracer.ParentSpan), {
    onNone: () => options.annotations,
    onSome: ({ sampled, spanId, traceId }) =>
      sampled
        ? HashMap.set(HashMap.set(options.annotations, "trace_id", traceId), "span_id", spanId)
        : options.annotations
  })
}

/** Only what these levels let through, to all of these loggers. */
export const levelled = (
  levels: LogLevels,
  loggers: ReadonlyArray<Logger.Logger<unknown, unknown>>
): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    if (!levels.logs(partOf(options.annotations), options.logLevel)) return
    const line = { ...options, annotations: traced(options) }
    Array.forEach(loggers, (logger) => logger.log(line))
  })

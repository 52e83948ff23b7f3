/** Lines of the log that wait to be sent to Waldur: bounded, and the oldest go first when there are too many. */
import { Context, HashMap, Layer, Logger, LogLevel, Option } from "effect"
import type { AgentLogLine } from "../../waldur/index.js"
import type { Config } from "../config/index.js"
import { secretsOf, wording } from "../logging.js"

export interface Line extends AgentLogLine {
  /** The offering's name, if it is about one. */
  readonly offering: string | undefined
}

export interface LineStore {
  readonly logger: Logger.Logger<unknown, void>
  /** The oldest that fulfil the condition. They stay until they are removed. */
  readonly oldest: (isIt: (line: Line) => boolean, most: number) => ReadonlyArray<Line>
  readonly remove: (lines: ReadonlyArray<Line>) => void
  /** How many were dropped since somebody asked, for want of room. */
  readonly takeDropped: () => number
  readonly size: () => number
}

/** What the sender itself says is not sent: its own failures would be all there is to tell, for ever. */
export const aboutSending = { part: "log shipping" } as const

const levelOf = ({ ordinal }: LogLevel.LogLevel): AgentLogLine["level"] => {
  if (ordinal >= LogLevel.Fatal.ordinal) return "CRITICAL"
  if (ordinal >= LogLevel.Error.ordinal) return "ERROR"
  if (ordinal >= LogLevel.Warning.ordinal) return "WARNING"
  return ordinal >= LogLevel.Info.ordinal ? "INFO" : "DEBUG"
}

const severity: Readonly<Record<AgentLogLine["level"], number>> = {
  DEBUG: LogLevel.Debug.ordinal,
  INFO: LogLevel.Info.ordinal,
  WARNING: LogLevel.Warning.ordinal,
  ERROR: LogLevel.Error.ordinal,
  CRITICAL: LogLevel.Fatal.ordinal
}

export interface LineStoreOptions {
  /** Of texts, in characters: what is kept may be twice that in bytes. */
  readonly limit: number
  /** What is less severe is not kept. */
  readonly level: AgentLogLine["level"]
  readonly secrets: ReadonlyArray<string>
}

export const makeLines = ({ level: least, limit, secrets }: LineStoreOptions): LineStore => {
  const kept = new Set<Line>()
  const wordsOf = wording(secrets)
  let characters = 0
  let dropped = 0
  const remove = (line: Line) => {
    if (kept.delete(line)) characters -= line.message.length
  }
  const add = (line: Line) => {
    kept.add(line)
    characters += line.message.length
    for (const oldest of kept) {
      if (characters <= limit) break
      remove(oldest)
      dropped += 1
    }
  }
  return {
    logger: Logger.make((record) => {
      if (record.logLevel.ordinal < severity[least]) return
      const text = (name: string) => {
        const value = Option.getOrUndefined(HashMap.get(record.annotations, name))
        return typeof value === "string" ? value : undefined
      }
      if (text("part") === aboutSending.part) return
      add({
        at: record.date.getTime(),
        level: levelOf(record.logLevel),
        message: wordsOf(record) || "(nothing was said)",
        module: ["site-actors", text("part")].filter((part) => part !== undefined).join("."),
        offering: text("offering")
      })
    }),
    oldest: (isIt, most) => {
      const found: Array<Line> = []
      for (const line of kept) {
        if (found.length >= most) break
        if (isIt(line)) found.push(line)
      }
      return found
    },
    remove: (lines) => lines.forEach(remove),
    takeDropped: () => {
      const count = dropped
      dropped = 0
      return count
    },
    size: () => kept.size
  }
}

export class LogLines extends Context.Tag("site-actors/runtime/LogLines")<LogLines, LineStore>() {}

/** The same lines that the log has, kept for Waldur; nothing where the file does not ask for it. */
export const logLines = (config: Config): Layer.Layer<never> | Layer.Layer<LogLines> => {
  const { bufferMegabytes, enabled, level } = config.logShipping
  if (!enabled || !config.agentIdentity) return Layer.empty
  const lines = makeLines({ limit: bufferMegabytes * 1024 * 1024, level, secrets: secretsOf(config) })
  return Layer.merge(Layer.succeed(LogLines, lines), Logger.add(lines.logger))
}

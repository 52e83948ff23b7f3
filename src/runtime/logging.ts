/**
 * The log. What stands in it comes from customers, marketplaces and clouds, so no text of theirs may end a line, forge another one, move a
 * terminal's cursor, or bring one of the agent's own secrets along.
 *
 * Effect's own loggers do not see to that: `Logger.pretty` prints every text as it is, `Logger.logFmt` leaves alone what has no blanks
 * (an escape character is none), and JSON has DEL, the C1 controls and bidirectional overrides as they are.
 */
import { Array, Cause, HashMap, Inspectable, Logger, type LogLevel, Redacted } from "effect"
import type { Config } from "./config/index.js"

/** Controls (ESC, newlines, C1), format characters (bidirectional overrides, zero width), line and paragraph separators, surrogates alone. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const escaped = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("")

/** On one line, with everything in it to be seen. Inside a JSON text it says the same as before. */
export const visible = (text: string): string => text.replace(invisible, escaped)

/** A text of several lines that are meant: each by itself. */
export const visibleLines = (text: string): string =>
  text
    .split(/\r\n|\n/)
    .map(visible)
    .join("\n")

/** No record is longer: one text from outside must not fill the disk. */
const longest = 32_768
const cut = (text: string): string =>
  text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text

type Strike = (text: string) => string

const shown = (value: unknown, strike: Strike): string => visible(cut(strike(Inspectable.toStringUnknown(value, 0))))

const colours: Readonly<Record<LogLevel.LogLevel["_tag"], number>> = {
  All: 90,
  Trace: 90,
  Debug: 34,
  Info: 32,
  Warning: 33,
  Error: 31,
  Fatal: 31,
  None: 90
}

/** For people at a terminal: a record is a line, its annotations and its cause stand indented below. */
const pretty = (strike: Strike, isColoured: boolean): Logger.Logger<unknown, string> =>
  Logger.make(({ date, logLevel, message, annotations, cause }) => {
    const level = isColoured ? `\u001b[${colours[logLevel._tag]}m${logLevel.label}\u001b[0m` : logLevel.label
    const said = Array.ensure(message).map((part) => shown(part, strike))
    const about = [...annotations].map(([key, value]) => `    ${visible(key)}: ${shown(value, strike)}`)
    const why = Cause.isEmptyType(cause)
      ? []
      : cut(strike(Cause.pretty(cause, { renderErrorCause: true })))
          .split("\n")
          .map((line) => `    ${visible(line)}`)
    return [`[${date.toISOString().slice(11, 23)}] ${level}: ${said.join(" ")}`, ...about, ...why].join("\n")
  })

/** A record as one line, without time and level: what is said, what about, and why. */
export const wording = (secrets: ReadonlyArray<string>): ((record: Logger.Logger.Options<unknown>) => string) => {
  const strike = striking(secrets)
  return ({ annotations, cause, message }) => {
    const said = Array.ensure(message).map((part) => shown(part, strike))
    const about = [...annotations]
      .filter(([key]) => key !== "offering" && key !== "part")
      .map(([key, value]) => `${visible(key)}=${shown(value, strike)}`)
    const why = Cause.isEmptyType(cause) ? [] : [shown(Cause.pretty(cause, { renderErrorCause: true }), strike)]
    return [...said, ...about, ...why].join(" ").trim()
  }
}

/**
 * A record is one line in each but `pretty`. `secrets` are struck out: a last net under those that keep secrets out of texts in the first
 * place, for what a bug may print.
 */
export const formats = {
  pretty: (secrets: ReadonlyArray<string> = [], isColoured = true) => pretty(striking(secrets), isColoured),
  logfmt: (secrets: ReadonlyArray<string> = []) => oneLine(Logger.logfmtLogger, secrets),
  json: (secrets: ReadonlyArray<string> = []) => oneLine(Logger.jsonLogger, secrets)
} as const

/** As sd-daemon(3) has them. */
const priorities: Readonly<Record<LogLevel.LogLevel["_tag"], number>> = {
  All: 7,
  Trace: 7,
  Debug: 7,
  Info: 6,
  Warning: 4,
  Error: 3,
  Fatal: 2,
  None: 7
}

/** For systemd's journal, which takes the priority off each line again: without it nothing is found by `journalctl --priority warning`. */
export const withPriorities = (logger: Logger.Logger<unknown, string>): Logger.Logger<unknown, string> =>
  Logger.make((record) => {
    const priority = `<${priorities[record.logLevel._tag]}>`
    return `${priority}${logger.log(record).replaceAll("\n", `\n${priority}`)}`
  })

/**
 * Does an output lead to systemd's journal? `stream`: what systemd says in `JOURNAL_STREAM`, "device:inode" (systemd.exec(5)). It stands there as
 * well where somebody has led the output elsewhere.
 */
export const isJournal = (
  stream: string | undefined,
  output: { readonly dev: number; readonly ino: number }
): boolean => stream === `${output.dev}:${output.ino}`

const oneLine = (logger: Logger.Logger<unknown, string>, secrets: ReadonlyArray<string>) => {
  const strike = striking(secrets)
  const text = (part: unknown) => cut(strike(Inspectable.toStringUnknown(part, 0)))
  return Logger.map(
    Logger.mapInputOptions(logger, (options: Logger.Logger.Options<unknown>) => ({
      ...options,
      // Before they are put between quotes: what is cut there would leave a quote open.
      message: Array.ensure(options.message).map(text),
      annotations: HashMap.map(options.annotations, text)
    })),
    (line) => visible(strike(line))
  )
}

/** Shorter ones would blot out harmless words. */
const shortest = 6

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** In the spellings in which a secret may come back: as it is, in JSON (also in JSON in a log's quotes), in a URL, in XML. */
const spellings = (secret: string): ReadonlyArray<string> => [
  secret,
  inJson(secret),
  inJson(inJson(secret)),
  encodeURIComponent(secret),
  secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
]

export const striking = (secrets: ReadonlyArray<string>): Strike => {
  const all = [...new Set(secrets.filter((secret) => secret.length >= shortest).flatMap(spellings))].sort(
    (one, other) => other.length - one.length
  )
  return (text) => all.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)
}

const secretKey = /passw|secret|token|credential|proxy|dsn/i

/** Every secret of a configuration, and the passwords inside of `user:password` and of URLs. */
export const secretsOf = (config: Config): ReadonlyArray<string> => {
  const found = new Set<string>()
  const take = (text: string) => {
    found.add(text.trim())
    if (URL.canParse(text) && new URL(text).password !== "") found.add(decodeURIComponent(new URL(text).password))
    else if (/^[^:/]+:./.test(text)) found.add(text.slice(text.indexOf(":") + 1).trim())
  }
  const walk = (value: unknown, isSecret: boolean): void => {
    if (typeof value === "string") {
      if (isSecret) take(value)
    } else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, isSecret || secretKey.test(key))
    }
  }
  for (const { waldur, backendSettings } of config.offerings) {
    const { credentials, proxy } = waldur
    take(Redacted.value(credentials._tag === "Token" ? credentials.token : credentials.clientSecret))
    if (proxy !== undefined) take(Redacted.value(proxy))
    walk(Redacted.value(backendSettings), false)
  }
  if (config.database._tag === "Some") take(Redacted.value(config.database.value.url))
  if (config.sentryDsn._tag === "Some") take(Redacted.value(config.sentryDsn.value))
  return [...found]
}

/** What every command logs with, in place of Effect's own; `run` puts one in its place that knows the secrets of the configuration. */
export const commandLogger: Logger.Logger<unknown, void> = Logger.withConsoleLog(formats.logfmt())

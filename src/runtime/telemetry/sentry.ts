/**
 * Bugs, and what the log has at the level of an error, told to Sentry where the file has a `sentry_dsn`.
 *
 * `@sentry/core` alone: its client, envelope, stack parser and rate limits. It is loaded only if it is wanted, and patches nothing
 * (docs/decisions/0009). What is sent is what the log says, with the same secrets struck out.
 */
import type { ErrorEvent, Exception, StackParser } from "@sentry/core"
import {
  Array,
  Cause,
  Clock,
  Effect,
  HashMap,
  Inspectable,
  Layer,
  Logger,
  LogLevel,
  Option,
  Redacted,
  Runtime
} from "effect"
import { request } from "undici"
import type { Config } from "../config/index.js"
import { secretsOf, striking, wording } from "../logging.js"
import { version } from "../version.js"

/** The same fault is told once in this time, with how often it was met meanwhile. */
const quiet = 60_000
/** Kinds of faults that are remembered. */
const mostKinds = 1_000
const timeout = 10_000
/** At the end of the agent, what is left gets this long. */
const lastWords = 2_000

export const sentry = (config: Config): Layer.Layer<never> =>
  Option.match(config.sentryDsn, {
    onNone: () => Layer.empty,
    onSome: (dsn) => Layer.unwrapScoped(Effect.map(reporter(Redacted.value(dsn), secretsOf(config)), Logger.add))
  })

/** A logger that tells Sentry, and says itself, once, if it cannot. */
const reporter = (dsn: string, secrets: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { createStackParser, createTransport, nodeStackLineParser, ServerRuntimeClient } = yield* Effect.promise(
      () => import("@sentry/core")
    )
    const runtime = yield* Effect.runtime()
    const clock = yield* Clock.clockWith(Effect.succeed)
    let lost = false
    const could = () => {
      lost = false
    }
    const couldNot = (reason: string) => {
      if (lost) return
      lost = true
      Runtime.runFork(runtime)(Effect.logWarning(`Sentry does not take what it is told: ${reason}`))
    }
    const stackParser = createStackParser(nodeStackLineParser())
    const strike = striking(secrets)
    const client = new ServerRuntimeClient({
      dsn,
      release: `site-actors@${version}`,
      platform: "node",
      runtime: { name: "node", version: process.version },
      integrations: [],
      stackParser,
      transport: (options) =>
        createTransport(options, ({ body }) =>
          send(options.url, options.headers, body).then(
            (answer) => {
              if (answer.statusCode >= 400) couldNot(`it answers ${answer.statusCode}`)
              else could()
              return answer
            },
            (error: unknown) => {
              couldNot(error instanceof Error ? error.message : String(error))
              return {}
            }
          )
        )
    })
    client.init()
    yield* Effect.addFinalizer(() => Effect.promise(() => client.close(lastWords)))
    const wordsOf = wording(secrets)
    const seldom = makeSeldom()
    return Logger.make((record) => {
      if (record.logLevel.ordinal < LogLevel.Error.ordinal) return
      const event = eventOf(record, { words: wordsOf, strike, stackParser })
      const repeated = seldom(event.fingerprint?.join() ?? "", clock.unsafeCurrentTimeMillis())
      if (repeated !== undefined) client.captureEvent({ ...event, extra: { ...event.extra, met_before: repeated } })
    })
  })

const send = async (url: string, headers: Record<string, string> | undefined, body: string | Uint8Array) => {
  const answer = await request(url, {
    method: "POST",
    headers: headers ?? {},
    body: typeof body === "string" ? body : Buffer.from(body),
    headersTimeout: timeout,
    bodyTimeout: timeout
  })
  await answer.body.dump()
  const header = (name: string) => {
    const value = answer.headers[name]
    return typeof value === "string" ? value : null
  }
  return {
    statusCode: answer.statusCode,
    headers: {
      "x-sentry-rate-limits": header("x-sentry-rate-limits"),
      "retry-after": header("retry-after")
    }
  }
}

/** How often this kind was met since it was last told; undefined: it was told just now. */
const makeSeldom = () => {
  const kinds = new Map<string, { at: number; missed: number }>()
  return (kind: string, now: number): number | undefined => {
    const known = kinds.get(kind)
    if (known !== undefined && now - known.at < quiet) {
      known.missed += 1
      return undefined
    }
    if (known === undefined && kinds.size >= mostKinds) kinds.clear()
    kinds.set(kind, { at: now, missed: 0 })
    return known?.missed ?? 0
  }
}

interface Means {
  readonly words: (record: Logger.Logger.Options<unknown>) => string
  readonly strike: (text: string) => string
  readonly stackParser: StackParser
}

const tagged = ["offering", "order", "resource", "part"] as const

/** Without the numbers and uuids that would make each one of its own kind. */
const kindOf = (message: string): string =>
  message
    .replace(/\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b/gi, "<uuid>")
    .replace(/\d+/g, "<number>")

const eventOf = (record: Logger.Logger.Options<unknown>, { stackParser, strike, words }: Means): ErrorEvent => {
  const message = words({ ...record, annotations: HashMap.empty(), cause: Cause.empty })
  const exceptions = thrown(record).map((error): Exception => {
    const frames = stackParser(error.stack ?? "")
    return {
      type: error.name,
      value: strike(error.message),
      ...(frames.length === 0 ? {} : { stacktrace: { frames } })
    }
  })
  const tags = tagged.flatMap((name) => {
    const value = Option.getOrUndefined(HashMap.get(record.annotations, name))
    return typeof value === "string" ? [[name, strike(value)] as const] : []
  })
  const others = [...record.annotations]
    .filter(([name]) => !tagged.some((tag) => tag === name))
    .map(([name, value]) => [name, strike(Inspectable.toStringUnknown(value, 0))] as const)
  const top = exceptions.at(-1)
  return {
    type: undefined,
    timestamp: record.date.getTime() / 1000,
    level: record.logLevel.ordinal >= LogLevel.Fatal.ordinal ? "fatal" : "error",
    logger: "site-actors",
    message,
    ...(exceptions.length === 0 ? {} : { exception: { values: [...exceptions] } }),
    tags: Object.fromEntries(tags),
    extra: Object.fromEntries(others),
    fingerprint: [kindOf(message), ...(top === undefined ? [] : [`${top.type}: ${kindOf(top.value ?? "")}`])]
  }
}

/** What was thrown or failed with, the outermost last, as Sentry has it. */
const thrown = ({ cause, message }: Logger.Logger.Options<unknown>): ReadonlyArray<Error> => [
  ...Array.ensure(message).filter((part) => part instanceof Error),
  ...Cause.prettyErrors(cause)
]

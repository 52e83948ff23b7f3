/** The parts of a bundle. What cannot be had is said in its place: a bundle is made when something does not work. */
import { release, totalmem, type } from "node:os"
import type { SqlClient } from "@effect/sql"
import { type Context, Effect, Either, Option, Stream } from "effect"
import { textOfFile } from "../config/index.js"
import { atOneMoment, jsonLines, leftovers, orders, pausesNow, signOfLife } from "../journal/history.js"
import { striking } from "../logging.js"
import { linesIn } from "../logs/index.js"
import { Observations } from "../observation/index.js"
import { version } from "../version.js"
import { redactYaml } from "./redact.js"

export interface Wanted {
  readonly dataDir: string
  /** Where it is read; why it cannot be. */
  readonly journal: Either.Either<Context.Context<SqlClient.SqlClient>, Error>
  /** The configuration file; none: it is left out. */
  readonly config: Option.Option<string>
  /** Of this order alone, its uuid; none: the end of everything. */
  readonly order: Option.Option<string>
  /** The running agent's address; none: it is not asked. */
  readonly http: Option.Option<string>
  /** Known secrets, beside those of the file. */
  readonly secrets: ReadonlyArray<string>
}

/** Of the log and the journal, where no order is named. */
const lastLines = 5_000

const readme = `This is a bundle of Site Actors. It holds no secrets: tokens, passwords and credentials were left out.

versions.json       the agent, Node and the system
configuration.yaml  without comments and secrets
readyz.json         how the running agent is, and why not (if it answered)
metrics.txt         what it measured (if it answered)
orders.json         open orders and the last that ended
journal.jsonl       what was done, entry by entry; what customers ordered is left out
log.jsonl           what was logged
leftovers.json, pauses.json, differences.json

What could not be had is said in its place.
`

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const orReason = <E extends Error, R>(part: Effect.Effect<string, E, R>): Effect.Effect<string, never, R> =>
  Effect.catchAll(part, (error) => Effect.succeed(`not to be had: ${error.message}\n`))

const asked = (url: string): Effect.Effect<string> =>
  Effect.tryPromise(() => fetch(url, { signal: AbortSignal.timeout(5_000) }).then((answer) => answer.text())).pipe(
    Effect.orElseSucceed(() => `not to be had: ${url} does not answer\n`)
  )

/** What a customer ordered is theirs: user data of a machine may be anything. Keys stay. */
const withoutOrdered = (line: string): string =>
  JSON.stringify(JSON.parse(line), (key, value: unknown) =>
    key === "attributes" && typeof value === "object" && value !== null ? Object.keys(value) : value
  )

/** File name -> contents. */
export const gather = (wanted: Wanted) =>
  Effect.gen(function* () {
    const file = yield* Effect.transposeMapOption(wanted.config, (path) =>
      Effect.orElseSucceed(
        Effect.map(textOfFile(path), ({ text }) => text),
        () => ""
      )
    )
    const configuration = Option.map(file, redactYaml)
    const strike = striking([
      ...wanted.secrets,
      ...Option.match(configuration, { onNone: () => [], onSome: ({ secrets }) => secrets })
    ])
    const journal = jsonLines(wanted.order).pipe(
      Stream.map(withoutOrdered),
      Stream.takeRight(lastLines),
      Stream.runCollect,
      atOneMoment,
      Effect.map((lines) => `${[...lines].join("\n")}\n`)
    )
    const log = Effect.map(linesIn(wanted.dataDir), (lines) =>
      lines
        .filter(({ annotations }) =>
          Option.match(wanted.order, { onNone: () => true, onSome: (id) => annotations.order === id })
        )
        .slice(-lastLines)
        .map(({ text }) => `${text}\n`)
        .join("")
    )
    const answered = (path: string) =>
      Option.match(wanted.http, {
        onNone: () => Effect.succeed("not to be had: http.port is off, or no configuration was named\n"),
        onSome: (url) => asked(`${url}${path}`)
      })
    const written = <A, E extends Error>(part: Effect.Effect<A, E, SqlClient.SqlClient>): Effect.Effect<A, E | Error> =>
      Either.match(wanted.journal, { onLeft: Effect.fail, onRight: (context) => Effect.provide(part, context) })
    const running = Effect.map(written(signOfLife), Option.getOrUndefined).pipe(
      Effect.catchAll(({ message }) => Effect.succeed(`not to be had: ${message}`))
    )
    const parts = yield* Effect.all({
      "README.txt": Effect.succeed(readme),
      "versions.json": Effect.map(running, (sign) =>
        json({
          agent: version,
          node: process.versions.node,
          system: `${type()} ${release()}`,
          memoryMegabytes: Math.round(totalmem() / 1_000_000),
          running: sign
        })
      ),
      "configuration.yaml": Effect.succeed(
        Option.match(configuration, { onNone: () => "not named: use -c\n", onSome: ({ text }) => text })
      ),
      "readyz.json": answered("/readyz"),
      "metrics.txt": answered("/metrics"),
      "orders.json": orReason(Effect.map(written(orders(20)), json)),
      "journal.jsonl": orReason(written(journal)),
      "log.jsonl": log,
      "leftovers.json": orReason(Effect.map(written(leftovers), json)),
      "pauses.json": orReason(Effect.map(written(pausesNow), json)),
      "differences.json": orReason(Effect.map(written(Observations.differences()), json))
    })
    return Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strike(text)]))
  })

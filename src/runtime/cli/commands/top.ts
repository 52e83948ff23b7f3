/** `site-actors top`: what the actors do now, again and again; a single picture where nobody watches. */
import { Command, Options } from "@effect/cli"
import { Clock, Console, Effect, Option, Schedule } from "effect"
import { readCallsFile } from "../../activity/calls-file.js"
import { pausesNow, signOfLife } from "../../journal/history.js"
import { type OrderInShort, workNow } from "../../journal/in-short.js"
import { visible } from "../../logging.js"
import { painted } from "../../terminal/paint.js"
import { nameColumn, table } from "../../terminal/table.js"
import { span } from "../../terminal/times.js"
import { described } from "../help.js"
import { dataDirectory, journalAt } from "../open-journal.js"
import * as options from "../options.js"

const once = Options.boolean("once").pipe(
  Options.withDescription("One picture, and no more. So it is anyway where the output is no terminal.")
)

const day = 86_400_000
/** As many as fit a screen, the oldest first. */
const most = 30

/** What there is to see, for people and for machines. `directory`: the agent's data directory. */
export const picture = (directory: string) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { counts, orders } = yield* workNow(now - day, most)
    const calls = yield* readCallsFile(directory)
    return {
      at: new Date(now).toISOString(),
      agent: Option.getOrUndefined(yield* signOfLife),
      pauses: yield* pausesNow,
      counts,
      orders,
      /** null: no agent runs that tells of its calls. */
      systems: Option.match(calls, { onNone: () => null, onSome: ({ systems }) => systems })
    }
  })
type Picture = Effect.Effect.Success<ReturnType<typeof picture>>

const millis = (value: number | null): string => (value === null ? "" : span(value))

const callsOf = (systems: NonNullable<Picture["systems"]>, now: number): ReadonlyArray<string> =>
  systems.length === 0
    ? []
    : [
        "",
        table(
          [
            { title: "system" },
            { title: "calls now", align: "right" },
            { title: "in 10 min", align: "right" },
            { title: "errors", align: "right" },
            { title: "median", align: "right" },
            { title: "95 %", align: "right" },
            { title: "longest now" }
          ],
          systems.map(({ calls, errors, longest, p50, p95, system, underWay }) => [
            system,
            String(underWay),
            String(calls),
            String(errors),
            millis(p50),
            millis(p95),
            longest === null ? "" : `${longest.call} ${longest.about} for ${span(now - longest.since)}`
          ])
        )
      ]

const row = (now: number, one: OrderInShort): ReadonlyArray<string> => [
  one.order.slice(0, 8),
  one.type,
  one.name === "" ? one.resource.slice(0, 8) : one.name,
  one.state,
  span(now - one.accepted),
  span(now - one.lastAt),
  one.retries === 0 ? "" : String(one.retries),
  one.last
]

export const drawn = ({ agent, at, counts, orders, pauses, systems }: Picture): string => {
  const now = Date.parse(at)
  const life =
    agent === undefined
      ? "No agent has run on this journal yet."
      : agent.runs
        ? "The agent runs."
        : `The agent does not run: its last sign of life was ${span(agent.silence)} ago.`
  const states = ["executing", "waits", "undoing", "quarantined", "done", "erred"]
    .map((state) => `${painted(state)} ${counts[state] ?? 0}`)
    .join("   ")
  const held = pauses.map(
    ({ reason, scope, since, what }) => `${what} ${scope} waits for ${span(now - since)}: ${visible(reason)}`
  )
  const list =
    orders.length === 0
      ? "No order is in work."
      : table(
          [
            { title: "order" },
            { title: "type" },
            nameColumn("resource"),
            { title: "state" },
            { title: "for", align: "right" },
            { title: "last step", align: "right" },
            { title: "retries", align: "right" },
            { title: "", most: 70 }
          ],
          orders.map((one) => row(now, one))
        )
  return [
    `${at.slice(0, 19).replace("T", " ")} UTC  ${life}`,
    `${states}   (ended: in the last 24 h)`,
    ...held,
    ...(systems === null ? [] : callsOf(systems, now)),
    "",
    list
  ].join("\n")
}

const clear = "\u001b[H\u001b[2J"

export const top = Command.make("top", { ...options.journal, json: options.json, once }, (given) =>
  Effect.gen(function* () {
    const seeing = picture(yield* dataDirectory(given))
    if (given.json) return yield* Effect.flatMap(seeing, (seen) => Console.log(JSON.stringify(seen, null, 2)))
    if (given.once || process.stdout.isTTY !== true) {
      return yield* Effect.flatMap(seeing, (seen) => Console.log(drawn(seen)))
    }
    yield* Effect.flatMap(seeing, (seen) =>
      Effect.zipRight(
        // Not by the console, which lets no text move the cursor.
        Effect.sync(() => process.stdout.write(clear)),
        Console.log(`${drawn(seen)}\n\nCtrl-C ends it.`)
      )
    ).pipe(Effect.repeat(Schedule.spaced("1 second")))
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Shows the orders in work, each with its last step and since when, and what the agent calls and how fast it is answered, anew every second.",
      "site-actors top --data-dir /var/lib/site-actors",
      "site-actors top -c config.yaml --once --json"
    )
  )
)

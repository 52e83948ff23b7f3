/** `site-actors top`: what the actors do now, again and again; a single picture where nobody watches. */
import { Command, Options } from "@effect/cli"
import { Clock, Console, Effect, Option, Schedule } from "effect"
import { pausesNow, signOfLife } from "../journal/history.js"
import { type OrderInShort, orderCounts, ordersInWork } from "../journal/in-short.js"
import { described } from "./help.js"
import { journalAt } from "./open-journal.js"
import * as options from "./options.js"
import { painted } from "./paint.js"
import { table } from "./table.js"
import { span } from "./times.js"

const once = Options.boolean("once").pipe(
  Options.withDescription("One picture, and no more. So it is anyway where the output is no terminal.")
)

const day = 86_400_000
/** As many as fit a screen, the oldest first. */
const most = 30

/** What there is to see, for people and for machines. */
export const picture = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  return {
    at: new Date(now).toISOString(),
    agent: Option.getOrUndefined(yield* signOfLife),
    pauses: yield* pausesNow,
    counts: yield* orderCounts(now - day),
    orders: yield* ordersInWork(most)
  }
})
type Picture = Effect.Effect.Success<typeof picture>

const row = (now: number, one: OrderInShort): ReadonlyArray<string> => [
  one.order.slice(0, 8),
  one.type,
  one.name === "" ? one.resource.slice(0, 8) : one.name,
  one.state,
  span(now - one.accepted),
  span(now - one.lastAt),
  one.retries === 0 ? "" : String(one.retries),
  one.last.length > 70 ? `${one.last.slice(0, 67)}...` : one.last
]

export const drawn = ({ agent, at, counts, orders, pauses }: Picture): string => {
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
  const held = pauses.map(({ reason, scope, since }) => `Offering ${scope} waits for ${span(now - since)}: ${reason}`)
  const list =
    orders.length === 0
      ? "No order is in work."
      : table(
          [
            { title: "order" },
            { title: "type" },
            { title: "resource" },
            { title: "state" },
            { title: "for", align: "right" },
            { title: "last step", align: "right" },
            { title: "retries", align: "right" },
            { title: "" }
          ],
          orders.map((one) => row(now, one))
        )
  return [
    `${at.slice(0, 19).replace("T", " ")} UTC  ${life}`,
    `${states}   (ended: in the last 24 h)`,
    ...held,
    "",
    list
  ].join("\n")
}

const clear = "\u001b[H\u001b[2J"

export const top = Command.make("top", { ...options.journal, json: options.json, once }, (given) =>
  Effect.gen(function* () {
    if (given.json) return yield* Effect.flatMap(picture, (seen) => Console.log(JSON.stringify(seen, null, 2)))
    if (given.once || process.stdout.isTTY !== true) {
      return yield* Effect.flatMap(picture, (seen) => Console.log(drawn(seen)))
    }
    yield* Effect.flatMap(picture, (seen) => Console.log(`${clear}${drawn(seen)}\n\nCtrl-C ends it.`)).pipe(
      Effect.repeat(Schedule.spaced("1 second"))
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Shows the orders in work, each with its last step and since when, anew every second.",
      "site-actors top --data-dir /var/lib/site-actors",
      "site-actors top -c config.yaml --once --json"
    )
  )
)

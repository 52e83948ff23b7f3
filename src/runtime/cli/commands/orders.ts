/** `site-actors orders` and `site-actors order`: what the journal says of orders, while the agent runs and after it has stopped. */
import { Args, Command, Options } from "@effect/cli"
import { Clock, Console, Duration, Effect, Option } from "effect"
import {
  type OrderSummary,
  pausesNow,
  orders as readOrders,
  signOfLife,
  storyOf,
  summaryOf
} from "../../journal/history.js"
import { longSilence } from "../../journal/pauses.js"
import { cutOffs, present, toOpen } from "../../journal/present.js"
import { visible } from "../../logging.js"
import { showing } from "../../terminal/progress.js"
import { storyLines } from "../../terminal/story.js"
import { nameColumn, table } from "../../terminal/table.js"
import { span, when } from "../../terminal/times.js"
import { described } from "../help.js"
import { findOrder, journalAt } from "../open-journal.js"
import * as options from "../options.js"
import { follow } from "./follow.js"

const all = Options.boolean("all").pipe(
  Options.withDescription("Every order in the journal, not only the open ones and the last 20 that ended.")
)

export const orders = Command.make("orders", { ...options.journal, json: options.json, all }, (given) =>
  Effect.gen(function* () {
    const found = yield* readOrders(given.all ? Number.POSITIVE_INFINITY : 20)
    const now = yield* Clock.currentTimeMillis
    if (given.json) return yield* Console.log(JSON.stringify(found.map(asJson), null, 2))
    yield* Console.log(found.length === 0 ? "The journal has no orders." : ordersTable(found, now))
    yield* Console.log(`\n${yield* situation}`)
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Lists orders: the open ones and the last that ended, with their state and last step or error. `site-actors order <uuid>` tells one in full.",
      "site-actors orders -c config.yaml",
      "site-actors orders --data-dir /var/lib/site-actors --all --json"
    )
  )
)

const asJson = (summary: OrderSummary) => ({
  ...summary,
  since: new Date(summary.since).toISOString(),
  lastAt: new Date(summary.lastAt).toISOString()
})

const ordersTable = (found: ReadonlyArray<OrderSummary>, now: number): string =>
  table(
    [
      { title: "order" },
      { title: "type" },
      nameColumn("resource"),
      { title: "state" },
      { title: "since (UTC)" },
      { title: "for", align: "right" },
      // `order` tells all of it.
      { title: "last", most: 100 }
    ],
    found.map((one) => [
      one.order,
      one.type,
      one.name === "" ? one.resource : one.name,
      one.state,
      when(one.since),
      span((one.state === "done" || one.state === "erred" ? one.lastAt : now) - one.since),
      one.last
    ])
  )

/** Whether an agent runs, and what holds orders up. */
const situation = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const agent = Option.match(yield* signOfLife, {
    onNone: () => "No agent has run on this journal yet.",
    onSome: ({ runs, silence }) =>
      runs ? "The agent runs." : `The agent does not run: its last sign of life was ${span(silence)} ago.`
  })
  const pauses = (yield* pausesNow).map(
    ({ reason, scope, since, what }) => `${what} ${scope} waits for ${span(now - since)}: ${visible(reason)}`
  )
  const cut = cutOffs(yield* present(Duration.millis(longSilence))).map(
    ({ sentence, since }) => `${sentence} ${since === undefined ? "" : `For ${span(now - since)}. `}${toOpen}`
  )
  return [agent, ...cut, ...pauses].join("\n")
})

const uuid = Args.text({ name: "uuid" }).pipe(Args.withDescription("The order's uuid in Waldur, or its beginning."))

const following = Options.boolean("follow").pipe(
  Options.withAlias("f"),
  Options.withDescription(
    "Go on until the order has ended: each step when it ends, and how long the one in work takes."
  )
)

const orderOptions = { uuid, ...options.journal, json: options.json, follow: following }

export const order = Command.make("order", orderOptions, (given) =>
  Effect.gen(function* () {
    const found = yield* findOrder(given.uuid)
    if (given.follow) return yield* follow(found.order, given.json).pipe(showing(given.json))
    const story = yield* storyOf(found.order)
    const summary = summaryOf(found.order, found.resource, story)
    if (given.json) {
      const entries = story.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() }))
      return yield* Console.log(JSON.stringify({ ...asJson(summary), entries }, null, 2))
    }
    const { type, name, resource, offering, state } = summary
    yield* Console.log(
      [
        `Order     ${found.order}  ${type}`,
        `Resource  ${resource}  ${JSON.stringify(name)}`,
        `Offering  ${offering}`,
        `State     ${state}${summary.last === "" ? "" : `: ${visible(summary.last)}`}`,
        "",
        table(
          [
            { title: "at (UTC)" },
            { title: "step" },
            { title: "took", align: "right" },
            { title: "" },
            { title: "result" }
          ],
          storyLines(story).map((line) => [
            when(line.at),
            line.step,
            line.millis === undefined ? "" : span(line.millis),
            line.event,
            line.detail
          ])
        )
      ].join("\n")
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Tells one order: each of its steps, when, how long, with its result or error.",
      "site-actors order 3f2a6c0e -c config.yaml",
      "site-actors order 3f2a6c0e -c config.yaml --follow"
    )
  )
)

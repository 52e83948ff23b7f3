/** `site-actors leftovers`, `retry` and `quarantine`: what went wrong, and what may be done about it. */
import { Args, Command, Options } from "@effect/cli"
import { Clock, Console, Effect } from "effect"
import { orders, leftovers as readLeftovers } from "../../journal/history.js"
import { table } from "../../terminal/table.js"
import { span, when } from "../../terminal/times.js"
import { described } from "../help.js"
import { findOrder, journalAt, NotPossible, request } from "../open-journal.js"
import * as options from "../options.js"

const again = Options.boolean("retry").pipe(
  Options.withDescription("Ask the agent to undo them now; by itself it tries every 10 minutes.")
)

export const leftovers = Command.make("leftovers", { ...options.journal, json: options.json, again }, (given) =>
  Effect.gen(function* () {
    const before = yield* readLeftovers
    if (given.again && before.length > 0) yield* request("leftovers", "", "5 minutes", given.json)
    const left = given.again ? yield* readLeftovers : before
    const now = yield* Clock.currentTimeMillis
    if (given.json) {
      const shown = left.map((one) => ({ ...one, at: new Date(one.at).toISOString() }))
      return yield* Console.log(JSON.stringify(shown, null, 2))
    }
    yield* Console.log(
      left.length === 0
        ? "Nothing is left over."
        : table(
            [
              { title: "order" },
              { title: "resource" },
              { title: "step" },
              { title: "for", align: "right" },
              { title: "why" }
            ],
            left.map((one) => [one.order, one.resource, one.step, span(now - one.at), one.reason])
          )
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Lists what failed orders made and undoing could not remove, and why.",
      "site-actors leftovers -c config.yaml",
      "site-actors leftovers -c config.yaml --retry"
    )
  )
)

const uuid = Args.text({ name: "order" }).pipe(Args.withDescription("The order's uuid in Waldur, or its beginning."))

export const retry = Command.make("retry", { uuid, ...options.journal }, (given) =>
  Effect.gen(function* () {
    const { order } = yield* findOrder(given.uuid)
    yield* request("retry", order, "3 minutes")
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Wakes an order that rests after a failure; takes an erred one up again, in Waldur too, after undoing what is left of it; releases a quarantined one.",
      "site-actors retry 3f2a6c0e -c config.yaml"
    )
  )
)

const released = Options.text("release").pipe(
  Options.withDescription("The uuid of a resource (or of its order) that shall be taken up again."),
  Options.optional
)

const quarantined = Effect.map(orders(0), (all) => all.filter((one) => one.state === "quarantined"))

export const quarantine = Command.make("quarantine", { ...options.journal, json: options.json, released }, (given) =>
  Effect.gen(function* () {
    const held = yield* quarantined
    if (given.released._tag === "Some") {
      const wanted = given.released.value.replaceAll("-", "").toLowerCase()
      const match = held.filter(
        (one) => wanted.length >= 4 && (one.resource.startsWith(wanted) || one.order.startsWith(wanted))
      )
      const [one] = match
      if (one === undefined || match.length > 1) {
        return yield* new NotPossible({
          reason: `${match.length === 0 ? "Nothing" : "More than one thing"} in quarantine begins with ${JSON.stringify(wanted)}: see \`site-actors quarantine\`.`
        })
      }
      yield* request("release", one.resource, "30 seconds", given.json)
      if (!given.json) return
    }
    if (given.json)
      return yield* Console.log(JSON.stringify(given.released._tag === "Some" ? yield* quarantined : held, null, 2))
    yield* Console.log(
      held.length === 0
        ? "Nothing is in quarantine."
        : table(
            [
              { title: "resource" },
              { title: "order" },
              { title: "type" },
              { title: "since (UTC)" },
              { title: "defect" }
            ],
            held.map((one) => [one.resource, one.order, one.type, when(one.lastAt), one.last])
          )
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Lists resources whose order met a bug of the agent: it is left as it stands, all others go on. A restart tries again, and so does --release.",
      "site-actors quarantine -c config.yaml",
      "site-actors quarantine -c config.yaml --release 9f96e7fc"
    )
  )
)

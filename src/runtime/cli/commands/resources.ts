/** `site-actors resources` and `drift`: how everything was at the last look, and in what it differs from Waldur. */
import { Command, Options } from "@effect/cli"
import { Clock, Console, Effect } from "effect"
import { Observations } from "../../observation/index.js"
import { nameColumn, table } from "../../terminal/table.js"
import { span } from "../../terminal/times.js"
import { described } from "../help.js"
import { journalAt, request } from "../open-journal.js"
import * as options from "../options.js"

const inIso = (at: number): string => new Date(at).toISOString()

export const resources = Command.make("resources", { ...options.journal, json: options.json }, (given) =>
  Effect.gen(function* () {
    const observed = yield* Observations.all()
    const found = yield* Observations.differences()
    const now = yield* Clock.currentTimeMillis
    const differencesOf = (resource: string) => found.filter((one) => one.resource === resource)
    if (given.json) {
      const shown = observed.map((one) => ({
        ...one,
        at: inIso(one.at),
        differences: differencesOf(one.resource).map(asJson)
      }))
      return yield* Console.log(JSON.stringify(shown, null, 2))
    }
    yield* Console.log(
      observed.length === 0
        ? nothingLookedAt
        : table(
            [
              { title: "resource" },
              nameColumn("name"),
              nameColumn("backend id"),
              { title: "Waldur" },
              { title: "cloud" },
              { title: "standing" },
              { title: "differs" },
              { title: "seen before", align: "right" }
            ],
            observed.map((one) => [
              one.resource,
              one.name,
              one.backendId,
              one.marketplaceState,
              one.healthy ? one.state : `${one.state} (!)`,
              one.standing,
              [...new Set(differencesOf(one.resource).map(({ kind }) => kind))].join(", "),
              span(now - one.at)
            ])
          )
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Lists the resources that were looked at between orders: their state in Waldur and in the cloud.",
      "site-actors resources -c config.yaml",
      "site-actors resources -c config.yaml --json | jq '.[] | select(.healthy | not)'"
    )
  )
)

const nothingLookedAt =
  "No resource was looked at yet: the agent does so 1 to 3 minutes after its start, and every 10 minutes (observation_interval). `site-actors drift --look` has it look now."

const asJson = (one: Observations.KnownDifference) => ({ ...one, since: inIso(one.since) })

const look = Options.boolean("look").pipe(
  Options.withDescription("Ask the agent to look now; by itself it looks every 10 minutes (observation_interval).")
)

export const drift = Command.make("drift", { ...options.journal, json: options.json, look }, (given) =>
  Effect.gen(function* () {
    if (given.look) yield* request("look", "", "30 seconds", given.json)
    const found = yield* Observations.differences()
    const observed = yield* Observations.all()
    const names = new Map(observed.map(({ name, resource }) => [resource, name]))
    const now = yield* Clock.currentTimeMillis
    if (given.json) return yield* Console.log(JSON.stringify(found.map(asJson), null, 2))
    yield* Console.log(
      found.length === 0
        ? observed.length === 0
          ? nothingLookedAt
          : "Nothing differs."
        : table(
            [
              { title: "resource" },
              nameColumn("name"),
              { title: "kind" },
              { title: "for", align: "right" },
              { title: "policy" },
              { title: "what" },
              { title: "last try" }
            ],
            found.map((one) => [
              one.resource,
              names.get(one.resource) ?? "",
              one.kind,
              span(now - one.since),
              one.policy,
              one.sentence,
              one.outcome ?? ""
            ])
          )
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Lists in what resources differ from what Waldur says, since when, and what is done about it.",
      "site-actors drift -c config.yaml --look"
    )
  )
)

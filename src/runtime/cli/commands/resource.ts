/** `site-actors resource`: one resource, as it was at the last look, with what differs and its orders. */
import { Args, Command } from "@effect/cli"
import { Console, Effect, Option } from "effect"
import { ResourceId } from "../../../core/index.js"
import { ordersLike } from "../../journal/history.js"
import { ordersOf, resourcesLike } from "../../journal/in-short.js"
import { Observations } from "../../observation/index.js"
import { table } from "../../terminal/table.js"
import { span, when } from "../../terminal/times.js"
import { described } from "../help.js"
import { journalAt, NotPossible } from "../open-journal.js"
import * as options from "../options.js"

const uuid = Args.text({ name: "uuid" }).pipe(Args.withDescription("The resource's uuid in Waldur, or its beginning."))

const findResource = (given: string) =>
  Effect.gen(function* () {
    const wanted = given.replaceAll("-", "").toLowerCase()
    const [only, ...more] = wanted.length < 4 ? [] : yield* resourcesLike(wanted)
    if (only === undefined) {
      const [order] = wanted.length < 4 ? [] : yield* ordersLike(wanted)
      return yield* new NotPossible({
        reason:
          order === undefined
            ? `Nothing is known of a resource ${JSON.stringify(given)}. \`site-actors resources\` lists those that were looked at.`
            : `${JSON.stringify(given)} is an order, of the resource ${order.resource}: \`site-actors resource ${order.resource}\` tells that, and \`site-actors order ${order.order}\` the order.`
      })
    }
    if (more.length > 0) {
      return yield* new NotPossible({ reason: `Several resources begin with ${wanted}: write more of the uuid.` })
    }
    return only
  })

export const resource = Command.make("resource", { uuid, ...options.journal, json: options.json }, (given) =>
  Effect.gen(function* () {
    const found = yield* findResource(given.uuid)
    const observed = Option.getOrUndefined(yield* Observations.one(ResourceId.make(found.resource)))
    const differences = (yield* Observations.differences()).filter((one) => one.resource === found.resource)
    const orders = yield* ordersOf(found.resource)
    if (given.json) return yield* Console.log(JSON.stringify({ ...found, observed, differences, orders }, null, 2))
    const seen =
      observed === undefined
        ? "not yet"
        : `${when(observed.at)}: ${observed.state}${observed.healthy ? "" : " (!)"} in the cloud, ${observed.marketplaceState} in Waldur`
    yield* Console.log(
      [
        `Resource  ${found.resource}  ${JSON.stringify(found.name)}`,
        `Offering  ${found.offering}`,
        `Backend   ${observed?.backendId ?? ""}`,
        `Life      ${found.life}`,
        `Seen      ${seen}`,
        "",
        differences.length === 0
          ? "Nothing differs."
          : table(
              [{ title: "kind" }, { title: "since (UTC)" }, { title: "policy" }, { title: "what" }],
              differences.map((one) => [one.kind, when(one.since), one.policy, one.sentence])
            ),
        "",
        table(
          [
            { title: "order" },
            { title: "type" },
            { title: "state" },
            { title: "accepted (UTC)" },
            { title: "took", align: "right" },
            { title: "last" }
          ],
          orders.map((one) => [
            one.order,
            one.type,
            one.state,
            when(one.accepted),
            one.ended === null ? "" : span(one.ended - one.accepted),
            one.last
          ])
        )
      ].join("\n")
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Tells one resource: how it was at the last look, in what it differs from Waldur, and its orders.",
      "site-actors resource 9f96e7fc -c config.yaml"
    )
  )
)

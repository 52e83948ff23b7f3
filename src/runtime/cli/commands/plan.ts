/** `site-actors plan`: the calls that open orders would lead to. None of them is made. */
import { Command, Options } from "@effect/cli"
import { Console, Data, Effect, Either, Logger, LogLevel, Option } from "effect"
import { loadConfig, type OfferingConfig } from "../../config/index.js"
import { uuidOf } from "../../config/values.js"
import { onCopy, type PlannedOrder, planOffering } from "../../plan/plan.js"
import { plugins } from "../../plugins.js"
import { counted } from "../../progress.js"
import { showing } from "../../terminal/progress.js"
import { described } from "../help.js"
import { journalPlace, NotPossible } from "../open-journal.js"
import * as options from "../options.js"

/** Not all orders could be planned; what was printed says which and why. */
export class PlanIncomplete extends Data.TaggedError("PlanIncomplete")<{ readonly reasons: ReadonlyArray<string> }> {
  override get message(): string {
    return this.reasons.join("\n")
  }
}

const order = Options.text("order").pipe(Options.withDescription("Only this order, by its uuid."), Options.optional)

export const plan = Command.make(
  "plan",
  { config: options.config, dataDir: options.dataDir, order, json: options.json },
  ({ config, dataDir, order, json }) =>
    Effect.gen(function* () {
      const loaded = yield* loadConfig(config, plugins)
      const { there, where } = yield* journalPlace({ config: Option.some(config), dataDir })
      const wanted = yield* Effect.transposeMapOption(order, wholeUuid)
      const results = yield* counted(
        loaded.offerings.filter(({ functions }) => functions.orders),
        { what: "plans the orders of offerings", now: ({ name }) => name },
        (offering) => Effect.map(Effect.either(planned(offering, wanted)), (result) => ({ offering, result }))
      ).pipe(Effect.provide(onCopy(where, there)))
      const orders = results.flatMap(({ result }) => (Either.isRight(result) ? result.right : []))
      // Where Waldur did not answer, orders may be open.
      const isWhole = Option.isNone(order) && results.every(({ result }) => Either.isRight(result))
      if (json || orders.length > 0 || isWhole)
        yield* Console.log(json ? JSON.stringify(orders, null, 2) : told(orders))
      const reasons = results.flatMap(({ offering, result }) =>
        Either.isLeft(result) ? [`${offering.name} could not be planned: ${result.left.message}`] : []
      )
      if (reasons.length > 0) return yield* new PlanIncomplete({ reasons })
      if (Option.isSome(order) && orders.length === 0) {
        return yield* new NotPossible({ reason: `No offering of this configuration has the order ${order.value}.` })
      }
    }).pipe(showing(json), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))
).pipe(
  Command.withDescription(
    described(
      "Prints the calls that the open orders would lead to, without making them: reads are real, changes are only said. What would be made is in angle brackets.",
      "site-actors plan -c config.yaml",
      "site-actors plan -c config.yaml --order 3f2a6c0e9a4b4d5e8c7f1a2b3c4d5e6f --json"
    )
  )
)

const planned = (offering: OfferingConfig, order: Option.Option<string>) =>
  Effect.gen(function* () {
    if (offering.plugin.rehearses) return yield* planOffering(offering, order)
    return yield* new NotPossible({ reason: `the backend ${offering.plugin.type} cannot be rehearsed.` })
  })

/** Waldur is asked for it, which knows no beginnings of uuids. */
const wholeUuid = (text: string) =>
  Effect.mapError(
    Effect.fromNullable(uuidOf(text)),
    () =>
      new NotPossible({
        reason: `${JSON.stringify(text)} is not the whole uuid of an order. \`site-actors orders\` lists those that the agent knows, and Waldur shows the others'.`
      })
  )

const told = (orders: ReadonlyArray<PlannedOrder>): string =>
  orders.length === 0 ? "No orders are open." : orders.map(story).join("\n\n")

const comesTo: Readonly<Record<PlannedOrder["outcome"], string>> = {
  done: "would be done",
  refused: "would be refused",
  waits: "would be waiting",
  "nothing to do": "there would be nothing to do",
  bug: "would meet a bug"
}

const story = ({ type, resource, order, state, offering, calls, outcome, reason }: PlannedOrder): string =>
  [
    `${type} of ${JSON.stringify(resource)}, order ${order} (${state}), ${offering}`,
    ...calls.map(({ system, call, about }) => `  ${system.padEnd(10)}  ${call} ${about}`.trimEnd()),
    `  ${comesTo[outcome]}${reason === undefined ? "" : `: ${reason}`}`
  ].join("\n")

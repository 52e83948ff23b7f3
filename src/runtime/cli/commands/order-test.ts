/** `site-actors order-test`: one order from a template, through the whole agent, on a simulated cloud or, asked twice, on the real one. */
import { Args, Command, Options } from "@effect/cli"
import { Console, Data, Effect, Logger, LogLevel, Option } from "effect"
import * as Agent from "../../agent.js"
import { loadConfig, type OfferingConfig } from "../../config/index.js"
import { printLive } from "../../demo/live.js"
import { listenForOpening, type Tried, tryOrder } from "../../order-test/run.js"
import { assertOrderable, readOrder } from "../../order-test/template.js"
import { plugins } from "../../plugins.js"
import { coloured } from "../../terminal/paint.js"
import { showing } from "../../terminal/progress.js"
import { table } from "../../terminal/table.js"
import { described } from "../help.js"
import { NotPossible } from "../open-journal.js"
import * as options from "../options.js"

/** The test order did not go as it should; what was printed says where. */
export class OrderTestFailed extends Data.TaggedError("OrderTestFailed")<{
  readonly operation: string
  readonly real: boolean
}> {
  override get message(): string {
    return `The test order failed at: ${this.operation}.${this.real ? " What it may have left on the cloud: `site-actors orphans` lists it, as a stranger's." : ""}`
  }
}

const order = Args.path({ name: "order.yaml", exists: "either" }).pipe(
  Args.withDescription("What is ordered: name, attributes, amounts and a change. See examples/order-vdc.yaml.")
)
const offering = Options.text("offering").pipe(
  Options.withDescription("The offering's name or uuid; not needed if the file has only one."),
  Options.optional
)
const set = Options.text("set").pipe(
  Options.repeated,
  // The library's own for this (`keyValueMap`) says of a word without "=" that "text options do not have a default value".
  Options.filterMap(
    (words) => Option.all(words.map((word) => Option.fromNullable(/^([^=]+)=(.*)$/s.exec(word)))),
    "--set takes name=value, as in --set name=trial; once for each"
  ),
  Options.map((found) => new Map(found.map(([, name = "", value = ""]) => [name, value]))),
  Options.withDescription("A value for a place in the template: --set name=value puts it where {{name}} stands.")
)
const real = Options.boolean("real").pipe(
  Options.withDescription("On the offering's own cloud: makes real things there. Needs --yes as well.")
)
const yes = Options.boolean("yes").pipe(Options.withDescription("Yes, on the real cloud."))
const keep = Options.boolean("keep").pipe(Options.withDescription("Leave the resource there at the end."))

export const orderTest = Command.make(
  "order-test",
  { config: options.config, order, offering, set, real, yes, keep, json: options.json },
  (given) =>
    Effect.gen(function* () {
      const config = yield* loadConfig(given.config, plugins)
      const chosen = yield* choose(config.offerings, given.offering)
      const wanted = yield* readOrder(given.order, given.set)
      yield* assertOrderable(given.order, wanted, chosen)
      yield* permitted(chosen, given)
      const { makeStage } = yield* Effect.promise(() => import("../../order-test/stage.js"))
      const stage = yield* makeStage(config, { offering: chosen, order: wanted, real: given.real })
      const say = given.json ? Console.error : Console.log
      yield* say(
        `${given.real ? "On the real cloud" : "On a simulated cloud"}, with a simulated Waldur. What is made carries owner tags of resources that exist nowhere else.${given.real ? " Ctrl-C has it removed. If this is killed, `site-actors orphans` lists it, as a stranger's." : ""}\n`
      )
      const tried = yield* Effect.gen(function* () {
        const agent = Agent.run(stage.config)
        const opened = yield* listenForOpening
        yield* given.json ? Effect.forkScoped(agent) : printLive(agent, { colours: coloured() })
        yield* opened
        return yield* tryOrder(stage, given.keep)
      }).pipe(Effect.scoped, Effect.provide(Agent.layer(stage.dataDir, "order-test")))
      yield* Console.log(given.json ? JSON.stringify(tried, null, 2) : `\n${report(tried)}`)
      const failed = tried.find(({ state }) => state !== "done")
      if (failed !== undefined) return yield* new OrderTestFailed({ operation: failed.operation, real: given.real })
    }).pipe(showing(given.json), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Warning))
).pipe(
  Command.withDescription(
    described(
      "Tries an offering: orders something by a template, changes it and ends it, through the whole agent. On a simulated cloud, unless --real --yes says otherwise; Waldur is simulated in any case.",
      "site-actors order-test -c config.yaml examples/order-vdc.yaml --set name=trial",
      "site-actors order-test -c config.yaml examples/order-vm.yaml --set name=trial --offering 'Virtual machines' --real --yes"
    )
  )
)

const choose = (offerings: ReadonlyArray<OfferingConfig>, wanted: Option.Option<string>) =>
  Effect.gen(function* () {
    const found = Option.match(wanted, {
      onNone: () => offerings,
      onSome: (name) =>
        offerings.filter((one) => one.name === name || one.id === name.replaceAll("-", "").toLowerCase())
    })
    const [only, ...others] = found
    const names = offerings.map(({ name }) => JSON.stringify(name)).join(", ")
    if (only === undefined || others.length > 0) {
      return yield* new NotPossible({ reason: `Say which offering is meant by --offering: ${names}.` })
    }
    return only
  })

const permitted = (offering: OfferingConfig, { real, yes }: { readonly real: boolean; readonly yes: boolean }) =>
  Effect.gen(function* () {
    if (real && !yes) {
      return yield* new NotPossible({
        reason: `This would make real things by the offering ${JSON.stringify(offering.name)}: say --real --yes if it shall.`
      })
    }
    if (!real && !offering.plugin.type.startsWith("opennebula-")) {
      return yield* new NotPossible({
        reason: `There is no simulated cloud for ${offering.plugin.type}: it can be tried by --real --yes only.`
      })
    }
  })

const report = (tried: ReadonlyArray<Tried>): string =>
  table(
    [{ title: "operation" }, { title: "result" }, { title: "seconds", align: "right" }, { title: "" }],
    tried.map(({ operation, state, milliseconds, remark }) => [
      operation,
      state === "done" ? "PASS" : "FAIL",
      (milliseconds / 1000).toFixed(2),
      remark
    ])
  )

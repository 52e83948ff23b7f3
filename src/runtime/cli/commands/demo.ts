/** `site-actors demo`: six orders through both simulators and the agent, live, and a check of what is left on both sides. */
import { Command, Options } from "@effect/cli"
import { Console, Data, Effect, Logger, LogLevel, Redacted } from "effect"
import * as Agent from "../../agent.js"
import { loadConfig } from "../../config/index.js"
import { makeCustomer } from "../../demo/customer.js"
import { printLive } from "../../demo/live.js"
import { keepOrdering } from "../../demo/traffic.js"
import { serveHttp } from "../../http/serve.js"
import { plugins } from "../../plugins.js"
import { mendProbe } from "../../schedules.js"
import { coloured } from "../../terminal/paint.js"
import { showing } from "../../terminal/progress.js"
import { table } from "../../terminal/table.js"
import { described } from "../help.js"
import * as options from "../options.js"

/** The demo did not end as it should; what it printed says where. */
export class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly differences: ReadonlyArray<string> }> {
  override get message(): string {
    return `The demo failed:\n${this.differences.map((difference) => `  - ${difference}`).join("\n")}`
  }
}

const boot = options
  .wholeNumber("boot-ms", 0, 600_000)
  .pipe(
    Options.withDescription(
      "How long a simulated VM takes to boot; 100 if it is not said, as long as a real front-end with dummy drivers took."
    ),
    Options.withDefault(100)
  )

const ui = Options.boolean("ui").pipe(
  Options.withDescription(
    "Afterwards a customer goes on ordering, and the web page shows it, until Ctrl-C. Its address is printed."
  )
)

export const demo = Command.make("demo", { boot, ui }, ({ boot, ui }) =>
  Effect.gen(function* () {
    // The simulators are loaded by those who want them, not by every agent.
    const [{ makeSetting }, { added, takeInventory }, { tellStory }] = yield* Effect.promise(() =>
      Promise.all([import("../../demo/setting.js"), import("../../demo/inventory.js"), import("../../demo/story.js")])
    )
    const setting = yield* makeSetting({ bootMillis: boot, page: ui })
    const { cloud, marketplace, world } = setting
    yield* Console.log(`Simulated OpenNebula  ${cloud.url}\nSimulated Waldur      ${marketplace.url}/api/\n`)
    const config = yield* loadConfig(setting.configFile, plugins)
    const before = takeInventory(cloud.frontEnd)
    const differences = yield* Effect.gen(function* () {
      yield* printLive(Agent.run(config), { colours: coloured() })
      if (ui) yield* Effect.forkScoped(serveHttp(config, mendProbe, {}))
      const customer = yield* makeCustomer(marketplace.url, Redacted.make(world.customerToken))
      const { chapters, made } = yield* tellStory(customer, world, cloud.frontEnd, () =>
        added(before, takeInventory(cloud.frontEnd))
      )
      yield* Console.log("\nWhat the orders made\n")
      yield* Console.log(made.map((object) => `  ${object}`).join("\n"))
      yield* Console.log("\nOrders\n")
      yield* Console.log(
        table(
          [
            { title: "operation" },
            { title: "resource" },
            { title: "result" },
            { title: "seconds", align: "right" },
            { title: "" }
          ],
          chapters.map(({ operation, resource, passed, milliseconds, remark }) => [
            operation,
            resource,
            passed ? "PASS" : "FAIL",
            (milliseconds / 1000).toFixed(2),
            remark
          ])
        )
      )
      const left = added(before, takeInventory(cloud.frontEnd))
      const alive = [...marketplace.marketplace.resources.values()].filter(
        (resource) => resource.state !== "Terminated"
      )
      yield* Console.log(`\nLeft over in OpenNebula: ${left.length === 0 ? "nothing" : left.join(", ")}`)
      yield* Console.log(
        `Left over in Waldur:     ${alive.length === 0 ? "nothing" : alive.map((one) => `${one.name} ${one.state}`).join(", ")}`
      )
      if (ui) {
        yield* Console.log(
          `\nThe page is at ${setting.page}/ and shows a customer who goes on ordering. Ctrl-C ends it.\n`
        )
        yield* keepOrdering(customer, world)
      }
      return [
        ...chapters.filter((chapter) => !chapter.passed).map((chapter) => `${chapter.operation}: ${chapter.remark}`),
        ...left.map((object) => `left over in OpenNebula: ${object}`),
        ...alive.map((resource) => `left over in Waldur: ${resource.name} is ${resource.state}`),
        ...(made.length === 0 ? ["the orders made nothing"] : [])
      ]
    }).pipe(Effect.scoped, Effect.provide(Agent.layer(setting.dataDir, "demo")))
    if (differences.length > 0) return yield* new DemoFailed({ differences })
  }).pipe(showing(false), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Warning))
).pipe(
  Command.withDescription(
    described(
      "Shows six orders from a simulated Waldur become calls to a simulated OpenNebula, and back.",
      "site-actors demo",
      "site-actors demo --ui"
    )
  )
)

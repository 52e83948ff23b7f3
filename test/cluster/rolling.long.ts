/** Three processes over one PostgreSQL are replaced one after the other, as the pods of a StatefulSet are: each comes back at another address. */
import { expect } from "@effect/vitest"
import { Array, Effect, Fiber, Option, Schema } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { orNever } from "../crash/waits.js"
import { freePort } from "../support/ports.js"
import { scrapeOf } from "../telemetry/scrape.js"
import { makeClusterSite, type Node } from "./site.js"

const Addresses = Schema.Array(Schema.Struct({ address: Schema.String }))
const Ready = Schema.parseJson(
  Schema.Struct({
    status: Schema.String,
    cutOff: Schema.optionalWith(Schema.Array(Schema.Struct({ reason: Schema.String })), { default: () => [] })
  })
)

/** None: it does not run. */
const asked = (port: number, path: string) =>
  Effect.option(Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}${path}`).then((answer) => answer.text())))

withAgent("three processes over one PostgreSQL that are replaced one after the other", (it) => {
  it.scoped(
    "carry all orders out meanwhile, and nothing of those that are gone is taken for a fault",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const ports = yield* Effect.replicateEffect(freePort, 3)
        const site = yield* makeClusterSite({
          main,
          processes: 3,
          takeover: 5,
          pollInterval: 1,
          root: { http: { host: "127.0.0.1", port: "$" + "{HTTP_PORT:-0}" } },
          environment: (name) => ({ HTTP_PORT: String(ports[name - 1]) }),
          cloud: { keepCalls: false, initial: { hosts: [{ name: "host01", cpuCores: 1000, memoryMb: 1_000_000 }] } }
        })
        const readiness = ({ name }: Node) =>
          Effect.map(asked(ports[name - 1] ?? 0, "/readyz"), Option.flatMap(Schema.decodeOption(Ready)))
        const metrics = ({ name }: Node) => Effect.map(asked(ports[name - 1] ?? 0, "/metrics"), Option.map(scrapeOf))
        const ready = (node: Node) =>
          readiness(node).pipe(
            Effect.delay("100 millis"),
            Effect.repeat({ until: Option.exists(({ status }) => status === "ready") }),
            orNever(() => `process ${node.name} ready: ${node.agent.output()}`)
          )
        yield* Effect.forEach(site.nodes, ready)

        const alarms: Array<string> = []
        const look = (node: Node) =>
          Effect.gen(function* () {
            const said = yield* readiness(node)
            if (Option.isSome(said)) alarms.push(...said.value.cutOff.map(({ reason }) => reason))
            const apart = Option.flatMapNullable(yield* metrics(node), ({ value }) =>
              value("site_actors_processes_unreached")
            )
            if (Option.exists(apart, (others) => others > 0)) alarms.push(`${node.name} does not reach all others`)
          })
        yield* Effect.forkScoped(
          Effect.forever(Effect.delay(Effect.forEach(site.nodes, look, { discard: true }), "300 millis"))
        )

        const orders: Array<string> = []
        const customer = yield* Effect.forkScoped(
          Effect.suspend(() => site.place.vdc(`rolling-${orders.length + 1}`)).pipe(
            Effect.tap((order) => orders.push(order)),
            Effect.delay("1 second"),
            Effect.forever
          )
        )
        for (const node of site.nodes.toReversed()) {
          node.agent.signal("SIGTERM")
          const end = yield* orNever(() => `the end of process ${node.name}`)(node.agent.ended)
          expect(end).toEqual({ code: 0, signal: null })
          yield* node.restartElsewhere
          yield* ready(node)
        }
        yield* Fiber.interrupt(customer)
        const ended = yield* orNever(() => "the end of all orders")(
          Effect.forEach(orders, site.marketplace.awaitOrderEnd, { concurrency: "unbounded" })
        )
        expect(ended.map(({ errorMessage, state }) => `${state}${errorMessage}`)).toEqual(orders.map(() => "done"))

        /** Of which offerings they say when their orders were last looked for: it is the one that looks for them. */
        const looks = Effect.map(Effect.forEach(site.nodes, metrics), (all) =>
          Array.getSomes(all)
            .flatMap(({ samples }) => samples.get("site_actors_last_success_timestamp_seconds") ?? [])
            .flatMap(({ labels }) => (labels?.work === "orders" ? [labels.offering] : []))
            .toSorted()
        )
        yield* looks.pipe(
          Effect.delay("200 millis"),
          Effect.repeat({ until: (now) => now.join() === "VDC,VM" }),
          orNever(() => "one process for each offering")
        )
        const book = yield* Effect.flatMap(
          site.query("SELECT address FROM cluster_runner ORDER BY address"),
          Schema.decodeUnknown(Addresses)
        )
        expect(book.map(({ address }) => address)).toEqual(site.nodes.map(({ port }) => `127.0.0.1:${port}`).toSorted())
        expect(alarms).toEqual([])
      }),
    long
  )
})

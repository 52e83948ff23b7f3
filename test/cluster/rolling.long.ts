/** Three processes over one PostgreSQL are replaced one after the other, as the pods of a StatefulSet are: each comes back at another address. */
import { expect } from "@effect/vitest"
import { Array, Clock, Console, Effect, Fiber, Option, Schema } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { orNever } from "../crash/waits.js"
import { freePort } from "../support/ports.js"
import { scrapeOf } from "../telemetry/scrape.js"
import { makeClusterSite, type Node } from "./site.js"

const Addresses = Schema.Array(Schema.Struct({ address: Schema.String }))
const Ready = Schema.parseJson(
  Schema.Struct({
    status: Schema.String,
    cutOff: Schema.optional(Schema.Array(Schema.Struct({ reason: Schema.String })))
  })
)

/** Of one that runs, what it answers. */
const asked = (port: number, path: string) =>
  Effect.option(Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text())))

import { mkdirSync, writeFileSync } from "node:fs"
const require_ = (dir: string, site: any) => { mkdirSync(dir, { recursive: true }); for (const n of site.nodes) writeFileSync(`${dir}/${n.name}.log`, n.outputs().join("--- again\n")) }
withAgent("three processes over one PostgreSQL, replaced one after the other", (it) => {
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
        const portOf = ({ name }: Pick<Node, "name">) => ports[name - 1] ?? 0
        const readiness = (node: Node) =>
          Effect.map(asked(portOf(node), "/readyz"), Option.flatMap(Schema.decodeOption(Ready)))
        const ready = (node: Node) =>
          readiness(node).pipe(
            Effect.delay("100 millis"),
            Effect.repeat({ until: Option.exists(({ status }) => status === "ready") }),
            orNever(() => `process ${node.name} ready: ${node.agent.output()}`)
          )
        const scrape = (node: Node) => Effect.map(asked(portOf(node), "/metrics"), Option.map(scrapeOf))
        yield* Effect.forEach(site.nodes, ready)

        const alarms: Array<string> = []
        const look = Effect.forEach(
          site.nodes,
          (node) =>
            Effect.zipWith(readiness(node), scrape(node), (said, read) => {
              const apart = Option.match(read, {
                onNone: () => 0,
                onSome: ({ value }) => value("site_actors_processes_unreached") ?? 0
              })
              if (apart > 0) alarms.push(`process ${node.name}: ${apart} not reached`)
              if (Option.isSome(said)) alarms.push(...(said.value.cutOff ?? []).map(({ reason }) => reason))
            }),
          { discard: true }
        )
        const watched = yield* Effect.fork(Effect.forever(Effect.delay(look, "300 millis")))

        let at = 0
        const orders: Array<{ readonly uuid: string; readonly placed: number; readonly took: Fiber.Fiber<number> }> = []
        const customer = yield* Effect.gen(function* () {
          const uuid = yield* site.place.vdc(`rolling-${++at}`)
          const placed = yield* Clock.currentTimeMillis
          const took = yield* Effect.forkDaemon(
            Effect.flatMap(site.marketplace.awaitOrderEnd(uuid), (order) =>
              Effect.map(Clock.currentTimeMillis, (now) => {
                expect(`${order.state}${order.errorMessage}`).toBe("done")
                return now - placed
              })
            )
          )
          orders.push({ uuid, placed, took })
        }).pipe(Effect.delay("1 second"), Effect.forever, Effect.fork)

        const began = yield* Clock.currentTimeMillis
        for (const node of site.nodes.toReversed()) {
          const from = yield* Clock.currentTimeMillis
          node.agent.signal("SIGTERM")
          const end = yield* orNever(() => `the end of process ${node.name}`)(node.agent.ended)
          expect(end).toEqual({ code: 0, signal: null })
          const gone = yield* Clock.currentTimeMillis
          yield* node.restartElsewhere
          yield* ready(node)
          const now = yield* Clock.currentTimeMillis
          yield* Console.log(`process ${node.name}: ended in ${gone - from} ms, ready ${now - gone} ms later`)
        }
        const replaced = yield* Clock.currentTimeMillis
        yield* Effect.sleep("8 seconds")
        yield* Fiber.interrupt(customer)
        const took = yield* orNever(() => {
          require_("/tmp/scale/rolling", site)
          return `the end of ${orders
            .filter(({ uuid }) => site.marketplace.orders.get(uuid)?.state !== "done")
            .map(({ uuid }) => `${uuid} ${site.marketplace.orders.get(uuid)?.state}`)
            .join(", ")}`
        })(Effect.forEach(orders, (one) => Fiber.join(one.took)))
        yield* Console.log(
          `replaced in ${replaced - began} ms; ${orders.length} orders, the longest ${took
            .toSorted((a, b) => b - a)
            .slice(0, 8)
            .join(", ")} ms`
        )
        yield* Console.log(orders.map((o, i) => `${o.placed - began}: ${took[i]} ${o.uuid}`).join("\n"))
        require_("/tmp/scale/rolling", site)
        writeFileSync("/tmp/scale/rolling/journal.json", JSON.stringify(yield* site.query("SELECT order_id, epoch, step, event, CAST(at AS text) AS at, CAST(id AS int) AS id FROM journal ORDER BY id")))
        yield* Fiber.interrupt(watched)
        expect(alarms).toEqual([])
        const book = yield* Effect.flatMap(
          site.query("SELECT address FROM cluster_runner ORDER BY address"),
          Schema.decodeUnknown(Addresses)
        )
        expect(book.map(({ address }) => address)).toEqual(site.nodes.map(({ port }) => `127.0.0.1:${port}`).toSorted())
        const looks = Array.getSomes(yield* Effect.forEach(site.nodes, scrape)).flatMap(
          ({ samples }) => samples.get("site_actors_last_success_timestamp_seconds") ?? []
        )
        const ofOrders = looks.flatMap(({ labels }) => (labels?.work === "orders" ? [labels.offering] : []))
        expect(ofOrders.toSorted()).toEqual(["VDC", "VM"])
      }),
    long
  )
})

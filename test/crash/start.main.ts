import { readdirSync, readFileSync } from "node:fs"
import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { buildAgent } from "./build.js"
import { makeSite } from "./site.js"
import { until } from "./waits.js"

const cpu = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]) / 1e6
    } catch {
      return sum
    }
  }, 0)

Effect.gen(function* () {
  const main = yield* buildAgent
  const site = yield* makeSite({
    main,
    pollInterval: 3600,
    offerings: { stomp_enabled: true, websocket_use_tls: false }
  })
  const prof = process.argv[2] === "prof"
  const agent = yield* site.start(
    prof
      ? { nodeOptions: ["--cpu-prof", "--cpu-prof-dir=/tmp/m", "--cpu-prof-interval=100"] }
      : { nodeOptions: ["--import", "/tmp/m/count.mjs"] }
  )
  const q = () => {
    const queue = [...(site.marketplace.world.records.get("event-queues")?.values() ?? [])].find(
      ({ fields }) => fields.object_type === "order" && fields.offering_uuid === site.world.vdcOffering.uuid
    )
    const { queue_name: name, vhost } = queue?.fields ?? {}
    return site.marketplace.broker.counts(String(vhost), String(name))
  }
  yield* until("c", () => q()?.consumers === 1)
  yield* Effect.sleep("1 seconds")
  for (let i = 0; i < 12; i++) {
    const seen: Array<string> = []
    let t0 = 0,
      c0 = 0,
      done = false
    let result = ""
    const off1 = site.marketplace.onCall((call) => {
      const now = performance.now()
      if (call.as === "owner" && call.method === "POST") {
        t0 = now
        c0 = cpu(agent.pid)
        seen.length = 0
        return
      }
      if (!done)
        seen.push(
          `${(now - t0).toFixed(0)} ${call.method} ${call.path.replace(/[0-9a-f]{32}/g, "*").replace("/api/", "")}`
        )
    })
    const off2 = site.cloud.onCall((call) => {
      if (done || t0 === 0) return
      done = true
      result = `${(performance.now() - t0).toFixed(1)} ms, cpu ${(cpu(agent.pid) - c0).toFixed(1)} ms, ${call.method}`
    })
    const uuid = yield* site.place.vdc(`v${i}`)
    const order = yield* site.marketplace.awaitOrderEnd(uuid)
    off1()
    off2()
    console.log(result, order.state, i === 0 || i === 11 ? seen : seen.length)
    yield* Effect.sleep("500 millis")
  }
  agent.signal("SIGTERM")
  yield* agent.ended
  console.log(
    agent
      .output()
      .split("\n")
      .filter((l) => l.includes("CONNECTS")),
    site.marketplace.calls.length,
    site.cloud.calls.length
  )
}).pipe(
  Effect.scoped,
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain()
)

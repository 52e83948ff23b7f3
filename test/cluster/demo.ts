/**
 * `npm run cluster-demo`: three processes over one PostgreSQL, one page. One is killed while it has orders in work, and others go on with them; one
 * is asked to end, and hands over. Tells what happens, with times, and ends by itself.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Console, Data, Effect, Layer } from "effect"
import { pictureOfCloud } from "../crash/picture.js"
import { nothingLeft } from "../crash/trial.js"
import { orNever } from "../crash/waits.js"
import { watchForDoubles } from "../crash/watch.js"
import { freePort } from "../support/ports.js"
import { makeClusterSite, type Node } from "./site.js"

class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

const takeover = 10
const vdcs = 4
const vmsOfEach = 3
/** s: within which a killed process's orders must go on elsewhere, and an ending one's. */
const allowed = { killed: takeover + 2, ended: 3 }

const story = Effect.gen(function* () {
  const began = yield* Clock.currentTimeMillis
  const since = (from: number) => Effect.map(Clock.currentTimeMillis, (now) => (now - from) / 1000)
  const say = (text: string) =>
    Effect.flatMap(since(began), (seconds) => Console.log(`${seconds.toFixed(1).padStart(6)} s  ${text}`))
  const faults: Array<string> = []
  const check = (fault: string, holds: boolean) => Effect.sync(() => (holds ? undefined : faults.push(fault)))

  yield* Console.log("\nThree processes of the agent, one PostgreSQL, a simulated Waldur and a simulated OpenNebula.\n")
  const httpPort = yield* freePort
  const site = yield* makeClusterSite({
    main: "dist/runtime/main.js",
    processes: 3,
    takeover,
    bootTime: 6_000,
    pollInterval: 1,
    cloud: { keepCalls: false },
    root: { http: { host: "127.0.0.1", port: "$" + "{HTTP_PORT:-0}" } },
    environment: (name) => (name === 1 ? { HTTP_PORT: String(httpPort) } : {})
  })
  const watched = watchForDoubles(site.cloud)
  const atFirst = pictureOfCloud(site.cloud)
  const done = (orders: ReadonlyArray<string>) =>
    Effect.forEach(
      orders,
      (uuid) =>
        Effect.flatMap(orNever(() => `the end of order ${uuid}`)(site.marketplace.awaitOrderEnd(uuid)), (order) =>
          check(
            `${order.type} of ${order.resource?.name ?? ""} is ${order.state}: ${order.errorMessage}`,
            order.state === "done"
          )
        ),
      { concurrency: "unbounded", discard: true }
    )
  const each = <A, E, R>(count: number, act: (at: number) => Effect.Effect<A, E, R>) =>
    Effect.forEach(
      Array.from({ length: count }, (_, at) => at + 1),
      act
    )

  const nodeOf = (owner: string): Node | undefined => site.nodes.find(({ agent }) => owner.endsWith(`:${agent.pid}`))
  /** Resources with an open order, and whose they are. */
  const inWork = Effect.gen(function* () {
    const { openOrders } = yield* site.journal
    const leases = new Map((yield* site.leases).map(({ owner, resource_id }) => [resource_id, owner]))
    return openOrders.flatMap((uuid) => {
      const resource = site.marketplace.orders.get(uuid)?.resource
      const owner = resource === undefined ? undefined : leases.get(resource.uuid)
      return resource === undefined || owner === undefined ? [] : [{ name: resource.name, owner }]
    })
  })
  const until = <A, E, R>(look: Effect.Effect<A, E, R>, isIt: (found: A) => boolean, what: string) =>
    orNever(() => what)(Effect.repeat(Effect.delay(look, "100 millis"), { until: isIt }))
  /** Waits until everything of `lost` is in work elsewhere, or done; says how long it took. */
  const takenOver = (victim: Node, lost: ReadonlyArray<{ readonly name: string }>, from: number) =>
    Effect.gen(function* () {
      const left = new Set(lost.map(({ name }) => name))
      yield* until(
        Effect.gen(function* () {
          const now = yield* inWork
          for (const name of left) {
            const open = now.find((one) => one.name === name)
            const to = open === undefined ? undefined : nodeOf(open.owner)
            if (open !== undefined && (to === undefined || to === victim)) continue
            left.delete(name)
            yield* say(`  ${name} ${to === undefined ? "is done" : `goes on in process ${to.name}`}`)
          }
          return left.size
        }),
        (size) => size === 0,
        "what the process had going on elsewhere"
      )
      return yield* since(from)
    })
  const shares = Effect.map(inWork, (open) =>
    site.nodes
      .map(
        ({ agent, name }) => `process ${name}: ${open.filter(({ owner }) => owner.endsWith(`:${agent.pid}`)).length}`
      )
      .join(", ")
  )

  yield* say(`The page of process 1: http://127.0.0.1:${httpPort}/ (shows what all of them do)`)
  yield* say(`${vdcs} data centres are ordered`)
  yield* done(yield* each(vdcs, (at) => site.place.vdc(`vdc-${at}`)))
  yield* say(`They are there. ${vdcs * vmsOfEach} machines are ordered, which take 6 s to boot`)
  const machines = (yield* each(vdcs, (of) =>
    each(vmsOfEach, (at) => site.place.vm(`vm-${of}-${at}`, `vdc-${of}`))
  )).flat()
  yield* until(inWork, (open) => open.length === machines.length, "all machines in work")
  yield* say(`In work: ${yield* shares}`)

  const open = yield* inWork
  const ownedBy = (node: Node) => open.filter(({ owner }) => nodeOf(owner) === node)
  const [, second, third] = site.nodes
  if (second === undefined || third === undefined) return yield* Effect.dieMessage("there are not three processes")
  const victim = ownedBy(second).length >= ownedBy(third).length ? second : third
  const other = victim === second ? third : second
  const lost = ownedBy(victim)
  const killed = yield* Clock.currentTimeMillis
  victim.agent.kill()
  yield* say(`kill -9 of process ${victim.name}, which has ${lost.length} of them`)
  const tookOver = yield* takenOver(victim, lost, killed)
  yield* say(`All of them elsewhere, or done, ${tookOver.toFixed(1)} s after the kill (allowed: ${allowed.killed} s)`)
  yield* check(`the killed process's orders went on after ${tookOver.toFixed(1)} s`, tookOver <= allowed.killed)
  yield* done(machines)
  yield* say("All machines run")

  yield* say(`Process ${victim.name} is started again; a machine of each data centre gets another size`)
  yield* victim.restart
  const resized = (yield* each(vdcs, (of) => each(1, (at) => site.place.switchToMedium(`vm-${of}-${at}`)))).flat()
  yield* until(inWork, (now) => now.length > 0, "an order in work")
  const now = yield* inWork
  const handed = now.filter(({ owner }) => nodeOf(owner) === other)
  const asked = yield* Clock.currentTimeMillis
  other.agent.signal("SIGTERM")
  yield* say(`Process ${other.name} is asked to end, with ${handed.length} orders in work`)
  const handedOver = yield* takenOver(other, handed, asked)
  const end = yield* other.agent.ended
  yield* say(
    `Handed over after ${handedOver.toFixed(1)} s (allowed: ${allowed.ended} s); it has ended with ${end.code}`
  )
  yield* check(`the ending process's orders went on after ${handedOver.toFixed(1)} s`, handedOver <= allowed.ended)
  yield* check(`the process that was asked to end has ended with ${end.code}`, end.code === 0)
  yield* done(resized)

  yield* say("All resized. Everything is ended again")
  yield* done((yield* each(vdcs, (of) => each(vmsOfEach, (at) => site.place.terminate(`vm-${of}-${at}`)))).flat())
  yield* done(yield* each(vdcs, (of) => site.place.terminate(`vdc-${of}`)))
  const settled = yield* until(
    site.journal,
    ({ openOrders }) => openOrders.length === 0,
    "the last order's end in the journal"
  )
  for (const { text } of nothingLeft(site, atFirst, settled)) faults.push(text)
  for (const [method, wanted] of [
    ["one.template.instantiate", vdcs * vmsOfEach],
    ["one.group.allocate", vdcs]
  ] as const) {
    yield* check(
      `${method} made something ${watched.made.get(method)} times, should be ${wanted}`,
      watched.made.get(method) === wanted
    )
  }
  return faults
}).pipe(Effect.scoped)

const demo = Effect.gen(function* () {
  const faults = yield* story
  if (faults.length > 0) {
    yield* Console.log(`\nFAIL\n${faults.map((fault) => `  ${fault}`).join("\n")}\n`)
    return yield* new DemoFailed({ message: "Not all is as it should be." })
  }
  yield* Console.log("\nPASS: every order carried out once, nothing left.\n")
})

demo.pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)), NodeRuntime.runMain())

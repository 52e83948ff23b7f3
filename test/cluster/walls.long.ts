/** Two processes over one PostgreSQL that reach it, and not each other. */
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { orNever, until } from "../crash/waits.js"
import { makeClusterSite, type Node } from "./site.js"

withAgent("two processes over one PostgreSQL", (it) => {
  it.scoped(
    "carry all orders out where the one that finds them does not reach the other one, and say so until it does",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
        const walls = (name: number) => join(folder, String(name))
        const wall = (name: number, ...ports: ReadonlyArray<number>) =>
          Effect.sync(() => writeFileSync(walls(name), ports.join("\n")))
        yield* Effect.all([wall(1), wall(2)])
        const site = yield* makeClusterSite({
          main,
          processes: 2,
          pollInterval: 1,
          cloud: { keepCalls: false, initial: { hosts: [{ name: "host01", cpuCores: 1000, memoryMb: 1_000_000 }] } },
          nodeOptions: ["--import", resolve("test/cluster/walls.mjs")],
          environment: (name) => ({ WALLS: walls(name) })
        })
        const [first, second] = site.nodes
        if (first === undefined || second === undefined) return
        const allDone = (prefix: string) =>
          Effect.gen(function* () {
            const orders = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], (at) => site.place.vdc(`${prefix}-${at}`))
            const ended = yield* orNever(() => `the end of all of ${prefix}`)(
              Effect.forEach(orders, site.marketplace.awaitOrderEnd, { concurrency: "unbounded" })
            )
            expect(ended.map(({ errorMessage, state }) => `${state}${errorMessage}`)).toEqual(orders.map(() => "done"))
          })
        const said = (node: Node, sentence: string) =>
          until(`"${sentence}" in the log of process ${node.name}`, () => node.agent.output().includes(sentence))

        yield* allDone("before")
        const finds = (yield* site.leases).find(({ resource_id }) => resource_id === site.world.vdcOffering.uuid)
        const [from, to] = finds?.owner.endsWith(`:${first.agent.pid}`) ? [first, second] : [second, first]
        yield* wall(from.name, to.port)
        yield* allDone("walled")
        yield* said(from, `127.0.0.1:${to.port} is not reached from here`)
        yield* said(to, "others: they have its resources meanwhile")
        yield* wall(from.name)
        yield* said(to, "All processes reach each other again")
        yield* allDone("after")
      }),
    long
  )
})

/** Two processes over one PostgreSQL that reach it, and not each other. */
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
        const site = yield* makeClusterSite({
          main,
          processes: 2,
          pollInterval: 1,
          cloud: { keepCalls: false, initial: { hosts: [{ name: "host01", cpuCores: 1000, memoryMb: 1_000_000 }] } }
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
        from.wall(to, "reset")
        yield* allDone("walled")
        yield* said(from, `127.0.0.1:${to.port} is not reached from here`)
        yield* said(to, "others: they have its resources meanwhile")
        const asked = yield* first.command("orders")
        yield* orNever(() => "the end of `orders`")(asked.ended)
        expect(asked.output()).toMatch(
          new RegExp(
            `:${from.port} does not reach .*:${to.port}, though both .*\\. For \\S+.*\\. Check that the port is open`
          )
        )
        from.wall(to, "none")
        yield* said(to, "All processes reach each other again")
        yield* allDone("after")
      }),
    long
  )
})

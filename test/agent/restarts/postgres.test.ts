/** The whole agent with its journal in a real PostgreSQL. */
import { describe, expect } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { watchForDoubles } from "../../crash/watch.js"
import { afterCall, doubled, expectNothingLeft, kinds, makeSite, scenario, vdcObjects } from "../../support/agent.js"
import { database } from "../../support/postgres.js"
import { tcpProxy } from "../../support/tcp-proxy.js"

describe("an agent on PostgreSQL", () => {
  scenario("carries the six orders out, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { password, place, query } = yield* database()
      const site = yield* makeSite({ database: place.url })
      const agent = yield* site.start()
      const vdc = yield* site.order.vdc("tenant")
      const vm = yield* site.order.vm("web", vdc.resource.backendId)
      for (const order of [
        vdc,
        vm,
        yield* site.order.updateLimits(vdc.resource.uuid, doubled),
        yield* site.order.switchToMedium(vm.resource.uuid),
        yield* site.order.terminate(vm.resource.uuid),
        yield* site.order.terminate(vdc.resource.uuid)
      ]) {
        expect(order.state).toBe("done")
      }
      yield* expectNothingLeft(site, agent, ["tenant Terminated", "web Terminated"])
      expect(yield* query("SELECT count(*)::int AS orders FROM known_order WHERE state = 'done'")).toEqual([
        { orders: 6 }
      ])
      expect(site.logged.join("\n")).not.toContain(password)
    })
  )

  scenario("that is away for a while: orders wait, go on when it is back, and make nothing twice", () =>
    Effect.gen(function* () {
      const { place, port } = yield* database()
      const way = yield* tcpProxy(port)
      const url = Redacted.make(Redacted.value(place.url).replace(`:${port}/`, `:${way.port}/`))
      const site = yield* makeSite({ database: url })
      const { made } = watchForDoubles(site.cloud)
      const cutAt = (method: string) =>
        Effect.map(
          afterCall(site, (call) => call.method === method),
          () => way.set("cut")
        )
      const isUnwritten = (line: string) =>
        line.includes("The journal cannot be written") && line.includes("Orders wait")
      const isLook = (line: string) => line.includes("Not to be written yet")
      yield* site.start()

      // It has made the group, and cannot write down that it has.
      const first = yield* Effect.fork(site.order.vdc("first"))
      yield* cutAt("one.group.allocate")
      yield* site.awaitLogged(isUnwritten)
      yield* site.awaitLogged(isLook)
      // What had been written down before is made still; nothing else is.
      const before = new Map(made)
      const second = yield* Effect.fork(site.order.vdc("second"))
      yield* site.awaitLogged(isLook, 2)
      expect(made).toEqual(before)

      way.set("open")
      yield* cutAt("one.vrouter.instantiate")
      yield* site.awaitLogged(isUnwritten, 2)
      way.set("open")
      expect([(yield* first).state, (yield* second).state]).toEqual(["done", "done"])
      expect(kinds(site.made())).toEqual(
        Object.fromEntries(Object.entries(vdcObjects).map(([kind, many]) => [kind, 2 * many]))
      )
      expect(Object.fromEntries(made)).toMatchObject({ "one.group.allocate": 2, "one.vrouter.instantiate": 2 })
      expect([...made.values()].every((times) => times === 2)).toBe(true)
    })
  )
})

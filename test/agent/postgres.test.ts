/** The whole agent with its journal in a real PostgreSQL. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { doubled, expectNothingLeft, makeSite, scenario } from "../support/agent.js"
import { database } from "../support/postgres.js"

describe("an agent on PostgreSQL", () => {
  scenario("carries the six orders out, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database()
      const site = yield* makeSite({ database: place.url })
      const agent = yield* site.start()
      const vdc = yield* site.order.vdc("tenant")
      const parent = vdc.resource.backendId
      const vm = yield* site.order.vm("web", parent)
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
    })
  )
})

/** The quota of a data centre is lowered below what is in use, by hand, while a machine in it gets other sizes. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { VmState } from "../../../src/simulator/opennebula/index.js"
import { show } from "../../page/support.js"
import { makeSite, scenario, untilSettled } from "../../support/agent.js"

describe("a machine that the quota keeps from being started again", () => {
  scenario("stays off: its customer reads that not all was taken back, and it runs when there is room", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource: centre } = yield* site.order.vdc("centre")
      const { resource } = yield* site.order.vm("machine", centre.backendId)
      yield* untilSettled(agent)
      const limit = (megabytes: number) =>
        Effect.asVoid(
          site.cloud.call("one.group.quota", [Number(centre.backendId), `VM=[RUNNING_MEMORY=${megabytes}]`])
        )
      let lowered = false
      site.cloud.intercept(({ method, params }) => {
        if (lowered || method !== "one.vm.action" || params[0] !== "resume") return undefined
        lowered = true
        return { _tag: "Hold", when: "before", until: limit(100) }
      })
      const { errorMessage, state, uuid } = yield* site.order.switchToMedium(resource.uuid)
      expect([state, errorMessage]).toEqual([
        "erred",
        expect.stringMatching(
          /^The quota for running memory \(100 MB\) is exhausted: .* could not all be taken back yet: the provider sees it, and it is tried again\.$/
        )
      ])
      yield* untilSettled(agent)
      const vm = site.cloud.world.vms.find(Number(resource.backendId))
      expect([vm?.state, resource.state]).toEqual([VmState.poweroff, "Erred"])
      yield* limit(-2)
      const { client } = yield* show(site, agent)
      expect(yield* client.actions.perform({ payload: { kind: "remove-leftovers", order: uuid } })).toMatchObject({
        ok: true
      })
      expect([vm?.state, vm?.template.get("MEMORY"), resource.state]).toEqual([VmState.active, "512", "OK"])
    }).pipe(Effect.timeout("120 seconds"))
  )
})

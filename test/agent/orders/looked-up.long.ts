/** What a create or a change looks up first is looked up while Waldur takes its approval, over real HTTP; nothing is made, and nothing of it remembered, before that is there. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { fault } from "../../../src/simulator/waldur/index.js"
import { readJournal } from "../../crash/journal.js"
import { expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"

/** Approvals are answered with 503 until this is so. */
const unapprovedUntil = ({ marketplace }: Pick<Site, "marketplace">, isSo: () => boolean) =>
  marketplace.intercept(({ path }) =>
    path.endsWith("/approve_by_provider/") && !isSo() ? fault.status(503) : undefined
  )

const calledSince = ({ cloud }: Site, before: number) => cloud.calls.slice(before).map(({ method }) => method)

describe("while Waldur takes the approval", () => {
  scenario("of a create or of a change, the cloud is looked at already", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      let before = 0
      let look = "one.grouppool.info"
      unapprovedUntil(site, () => calledSince(site, before).includes(look))
      const centre = yield* site.order.vdc("around")
      expect(centre.state).toBe("done")
      const meanwhile = <A, E, R>(first: string, order: Effect.Effect<A, E, R>) =>
        Effect.suspend(() => {
          before = site.cloud.calls.length
          look = first
          return order
        })
      const machine = yield* meanwhile("one.template.info", site.order.vm("web", centre.resource.backendId))
      expect(machine.state).toBe("done")
      const resized = yield* meanwhile("one.vm.info", site.order.switchToMedium(machine.resource.uuid))
      expect(resized.state).toBe("done")
      expect((yield* site.order.terminate(machine.resource.uuid)).state).toBe("done")
      expect((yield* site.order.terminate(centre.resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["around Terminated", "web Terminated"])
    }).pipe(Effect.timeout("60 seconds"))
  )

  scenario("nothing is made, and what was seen is looked up anew once it is approved", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const centre = (yield* site.order.vdc("around")).resource
      const made = site.made()
      const before = site.cloud.calls.length
      let isOpen = false
      unapprovedUntil(site, () => isOpen)
      const order = yield* site.place.vm("late", centre.backendId)
      yield* site.awaitLogged((line) => line.includes("Waits: Waldur answered 503"))
      const looked = calledSince(site, before)
      expect(looked).toContain("one.template.info")
      expect(looked).not.toContain("one.template.instantiate")
      expect(site.made()).toEqual(made)
      const steps = readJournal(site.dataDir).rows.flatMap(({ order_id, step }) => (order_id === order ? [step] : []))
      expect(new Set(steps)).toEqual(new Set(["order", "waldur: approve"]))
      expect((yield* site.cloud.call("one.template.delete", [2, false]))._tag).toBe("Ok")
      isOpen = true
      const ended = yield* site.marketplace.awaitOrderEnd(order)
      expect(ended.errorMessage).toContain("Template 2 of this offering does not exist (any more)")
      yield* untilSettled(agent)
      expect(site.made()).toEqual(made)
    }).pipe(Effect.timeout("60 seconds"))
  )
})

/** A bug in a backend stops the resource that it met, and nothing else. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { Quarantine } from "../../../src/runtime/actors/quarantine.js"
import { expectNothingLeft, makeSite, resourceStates, scenario } from "../../support/agent.js"
import { fragile } from "../../support/fragile.js"

const offering = "0ffe0000000040000000000000000003"

scenario(
  "a defect in a handler quarantines its resource alone, and a restart with the bug mended carries its order out",
  () =>
    Effect.gen(function* () {
      let mended = false
      const site = yield* makeSite({
        plugins: [fragile(({ name }) => name === "cursed" && !mended)],
        offerings: ({ marketplace, world }) => {
          const { customer } = world.vdcOffering
          marketplace.addOffering({ customer, name: "Fragile", uuid: offering, components: [] })
          return [
            {
              name: "Fragile",
              waldur_offering_uuid: offering,
              backend_type: "fragile",
              order_processing_backend: "fragile",
              backend_settings: {}
            }
          ]
        }
      })
      const { marketplace, world } = site
      const plan = marketplace.world.offerings.get(offering)?.plans[0]?.uuid ?? ""
      const wish = (name: string) => ({ offering, project: world.project.uuid, plan, attributes: { name } })
      const agent = yield* site.start()

      const cursed = yield* site.place.wish(wish("cursed"))
      yield* site.awaitActivity((activity) => activity._tag === "Order" && activity.event === "quarantined")
      const [blessed, vdc] = yield* Effect.all([site.order.wish(wish("blessed")), site.order.vdc("unmoved")], {
        concurrency: "unbounded"
      })
      expect([blessed.state, vdc.state]).toEqual(["done", "done"])
      expect(marketplace.orders.get(cursed)?.state).toBe("executing")
      const held = yield* Effect.flatMap(Quarantine, ({ all }) => all).pipe(Effect.provide(agent.services))
      expect(held).toMatchObject([{ order: cursed, resource: marketplace.orders.get(cursed)?.resource.uuid }])
      expect(held[0]?.reason).toContain("a bug in the plugin")
      // Once: a quarantined resource is left alone at every later look.
      expect(
        site.activities.filter((activity) => activity._tag === "Order" && activity.event === "quarantined")
      ).toHaveLength(1)

      yield* agent.stop
      mended = true
      const next = yield* site.start()
      expect((yield* marketplace.awaitOrderEnd(cursed)).state).toBe("done")
      yield* site.order.terminate(vdc.resource.uuid)
      yield* expectNothingLeft(site, next, ["cursed OK", "blessed OK", "unmoved Terminated"])
      expect(resourceStates(site)).toHaveLength(3)
    })
)

/** Plugins that the configuration names: what breaks in one of them stops its own offerings, and nothing else. */
import { resolve } from "node:path"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { OfferingId } from "../../../src/core/index.js"
import { Bells } from "../../../src/runtime/actors/bells.js"
import { Standings } from "../../../src/runtime/offerings/standing.js"
import { expectNothingLeft, makeSite, scenario } from "../../support/agent.js"

const uuids = {
  breaks: "0ffe0000000040000000000000000011",
  dies: "0ffe0000000040000000000000000012",
  outgrows: "0ffe0000000040000000000000000013"
}

scenario(
  "a plugin that cannot be imported and one that cannot be opened close their own offerings alone, and say why; one that keeps limits does",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        root: {
          plugins: ["breaks.ts", "dies-at-open.ts", "outgrows.ts"].map((name) => resolve("test/fixtures/plugins", name))
        },
        offerings: ({ marketplace, world }) => {
          const { customer } = world.vdcOffering
          for (const [name, uuid] of Object.entries(uuids))
            marketplace.addOffering({ customer, name, uuid, components: [], plans: [{ name, uuid }] })
          const offering = (uuid: string, type: string) => ({
            name: type,
            waldur_offering_uuid: uuid,
            backend_type: type,
            order_processing_backend: type,
            backend_settings: {}
          })
          return [
            offering(uuids.breaks, "proxmox"),
            offering(uuids.dies, "dies-at-open"),
            offering(uuids.outgrows, "outgrows")
          ]
        }
      })
      const agent = yield* site.start()
      const vdc = yield* site.order.vdc("unmoved")
      expect(vdc.state).toBe("done")
      const closed = yield* Effect.flatMap(Standings, (standings) =>
        Effect.forEach(site.config.offerings.slice(2, 4), ({ id }) => standings.of(id))
      ).pipe(Effect.provide(agent.services))
      expect(closed.map((standing) => standing.closed)).toEqual([
        expect.stringMatching(/has no plugin: .*breaks\.ts broke while it was loaded \(Error: the library/),
        expect.stringContaining(
          "The plugin dies-at-open has a bug in `open`: TypeError: Cannot read properties of undefined"
        )
      ])
      // What a backend finds to be enforced is carried out by the resource's actor, though the policy for differences is to report.
      const thing = yield* site.order.wish({
        offering: uuids.outgrows,
        project: site.world.project.uuid,
        plan: uuids.outgrows,
        attributes: { name: "thing" }
      })
      expect(thing.state).toBe("done")
      yield* Effect.flatMap(Bells, (bells) => bells.lookAtAll(OfferingId.make(uuids.outgrows))).pipe(
        Effect.provide(agent.services)
      )
      yield* site.awaitLogged((line) => line.includes("Put right: It holds too much: it is closed."))
      yield* site.order.terminate(vdc.resource.uuid)
      yield* expectNothingLeft(site, agent, ["thing OK", "unmoved Terminated"])
    })
)

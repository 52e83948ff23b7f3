/** Plugins that the configuration names: what breaks in one of them stops its own offerings, and nothing else. */
import { resolve } from "node:path"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { Standings } from "../../src/runtime/offerings/standing.js"
import { expectNothingLeft, makeSite, scenario } from "../support/agent.js"

const uuids = { breaks: "0ffe0000000040000000000000000011", dies: "0ffe0000000040000000000000000012" }

scenario(
  "a plugin that cannot be imported and one that cannot be opened close their own offerings alone, and say why",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        root: { plugins: ["breaks.ts", "dies-at-open.ts"].map((name) => resolve("test/fixtures/plugins", name)) },
        offerings: ({ marketplace, world }) => {
          const { customer } = world.vdcOffering
          for (const [name, uuid] of Object.entries(uuids))
            marketplace.addOffering({ customer, name, uuid, components: [] })
          const offering = (uuid: string, type: string) => ({
            name: type,
            waldur_offering_uuid: uuid,
            backend_type: type,
            order_processing_backend: type,
            backend_settings: {}
          })
          return [offering(uuids.breaks, "proxmox"), offering(uuids.dies, "dies-at-open")]
        }
      })
      const agent = yield* site.start()
      const vdc = yield* site.order.vdc("unmoved")
      expect(vdc.state).toBe("done")
      const closed = yield* Effect.flatMap(Standings, (standings) =>
        Effect.forEach(site.config.offerings.slice(2), ({ id }) => standings.of(id))
      ).pipe(Effect.provide(agent.services))
      expect(closed.map((standing) => standing.closed)).toEqual([
        expect.stringMatching(/has no plugin: .*breaks\.ts broke while it was loaded \(Error: the library/),
        expect.stringContaining(
          "The plugin dies-at-open has a bug in `open`: TypeError: Cannot read properties of undefined"
        )
      ])
      yield* site.order.terminate(vdc.resource.uuid)
      yield* expectNothingLeft(site, agent, ["unmoved Terminated"])
    })
)

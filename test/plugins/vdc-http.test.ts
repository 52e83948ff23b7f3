/** The VDC backend as the runtime opens it, over HTTP: settings of the Python agent's kind in, orders done out. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { carryOut, Marketplace, OfferingId } from "../../src/core/index.js"
import { opennebulaVdc } from "../../src/plugins/opennebula-vdc/index.js"
import { serve } from "../../src/simulator/opennebula/serve.js"
import { makeMemoryJournal, memoryReservations } from "../support/journal.js"
import { createOrder, objectsOf, terminateOrder } from "../support/vdc.js"

const nobody = Layer.succeed(Marketplace, {
  sshKey: () => Effect.succeed(undefined),
  projectResources: () => Effect.succeed([]),
  withheld: () => Effect.succeed(undefined)
})

it.scopedLive("A Python agent's VDC offering is served over HTTP, with few calls", () =>
  Effect.gen(function* () {
    const { frontEnd, url } = yield* serve({ port: 0 })
    const settings = {
      api_url: url,
      credentials: frontEnd.session,
      resource_type: "vdc",
      cluster_ids: [0],
      external_network_id: 0,
      virtual_router_template_id: 1,
      security_group_defaults: [{ direction: "inbound", protocol: "TCP", range: "22" }]
    }
    expect(opennebulaVdc.answersTo("opennebula", settings)).toBe(true)
    expect(opennebulaVdc.answersTo("opennebula", { ...settings, resource_type: "vm" })).toBe(false)
    const backend = yield* opennebulaVdc.open(
      { offering: OfferingId.make("c".repeat(32)), name: "VDC", settings, components: [] },
      yield* Layer.makeMemoMap
    )
    expect((yield* backend.check).filter(({ status }) => status === "failed")).toEqual([])

    const services = Layer.merge(memoryReservations, nobody)
    const before = frontEnd.calls.length
    const made = yield* carryOut(yield* makeMemoryJournal(), backend.create(createOrder(1))).pipe(
      Effect.provide(services)
    )
    expect(made).toMatchObject({ _tag: "Done", value: { backendId: "100" } })

    // But for the looks at what is on its way, whose number depends on the machine's speed.
    const looks = ["one.vmpool.infoset", "one.vn.info"]
    const calls = frontEnd.calls.slice(before).filter(({ method }) => !looks.includes(method))
    expect(calls.length).toBeLessThanOrEqual(27)

    const ended = yield* carryOut(yield* makeMemoryJournal(), backend.terminate(terminateOrder(1, "100"))).pipe(
      Effect.provide(services)
    )
    expect(ended._tag).toBe("Done")
    expect(objectsOf(frontEnd)).toEqual([])
  })
)

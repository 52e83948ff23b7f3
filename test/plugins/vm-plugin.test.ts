/** The VM backend as the runtime has it: a plugin, opened for an offering, on a front-end over HTTP. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Schema } from "effect"
import { carryOut, Marketplace, OfferingId } from "../../src/core/index.js"
import { makeOpenNebula } from "../../src/opennebula/calls/openNebula.js"
import { makeClient } from "../../src/opennebula/client.js"
import { opennebulaVm } from "../../src/plugins/opennebula-vm/index.js"
import { connectionOf } from "../../src/plugins/settings.js"
import { serve } from "../../src/simulator/opennebula/index.js"
import { makeMemoryJournal, memoryReservations } from "../support/journal.js"
import {
  createOrder,
  makeParent,
  medium,
  planComponents,
  settingsOf,
  terminateOrder,
  updateOrder,
  vdcResource
} from "../support/vmCloud.js"

const offering = OfferingId.make("c".repeat(32))
const noMarketplace = Layer.succeed(Marketplace, {
  sshKey: () => Effect.succeed(undefined),
  projectResources: () => Effect.succeed([]),
  withheld: () => Effect.succeed(undefined)
})

const openOn = (url: string, credentials: string) =>
  Effect.gen(function* () {
    const settings = { api_url: url, credentials, template_id: 2, parent_vdc_backend_id: "acme" }
    return yield* opennebulaVm.open(
      { offering, name: "Machines", settings, components: planComponents() },
      yield* Layer.makeMemoMap
    )
  })

describe("the plugin opennebula-vm", () => {
  it("answers to its own name, and to the Python agent's with resource_type vm", () => {
    expect(opennebulaVm.answersTo("opennebula-vm", {})).toBe(true)
    expect(opennebulaVm.answersTo("opennebula", { resource_type: "vm" })).toBe(true)
    expect(opennebulaVm.answersTo("opennebula", { resource_type: "vdc" })).toBe(false)
    expect(opennebulaVm.answersTo("opennebula", {})).toBe(false)
  })

  it("says what is wrong in its settings", () => {
    const decoded = Schema.decodeUnknownEither(opennebulaVm.settings, { errors: "all" })({
      api_url: "nowhere",
      disk_shrink: 1
    })
    expect(String(decoded)).toContain("api_url")
    expect(String(decoded)).toContain("credentials")
    expect(String(decoded)).toContain("disk_shrink")
  })

  it.scopedLive("makes, changes and ends a machine over HTTP, and little slower than the cloud itself is", () =>
    Effect.gen(function* () {
      const { frontEnd, url } = yield* serve({ port: 0, bootTime: 100 })
      const one = makeOpenNebula(yield* makeClient(connectionOf(settingsOf({ api_url: url }))))
      yield* makeParent(one, "acme", vdcResource)
      const backend = yield* openOn(url, frontEnd.session)
      yield* backend.ping

      const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const began = yield* Clock.currentTimeMillis
          const value = yield* effect
          return { value, ms: (yield* Clock.currentTimeMillis) - began }
        })
      const place = (handler: ReturnType<typeof backend.create>) =>
        Effect.gen(function* () {
          const journal = yield* makeMemoryJournal()
          return yield* timed(
            carryOut(journal, handler).pipe(Effect.provide(Layer.merge(noMarketplace, memoryReservations)))
          )
        })
      const made = yield* place(backend.create(createOrder()))
      const changed = yield* place(backend.update(updateOrder("0", medium)))
      const ended = yield* place(backend.terminate(terminateOrder("0")))
      expect([made.value._tag, changed.value._tag, ended.value._tag]).toEqual(["Done", "Done", "Done"])
      if (process.env.SHOW_TIMES !== undefined)
        console.log({ create: made.ms, update: changed.ms, terminate: ended.ms })
      // Boot and schedule take 120 ms, the resize's own steps 170 ms. The bounds are for a machine with other things to do: the looks' pace
      // itself is tested on a clock of its own (watcher.test.ts).
      expect(made.ms).toBeLessThan(20_000)
      expect(changed.ms).toBeLessThan(20_000)
    })
  )

  it.scopedLive("with wrong credentials stops the offering, not the order", () =>
    Effect.gen(function* () {
      const { url } = yield* serve({ port: 0 })
      const backend = yield* openOn(url, "oneadmin:wrong")
      expect((yield* Effect.flip(backend.ping)).disposition).toBe("stop-offering")
      const journal = yield* makeMemoryJournal()
      const order = carryOut(journal, backend.create(createOrder()))
      const error = yield* Effect.flip(order.pipe(Effect.provide(Layer.merge(noMarketplace, memoryReservations))))
      expect(error.disposition).toBe("stop-offering")
      expect(error.message).not.toContain("wrong")
      expect((yield* backend.check).map(({ status }) => status)).toEqual(["failed"])
    })
  )

  it.scopedLive("refuses an attribute that does not fit in the schema's words", () =>
    Effect.gen(function* () {
      const { frontEnd, url } = yield* serve({ port: 0 })
      const backend = yield* openOn(url, frontEnd.session)
      const journal = yield* makeMemoryJournal()
      const handler = backend.create({ ...createOrder(), attributes: { template_id: "the big one" } })
      const exit = yield* Effect.exit(
        carryOut(journal, handler).pipe(Effect.provide(Layer.merge(noMarketplace, memoryReservations)))
      )
      expect(Exit.isSuccess(exit) && exit.value._tag === "Refused" && exit.value.refusal.customerMessage).toContain(
        'The order\'s "template_id" is not valid'
      )
    })
  )
})

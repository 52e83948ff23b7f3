/** The Waldur service against the simulated marketplace: both generations, with the race and with failures on the wire. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Redacted, Schema } from "effect"
import { demoWorld, fault, type Generation, serve } from "../simulator/waldur/index.js"
import { makeWaldur } from "./index.js"

const Placed = Schema.Struct({ uuid: Schema.String })

const connect = (generation: Generation, race: boolean) =>
  Effect.gen(function* () {
    const { marketplace, url } = yield* serve({ generation, race })
    const world = yield* demoWorld(marketplace)
    const waldur = yield* makeWaldur({
      apiUrl: url,
      credentials: { _tag: "Token", token: Redacted.make(world.agentToken) }
    })
    /** As a customer does it. */
    const place = (offering: string, plan: string, more: object) =>
      Effect.promise(() =>
        fetch(`${url}/api/marketplace-orders/`, {
          method: "POST",
          headers: { authorization: `Token ${world.customerToken}`, "content-type": "application/json" },
          body: JSON.stringify({
            offering: `${url}/api/marketplace-public-offerings/${offering}/`,
            plan: `${url}/api/marketplace-public-offerings/${offering}/plans/${plan}/`,
            project: `${url}/api/projects/${world.project.uuid}/`,
            accepting_terms_of_service: true,
            ...more
          })
        }).then((response) => response.json())
      ).pipe(Effect.flatMap(Schema.decodeUnknown(Placed)))
    return { marketplace, world, waldur, place }
  })

describe.each<Generation>(["2024", "current"])("with a server of generation %s", (generation) => {
  it.scopedLive.each([false, true])("a VDC order goes from pending to done (race: %s)", (race) =>
    Effect.gen(function* () {
      const { marketplace, world, waldur, place } = yield* connect(generation, race)
      const limits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
      const { uuid } = yield* place(world.vdcOffering.uuid, world.plans.vdc.uuid, {
        limits,
        attributes: { name: "vdc-alice" }
      })

      const pending = yield* waldur.orders({ offering: world.vdcOffering.uuid, states: ["pending-provider"] })
      expect(pending).toMatchObject({ items: [{ uuid, type: "Create", limits }], malformed: [] })

      yield* waldur.approveByProvider(uuid)
      yield* waldur.approveByProvider(uuid)
      const executing = yield* waldur.awaitExecuting(uuid)
      expect(executing.state).toBe("executing")
      const resource = Option.getOrThrow(executing.resourceUuid)

      expect(yield* waldur.setOrderBackendId(uuid, "order-1")).toBe(generation === "2024" ? "unsupported" : "written")
      yield* waldur.setBackendId(resource, "201")
      yield* waldur.setLimits(resource, limits)
      yield* waldur.setBackendMetadata(resource, { vdc_id: 201 })
      yield* waldur.setStateDone(uuid)
      yield* waldur.setStateDone(uuid)
      yield* marketplace.settled

      const made = yield* waldur.resource(resource)
      expect(made).toMatchObject({
        state: "OK",
        backendId: Option.some("201"),
        backendMetadata: { vdc_id: 201 },
        limits
      })
      const listed = yield* waldur.resources({ offering: world.vdcOffering.uuid, states: ["OK"] })
      expect(listed.items.map((item) => item.uuid)).toEqual([resource])
      expect((yield* waldur.team(resource)).malformed).toEqual([])
      yield* waldur.setUsage({ resource, usages: [{ type: "cpu", amount: 2.5 }] })
    })
  )

  it.scopedLive("an answer that is lost on the way is no second step", () =>
    Effect.gen(function* () {
      const { marketplace, world, waldur, place } = yield* connect(generation, false)
      const { uuid } = yield* place(world.vmOffering.uuid, world.plans.small.uuid, { attributes: { name: "vm" } })
      marketplace.intercept(({ method, earlier }) =>
        method === "POST" && earlier === 0 ? fault.dropAnswer : undefined
      )
      yield* waldur.approveByProvider(uuid)
      yield* waldur.awaitExecuting(uuid)
      yield* waldur.setStateErred(uuid, "No capacity is left.")
      const order = yield* waldur.order(uuid)
      expect(order).toMatchObject({ state: "erred", errorMessage: "No capacity is left." })
      yield* waldur.setStateExecuting(uuid)
      yield* waldur.setStateDone(uuid)
      expect((yield* waldur.order(uuid)).state).toBe("done")
    })
  )

  it.scopedLive("the probe finds all that an agent needs, and the offering's plans and keys", () =>
    Effect.gen(function* () {
      const { world, waldur } = yield* connect(generation, false)
      expect((yield* waldur.probe(world.vdcOffering.uuid)).filter(({ ok }) => !ok)).toEqual([])
      const plan = yield* waldur.plan(world.plans.medium.uuid, world.vmOffering.uuid)
      expect(Object.keys(plan.quotas).length).toBeGreaterThan(0)
    })
  )
})

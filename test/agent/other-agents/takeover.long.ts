/** The Python agent, stopped in the middle of an order, and this one started in its place: real HTTP, its calls as they were seen on the wire. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, type Site, scenario, vdcObjects } from "../../support/agent.js"
import { pythonVdc, pythonVm } from "../../support/python-agent.js"

const send = (site: Site, path: string, body: unknown = {}) =>
  Effect.promise(() =>
    fetch(`${site.waldurUrl}${path}`, {
      method: "POST",
      headers: { Authorization: `Token ${site.world.agentToken}`, "Content-Type": "application/json" },
      body: JSON.stringify(body)
    })
  )

/** Accepted by that agent: it executes. */
const approved = (site: Site, uuid: string) =>
  Effect.gen(function* () {
    yield* send(site, `marketplace-orders/${uuid}/approve_by_provider/`)
    const order = site.marketplace.orders.get(uuid)
    if (order === undefined) return yield* Effect.dieMessage("there is no such order")
    yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => order.state === "executing" })
    return order
  })

/** A machine's order that executes, in a data centre that is there; no agent runs. */
const machineInWork = Effect.gen(function* () {
  const site = yield* makeSite()
  const first = yield* site.start()
  const { resource: vdc } = yield* site.order.vdc("lab")
  yield* first.stop
  const uuid = yield* site.place.vm("web", vdc.backendId)
  return { order: yield* approved(site, uuid), site, uuid }
})

const made = (site: Site) => {
  const kinds: Record<string, number> = {}
  for (const object of site.made()) {
    const kind = object.split(/ \d/)[0] ?? ""
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}

/** Some 20 ms after it was asked for: before that it has no address for a router. */
const networkReady = ({ cloud }: Site) => {
  const ready = 1
  return Effect.repeat(Effect.sleep("5 millis"), { until: () => cloud.world.networks.get(1).state === ready })
}

const calls = pythonVdc("lab-1").length
/** After so many of its calls. What lies between came to the same. */
const moments = [2, 4, 6, 8, 9, calls]

describe("an order that the Python agent was stopped in", () => {
  for (const after of moments) {
    scenario(
      `for a data centre, after ${pythonVdc("lab-1")[after - 1]?.[0]}, makes one data centre, which goes without leaving any`,
      () =>
        Effect.gen(function* () {
          const site = yield* makeSite()
          const uuid = yield* site.place.vdc("lab")
          const order = yield* approved(site, uuid)
          for (const [method, args] of pythonVdc(order.resource.slug).slice(0, after)) {
            expect(yield* site.cloud.call(method, args)).toMatchObject({ _tag: "Ok" })
            if (method === "one.vn.allocate") yield* networkReady(site)
          }
          if (after === calls) {
            const told = `marketplace-provider-resources/${order.resource.uuid}/set_backend_id/`
            yield* send(site, told, { backend_id: order.resource.slug })
          }
          yield* site.start()
          expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({ state: "done", errorMessage: "" })
          expect(made(site)).toEqual(vdcObjects)
          expect(order.resource.backendMetadata).toMatchObject({ subnet_cidr: "10.0.1.0/24" })
          expect(site.cloud.world.vdcs.get(100).groups).toEqual(new Set([Number(order.resource.backendId)]))
          expect((yield* site.order.terminate(order.resource.uuid)).state).toBe("done")
          expect({ made: site.made(), lost: site.lost() }).toEqual({ made: [], lost: [] })
        })
    )
  }

  scenario("for a data centre, after its group alone, is refused: an empty group of that name may be anybody's", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const uuid = yield* site.place.vdc("lab")
      const order = yield* approved(site, uuid)
      yield* site.cloud.call("one.group.allocate", [order.resource.slug])
      const stands = site.made()
      yield* site.start()
      expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({
        state: "erred",
        errorMessage: expect.stringContaining("The cloud already has a group named")
      })
      expect(site.made()).toEqual(stands)
    })
  )

  scenario("for a data centre, with a VDC alone, is refused: an empty VDC of that name may be anybody's, too", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const uuid = yield* site.place.vdc("lab")
      const order = yield* approved(site, uuid)
      yield* site.cloud.call("one.vdc.allocate", [`NAME="${order.resource.slug}"`, -1])
      const anybodys = yield* site.cloud.call("one.vdc.info", [100])
      yield* site.start()
      expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({
        state: "erred",
        errorMessage: expect.stringContaining("The cloud already has a virtual data centre named")
      })
      expect(yield* site.cloud.call("one.vdc.info", [100])).toEqual(anybodys)
      expect(site.made()).toHaveLength(1)
    })
  )

  for (const [when, count, told] of [
    ["was instantiated", 1, false],
    ["came into its group", 2, false],
    ["was told to Waldur", 2, true]
  ] as const) {
    scenario(`for a machine, after that ${when}, makes no second one`, () =>
      Effect.gen(function* () {
        const { order, site, uuid } = yield* machineInWork
        for (const [method, args] of pythonVm(order.resource.slug, 2, 1).slice(0, count)) {
          expect(yield* site.cloud.call(method, args)).toMatchObject({ _tag: "Ok" })
        }
        if (told) {
          const path = `marketplace-provider-resources/${order.resource.uuid}/set_backend_id/`
          yield* send(site, path, { backend_id: "1" })
        }
        yield* site.start()
        expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({ state: "done" })
        expect(order.resource.backendId).toBe("1")
        expect([...site.cloud.world.vms].filter(({ name }) => name === order.resource.slug)).toHaveLength(1)
        expect((yield* site.order.terminate(order.resource.uuid)).state).toBe("done")
        expect([...site.cloud.world.vms].find(({ id }) => id === 1)?.state).toBe(6)
      })
    )
  }

  scenario("for a machine, makes no second one where Waldur's clock is minutes ahead", () =>
    Effect.gen(function* () {
      const { order, site, uuid } = yield* machineInWork
      Object.assign(order, { created: order.created + 300_000 })
      const [instantiate] = pythonVm(order.resource.slug, 2, 1)
      if (instantiate === undefined) return expect.unreachable()
      expect(yield* site.cloud.call(...instantiate)).toMatchObject({ _tag: "Ok" })
      yield* site.start()
      expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({ state: "done" })
      expect([...site.cloud.world.vms].filter(({ name }) => name === order.resource.slug)).toHaveLength(1)
    })
  )

  for (const [who, state, by] of [
    ["that it had switched off for its resize", 3, undefined],
    ["that the customer had switched off", 8, "tenant:swordfish"]
  ] as const) {
    scenario(`for a machine ${who} leaves it as it was before`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const first = yield* site.start()
        const { resource: vdc } = yield* site.order.vdc("lab")
        const { resource } = yield* site.order.vm("web", vdc.backendId)
        yield* first.stop
        yield* site.cloud.call("one.user.allocate", ["tenant", "swordfish", "core", [0]])
        const uuid = yield* site.place.switchToMedium(resource.uuid)
        yield* approved(site, uuid)
        const vm = site.cloud.world.vms.get(Number(resource.backendId))
        expect(yield* site.cloud.call("one.vm.action", ["poweroff-hard", vm.id], by)).toMatchObject({ _tag: "Ok" })
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => vm.state === 8 })
        yield* site.start()
        expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({ state: "done" })
        expect(vm.state).toBe(state)
        expect(vm.template.get("MEMORY")).toBe("1024")
      })
    )
  }

  scenario("leaves another's machine of the same name alone", () =>
    Effect.gen(function* () {
      const { order, site, uuid } = yield* machineInWork
      yield* site.cloud.call("one.user.allocate", ["tenant", "swordfish", "core", [100]])
      for (const [method, args] of pythonVm(order.resource.slug, 2, 1)) yield* site.cloud.call(method, args)
      yield* site.cloud.call("one.vm.chown", [1, 3, 100])
      yield* site.start()
      expect(yield* site.ended(Effect.succeed(uuid))).toMatchObject({ state: "done" })
      expect(order.resource.backendId).toBe("2")
    })
  )
})

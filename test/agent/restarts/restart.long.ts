/** The agent is stopped at bad moments and started again on the same data directory: every order ends once, and makes each thing once. */
import { expect } from "@effect/vitest"
import { Effect, Fiber, Queue, Ref } from "effect"
import { fault } from "../../../src/simulator/waldur/index.js"
import {
  afterCall,
  doubled,
  expectNothingLeft,
  kinds,
  makeSite,
  type RunningAgent,
  type Site,
  scenario,
  vdcObjects
} from "../../support/agent.js"

const isChange = (method: string): boolean => !/info|pool|version|list/.test(method)

/** The same change, when it is made anew: each start of the agent signs what it makes in another way. */
const changeOf = (method: string, what: unknown): string =>
  `${method} ${String(what).replace(/^WALDUR_MADE_BY=.*$/m, "")}`

/**
 * Stops the agent at each change that it makes, on either side, once, and starts it again at once. `after`: the change has been made, and
 * the agent has not heard of it. `before`: it has not been made.
 */
const restless = (site: Site, when: "before" | "after") =>
  Effect.gen(function* () {
    const stops = yield* Queue.unbounded<string>()
    const seen = new Set<string>()
    const isNew = (change: string): boolean => {
      if (seen.has(change)) return false
      seen.add(change)
      return Queue.unsafeOffer(stops, change)
    }
    site.cloud.intercept(({ method, params }) =>
      isChange(method) && isNew(changeOf(method, params[0])) ? { _tag: "Drop", when } : undefined
    )
    site.marketplace.intercept(({ method, path }) =>
      method === "POST" && /set_|approve/.test(path) && isNew(path)
        ? when === "after"
          ? fault.dropAnswer
          : fault.dropRequest
        : undefined
    )
    const agent = yield* Ref.make<RunningAgent>(yield* site.start())
    const driver = yield* Queue.takeBetween(stops, 1, 100).pipe(
      Effect.zipRight(Effect.flatMap(Ref.get(agent), ({ stop }) => stop)),
      Effect.zipRight(Effect.flatMap(site.start(), (next) => Ref.set(agent, next))),
      Effect.forever,
      Effect.forkScoped
    )
    /** No more stops but one: the agent that looks at what has come of it all. */
    const calmed = Effect.gen(function* () {
      yield* Fiber.interrupt(driver)
      yield* (yield* Ref.get(agent)).stop
      return yield* site.start()
    })
    return { calmed, stoppedAt: seen }
  })

for (const [when, what] of [
  ["after", "after each change, before it heard of it"],
  ["before", "before each change"]
] as const) {
  scenario(`an agent that is stopped ${what} carries six orders out, and makes each thing once`, () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ marketplace: { race: true } })
      const { order, cloud } = site
      const { calmed, stoppedAt } = yield* restless(site, when)

      const { resource: vdc, ...created } = yield* order.vdc("restless")
      expect(created).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual(vdcObjects)
      expect((yield* order.updateLimits(vdc.uuid, doubled)).state).toBe("done")

      const { resource: vm, ...made } = yield* order.vm("restless-vm", vdc.backendId)
      expect(made).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual({ ...vdcObjects, vm: 2, lease: 3 })
      expect(yield* order.switchToMedium(vm.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      expect(cloud.world.vms.get(Number(vm.backendId)).template.get("MEMORY")).toBe("1024")

      expect((yield* order.terminate(vm.uuid)).state).toBe("done")
      expect((yield* order.terminate(vdc.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, yield* calmed, ["restless Terminated", "restless-vm Terminated"])
      // A stop at each kind of change, or this test proves little.
      expect(stoppedAt.size).toBeGreaterThan(50)
    })
  )
}
scenario(
  "of two agents on one data directory the newer one gets a resource, and the older one does nothing more to it",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ cloud: { times: { boot: 700 } } })
      const { cloud, marketplace } = site
      yield* site.start("older")
      const order = yield* site.place.vdc("fenced")
      yield* afterCall(site, ({ method }) => method === "one.vrouter.instantiate")
      // It waits for the router now; the newer one sees the order in Waldur and takes the resource over.
      const newer = yield* site.start("newer")

      expect((yield* marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect(kinds(site.made())).toEqual(vdcObjects)
      // The older one finds out when it next writes, which may be after the newer one is done.
      yield* site.awaitLogged((line) => line.includes("no longer this process's"))
      const done = marketplace.calls.filter(({ path }) => path.endsWith(`${order}/set_state_done/`))
      expect(done).toHaveLength(1)

      const { resource } = yield* marketplace.awaitOrderEnd(order)
      // Either may have told the password, or both, one after the other: the one that Waldur shows holds.
      const { opennebula_password, opennebula_username } = resource.backendMetadata
      const tenant = `${String(opennebula_username)}:${String(opennebula_password)}`
      expect((yield* cloud.call("one.user.info", [-1], tenant))._tag).toBe("Ok")
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, newer, ["fenced Terminated"])
    })
)

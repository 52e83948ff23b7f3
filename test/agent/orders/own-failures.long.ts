/** What is the order's own failure: everything that it made is undone, and the customer gets one clear sentence. Others go on. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { Lcm } from "../../../src/simulator/opennebula/index.js"
import {
  doubled,
  expectNothingLeft,
  makeSite,
  type RunningAgent,
  type Site,
  scenario,
  vdcLimits
} from "../../support/agent.js"

const small = { cpu: 1, ram: 256, storage: 4096, floating_ip: 1 }

/** An order beside the one that fails. */
const another = (site: Site) => site.order.vdc("other", { limits: small })

/** Ends the resources that are still there, and looks what is left. */
const cleanUp = (site: Site, agent: RunningAgent, states: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    // Machines first: a data centre is not ended while there are any in it.
    for (const { state, uuid } of [...site.marketplace.resources.values()].reverse()) {
      if (state === "OK" || state === "Erred") yield* site.order.terminate(uuid)
    }
    yield* expectNothingLeft(site, agent, states)
  })

describe.concurrent("an order's own failure", () => {
  scenario("a VM beyond its data centre's quota is refused, and one that fits is made", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("tight", { limits: { ...vdcLimits, ram: 900 } })).resource
      const before = site.made()
      const [refused, fits] = yield* Effect.all(
        [
          site.order.vm("too-big", vdc.backendId, { plan: site.world.plans.medium.uuid }),
          site.order.vm("fits", vdc.backendId)
        ],
        { concurrency: "unbounded" }
      )
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        "The quota for memory (900 MB) is exhausted: free some of it or have it raised, then order again."
      )
      expect(fits).toMatchObject({ state: "done", errorMessage: "" })
      yield* site.order.terminate(fits.resource.uuid)
      expect(site.made()).toEqual(before)
      yield* cleanUp(site, agent, ["tight Terminated", "too-big Terminated", "fits Terminated"])
    })
  )

  scenario("a switch to a plan beyond the quota is refused before the machine is touched", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("tight", { limits: { ...vdcLimits, ram: 900 } })).resource
      const vm = (yield* site.order.vm("stays", vdc.backendId)).resource
      const { history } = site.cloud.world.vms.get(Number(vm.backendId))
      const touched = history.length
      const refused = yield* site.order.switchToMedium(vm.uuid)
      expect(refused.state).toBe("erred")
      expect(refused.errorMessage).toBe(
        "The virtual data centre's quota for memory (900 MB) does not allow this: 768 MB are in use and 512 MB more were ordered."
      )
      expect(site.cloud.world.vms.get(Number(vm.backendId))).toMatchObject({ lcm: Lcm.running })
      expect(history).toHaveLength(touched)
      yield* cleanUp(site, agent, ["tight Terminated", "stays Terminated"])
    })
  )

  scenario("a group of that name that is not ours fails the order, and is not touched", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ prepare: (cloud) => cloud.call("one.group.allocate", ["taken-1"]) })
      const agent = yield* site.start()
      const [refused, other] = yield* Effect.all([site.order.vdc("taken"), another(site)], {
        concurrency: "unbounded"
      })
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        'The cloud already has a group named "taken-1": choose another name and order again.'
      )
      expect(other.state).toBe("done")
      const stranger = site.cloud.world.groups.byName("taken-1")
      expect(stranger?.template.isEmpty).toBe(true)
      expect(stranger?.quotas.VM).toEqual([])
      yield* cleanUp(site, agent, ["taken Terminated", "other Terminated"])
    })
  )

  scenario("a router that does not boot takes its whole data centre back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      site.cloud.faults.failNext("deploy")
      const refused = yield* site.order.vdc("unrouted")
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        "The router of this data centre could not be started: try again later, or ask the provider."
      )
      expect((yield* another(site)).state).toBe("done")
      yield* cleanUp(site, agent, ["unrouted Terminated", "other Terminated"])
    })
  )

  scenario("a machine that does not boot is removed", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      const before = site.made()
      site.cloud.faults.failNext("deploy")
      const refused = yield* site.order.vm("dead", vdc.backendId)
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        "The machine could not be started by the cloud: try again later, or ask the provider."
      )
      expect(site.made()).toEqual(before)
      expect((yield* site.order.vm("alive", vdc.backendId)).state).toBe("done")
      yield* cleanUp(site, agent, ["home Terminated", "dead Terminated", "alive Terminated"])
    })
  )

  scenario("a machine that does not run in time is removed", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        // Far apart: on a slow machine much of a boot may be over when the agent begins to wait for it.
        cloud: { times: { boot: 2000 } },
        vmSettings: { vm_start_timeout: 0.05 }
      })
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      const before = site.made()
      const refused = yield* site.order.vm("slow", vdc.backendId)
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        "The machine did not start within 0.05 s: try again later, or ask the provider."
      )
      expect(site.made()).toEqual(before)
      yield* cleanUp(site, agent, ["home Terminated", "slow Terminated"])
    })
  )

  scenario("a router that does not run in time takes its whole data centre back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ cloud: { times: { boot: 3000 } }, vdcSettings: { router_start_timeout: 0.05 } })
      const agent = yield* site.start()
      const refused = yield* site.order.vdc("slow")
      expect(refused).toMatchObject({ state: "erred", resource: { state: "Terminated" } })
      expect(refused.errorMessage).toBe(
        "The router of this data centre could not be started: try again later, or ask the provider."
      )
      yield* expectNothingLeft(site, agent, ["slow Terminated"])
    })
  )

  scenario("a data centre in which machines are left is not ended, and nothing of it is touched", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      const vm = (yield* site.order.vm("guest", vdc.backendId)).resource
      const before = site.made()
      const refused = yield* site.order.terminate(vdc.uuid)
      expect(refused).toMatchObject({ state: "erred", resource: { state: "OK" } })
      expect(refused.errorMessage).toBe(
        "The data centre still has virtual machines (guest-1): delete them, then order again."
      )
      expect(site.made()).toEqual(before)
      expect((yield* site.order.updateLimits(vdc.uuid, doubled)).state).toBe("done")
      yield* site.order.terminate(vm.uuid)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, agent, ["home Terminated", "guest Terminated"])
    })
  )
})

/** OpenNebula fails in the middle of orders, as a real one does: the whole agent, until nothing is left, and what its operator reads. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { hostDies, hostReturns, Lcm, VmState } from "../../../src/simulator/opennebula/index.js"
import {
  afterCall,
  expectNothingLeft,
  makeSite,
  type Site,
  scenario,
  sshKey,
  untilSettled
} from "../../support/agent.js"
import { typed } from "../../support/commands.js"

const vmOf = ({ cloud }: Site, backendId: string) => cloud.world.vms.get(Number(backendId))
const hostOf = (site: Site, backendId: string) =>
  site.cloud.world.hosts.get(vmOf(site, backendId).history.at(-1)?.host.id ?? -1)
/** CPU and MB, and those of its disk. */
const sizesOf = (site: Site, backendId: string) => {
  const { template } = vmOf(site, backendId)
  return [template.get("VCPU"), template.get("MEMORY"), template.vectors("DISK")[0]?.values.get("SIZE")]
}
const leftovers = (site: Site, ...words: ReadonlyArray<string>) =>
  typed("leftovers", ...words, "--data-dir", site.dataDir)

/** By its operator, once what was wrong is mended. */
const takenUpAgain = (site: Site, order: string) =>
  Effect.zipRight(typed("retry", order, "--data-dir", site.dataDir), site.marketplace.awaitOrderEnd(order))

const byLimit = "Machines by limits"
const byLimitUuid = "0ffe0000000040000000000000000003"
const small = { vcpu: 1, vm_ram: 512, vm_disk: 2048 }
const large = { vcpu: 2, vm_ram: 1024, vm_disk: 5120 }

describe.concurrent("OpenNebula fails", () => {
  scenario("a machine's host dies while its plan is switched: its sizes go back, and it runs once the host does", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      const vm = (yield* site.order.vm("machine", vdc.backendId)).resource
      const before = sizesOf(site, vm.backendId)
      const plan = vm.plan?.uuid
      const host = hostOf(site, vm.backendId)
      yield* Effect.forkScoped(
        Effect.map(
          afterCall(site, ({ method }) => method === "one.vm.resize"),
          () => hostDies(site.cloud.world, host)
        )
      )
      const erred = yield* site.order.switchToMedium(vm.uuid)
      expect(erred).toMatchObject({ state: "erred", resource: { plan: { uuid: plan } } })
      expect(erred.errorMessage).toContain("What was changed for this order could not all be taken back yet")
      expect(sizesOf(site, vm.backendId)).toEqual(before)
      expect((yield* leftovers(site)).out).toContain(`on host ${host.name} (Error)`)

      hostReturns(site.cloud.world, host)
      expect((yield* leftovers(site, "--retry")).out).toContain("Nothing is left over.")
      expect(vmOf(site, vm.backendId)).toMatchObject({ state: VmState.active, lcm: Lcm.running })
      expect((yield* takenUpAgain(site, erred.uuid)).state).toBe("done")
      yield* site.order.terminate(vm.uuid)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, agent, ["home Terminated", "machine Terminated"])
    })
  )

  scenario("a disk cannot be grown after CPU and memory were changed: limits and sizes stay as they were", () =>
    Effect.gen(function* () {
      let plan = ""
      const site = yield* makeSite({
        offerings: ({ backend, marketplace, world }) => {
          const offering = marketplace.addOffering({
            customer: world.vmOffering.customer,
            name: byLimit,
            uuid: byLimitUuid,
            components: Object.keys(small).map((type) => ({ type, name: type, accountingType: "limit" })),
            plans: [{ name: "Default" }]
          })
          plan = offering.plans[0]?.uuid ?? ""
          return [
            {
              name: byLimit,
              waldur_offering_uuid: byLimitUuid,
              backend_settings: { ...backend, resource_type: "vm", template_id: 2 }
            }
          ]
        }
      })
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      const made = yield* site.order.wish({
        offering: byLimitUuid,
        project: site.world.project.uuid,
        plan,
        limits: small,
        attributes: { name: "machine", parent_backend_id: vdc.backendId, ssh_public_key: sshKey }
      })
      expect(made).toMatchObject({ state: "done", errorMessage: "" })
      const vm = made.resource
      yield* untilSettled(agent)
      expect(vm.limits).toEqual(small)
      site.cloud.faults.failNext("disk-resize")
      const erred = yield* site.order.updateLimits(vm.uuid, large)
      yield* untilSettled(agent)
      expect(erred.errorMessage).toBe(
        "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider."
      )
      expect(erred).toMatchObject({ state: "erred", resource: { limits: small } })
      expect(sizesOf(site, vm.backendId)).toEqual(["1", "512", "2048"])
      expect(vmOf(site, vm.backendId)).toMatchObject({ state: VmState.active, lcm: Lcm.running })
      expect(site.logged.some((line) => line.includes("Error executing image transfer script"))).toBe(true)
      expect((yield* takenUpAgain(site, erred.uuid)).state).toBe("done")
      yield* untilSettled(agent)
      expect(vm.limits).toEqual(large)
      expect(sizesOf(site, vm.backendId)).toEqual(["2", "1024", "5120"])
      yield* site.order.terminate(vm.uuid)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, agent, ["home Terminated", "machine Terminated"])
    })
  )

  scenario(
    "a data centre's network hangs when it is removed: the end errs, and another one ends it once that is mended",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite({ vdcSettings: { teardown_timeout: 10 } })
        const agent = yield* site.start()
        const other = (yield* site.order.vdc("other")).resource
        const others = site.made()
        const vdc = (yield* site.order.vdc("home")).resource
        const { networkDelete } = site.cloud.world.times
        Object.assign(site.cloud.world.times, { networkDelete: 1e9 })
        const erred = yield* site.order.terminate(vdc.uuid)
        expect(erred).toMatchObject({ state: "erred", resource: { state: "OK" } })
        expect(erred.errorMessage).toMatch(
          /^The network home-\S+_internal could not be removed in the cloud: ask the provider to look at it, then order again\.$/
        )
        const network = site.cloud.world.networks.byName(`${erred.errorMessage.split(" ")[2]}`)
        expect(site.logged.some((line) => line.includes(`onevnet recover ${network?.id} --delete`))).toBe(true)

        Object.assign(site.cloud.world.times, { networkDelete })
        yield* site.cloud.call("one.vn.recover", [network?.id ?? -1, 2])
        expect((yield* site.order.terminate(vdc.uuid)).state).toBe("done")
        expect(site.made()).toEqual(others)
        yield* site.order.terminate(other.uuid)
        yield* expectNothingLeft(site, agent, ["home Terminated", "other Terminated"])
      })
  )
})

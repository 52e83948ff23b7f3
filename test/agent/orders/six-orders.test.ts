/** The six orders from a customer's click to both sides' final state, on both generations of Waldur, with the backend-id race on. */
import { createHash } from "node:crypto"
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Generation, Resource } from "../../../src/simulator/waldur/index.js"
import {
  doubled,
  expectNothingLeft,
  journalText,
  kinds,
  makeSite,
  type Site,
  scenario,
  vdcLimits,
  vdcObjects
} from "../../support/agent.js"

/** The limits of a group, row by row, as far as they limit anything. */
const quotasOf = ({ cloud }: Site, { backendId }: Resource) => {
  const { quotas } = cloud.world.groups.get(Number(backendId))
  const rows = (section: "VM" | "DATASTORE" | "NETWORK") =>
    quotas[section]
      .map(({ key, limits }) => [key, Object.fromEntries([...limits].filter(([, limit]) => limit >= 0))] as const)
      .filter(([, limits]) => Object.keys(limits).length > 0)
  return {
    vm: Object.fromEntries(rows("VM")),
    datastores: Object.fromEntries(rows("DATASTORE")),
    networks: Object.fromEntries(rows("NETWORK"))
  }
}

/** The networks that a group may use, as its rules say: one by its id (bit 32), those of a cluster (bit 35), all (bit 34). */
const usableNetworks = ({ cloud }: Site, { backendId }: Resource) => {
  const ofGroup = (2n << 32n) + BigInt(backendId)
  const networks = 1n << 38n
  return [...cloud.world.acl]
    .filter(({ user, rights, resource }) => user === ofGroup && (rights & 1n) !== 0n && (resource & networks) !== 0n)
    .map(({ resource }) => resource & ~networks)
}

const sha256 = (text: unknown): string => createHash("sha256").update(String(text)).digest("hex")

/** The resources whose limits the agent has set, by the way that this generation of Waldur has for it. */
const limitsSet = ({ marketplace }: Site): ReadonlyArray<string> => {
  const path = { current: "marketplace-provider-resources", 2024: "marketplace-slurm-remote" }[marketplace.generation]
  return marketplace.calls.flatMap((call) => {
    const [, uuid] = new RegExp(`/${path}/([0-9a-f]{32})/set_limits/$`).exec(call.path) ?? []
    return uuid === undefined || call.status !== 200 ? [] : [uuid]
  })
}

describe.each<Generation>(["current", "2024"])("with a Waldur of generation %s", (generation) => {
  scenario("six orders are carried out, and leave nothing on either side", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ marketplace: { generation, race: true } })
      const { cloud, marketplace, order } = site
      const agent = yield* site.start()

      const vdcOrder = yield* order.vdc("six")
      const vdc = vdcOrder.resource
      yield* marketplace.settled
      expect(vdcOrder).toMatchObject({ state: "done", errorMessage: "" })
      expect(vdc).toMatchObject({ state: "OK", backendId: "100", limits: vdcLimits })
      expect(quotasOf(site, vdc)).toEqual({
        vm: { "": { CPU: 4, MEMORY: 4096, SYSTEM_DISK_SIZE: 20480 } },
        datastores: { 1: { SIZE: 20480 } },
        networks: { 0: { LEASES: 2 } }
      })
      expect(usableNetworks(site, vdc)).toEqual([(1n << 32n) + 1n])
      const { opennebula_password: password, ...metadata } = vdc.backendMetadata
      expect(metadata).toMatchObject({
        group_id: 100,
        group_name: "six-1",
        vdc_id: 100,
        vdc_name: "six-1",
        vnet_id: 1,
        vnet_name: "six-1_internal",
        subnet_cidr: "10.0.1.0/24",
        gateway_ip: "10.0.1.1",
        vr_id: 0,
        vr_vm_id: 0,
        vr_name: "six-1_router",
        router_address: "10.0.0.10",
        sg_id: 100,
        sg_name: "six-1_default",
        opennebula_username: "six-1_admin"
      })
      expect(cloud.world.users.byName("six-1_admin")?.passwordHash).toBe(sha256(password))
      expect(kinds(site.made())).toEqual(vdcObjects)

      expect((yield* order.updateLimits(vdc.uuid, doubled)).state).toBe("done")
      expect(vdc).toMatchObject({ state: "OK", backendId: "100", limits: doubled })
      expect(quotasOf(site, vdc)).toEqual({
        vm: { "": { CPU: 8, MEMORY: 8192, SYSTEM_DISK_SIZE: 40960 } },
        datastores: { 1: { SIZE: 40960 } },
        networks: { 0: { LEASES: 4 } }
      })

      const vmOrder = yield* order.vm("six-vm", vdc.backendId)
      const vm = vmOrder.resource
      yield* marketplace.settled
      expect(vmOrder).toMatchObject({ state: "done", errorMessage: "" })
      expect(vm).toMatchObject({ state: "OK", backendId: "1" })
      expect(vm.backendMetadata).toMatchObject({
        vm_id: 1,
        ip_address: "10.0.1.2",
        vcpu: 1,
        ram_mb: 512,
        disk_mb: 2048
      })
      expect(vm.limits).toEqual({})
      expect(cloud.world.vms.get(1)).toMatchObject({ gid: 100, state: 3, lcm: 3 })

      expect((yield* order.switchToMedium(vm.uuid)).state).toBe("done")
      yield* marketplace.awaitResource(vm.uuid, ({ backendMetadata }) => backendMetadata.disk_mb === 5120)
      expect(vm.plan?.name).toBe("Medium")
      expect(vm.backendMetadata).toMatchObject({ vm_id: 1, vcpu: 1, ram_mb: 1024, disk_mb: 5120 })
      expect(cloud.world.vms.get(1).template.get("MEMORY")).toBe("1024")
      expect(cloud.world.vms.get(1).template.vectors("DISK")[0]?.values.get("SIZE")).toBe("5120")
      expect(vm.limits).toEqual({})
      // Those of the VDC, billed by limit: made and doubled. None of the VM, whose components are fixed.
      expect(limitsSet(site)).toEqual([vdc.uuid, vdc.uuid])

      expect((yield* order.terminate(vm.uuid)).state).toBe("done")
      expect((yield* order.terminate(vdc.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["six Terminated", "six-vm Terminated"])

      expect(String(password).length).toBeGreaterThan(20)
      expect(yield* journalText(site)).not.toContain(password)
      expect(site.logged.join("\n")).not.toContain(password)
      expect(JSON.stringify(site.activities)).not.toContain(password)
    })
  )
})

/** Virtual data centres on the simulated front-end: made, changed, ended; and what is left when something goes wrong on the way. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { single, vector } from "../../src/opennebula/index.js"
import { lockFor } from "../../src/simulator/opennebula/index.js"
import { stateName } from "../../src/simulator/opennebula/vms/states.js"
import {
  createOrder,
  doneOf,
  everything,
  makeBench,
  objectsOf,
  refusedOf,
  terminateOrder,
  updateOrder,
  withEveryCall,
  withoutRules
} from "../support/vdc.js"

describe("a virtual data centre", () => {
  it.scopedLive("is made, changed and ended, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(withEveryCall)
      const made = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect(withoutRules(objectsOf(bench.frontEnd))).toEqual(everything)
      expect(made.backendId).toBe("100")
      expect(made.metadata).toEqual({
        group_id: 100,
        group_name: "vdc-1",
        vdc_id: 100,
        vdc_name: "vdc-1",
        vnet_id: 1,
        vnet_name: "vdc-1_internal",
        subnet_cidr: "10.0.1.0/24",
        gateway_ip: "10.0.1.1",
        vr_id: 0,
        vr_vm_id: 0,
        vr_name: "vdc-1_router",
        router_address: "10.0.0.10",
        sg_id: 100,
        sg_name: "vdc-1_default",
        opennebula_username: "vdc-1_admin"
      })
      expect((yield* bench.one.group.info(100)).quotas).toMatchObject({
        vm: [{ cpu: { limit: 4 }, memory: { limit: 4096 }, systemDiskSize: { limit: 20_480 } }],
        datastores: [{ id: 1, size: { limit: 20_480 } }],
        networks: [{ id: 0, leases: { limit: 2 } }, { id: 1 }]
      })

      const twice = { cpu: 8, ram: 8192, storage: 40_960, floating_ip: 4 }
      doneOf(yield* bench.attempt(yield* bench.journal, bench.update(updateOrder(1, "100", twice))))
      expect((yield* bench.one.group.info(100)).quotas).toMatchObject({
        vm: [{ cpu: { limit: 8 }, memory: { limit: 8192 }, systemDiskSize: { limit: 40_960 } }],
        datastores: [{ id: 1, size: { limit: 40_960 } }],
        networks: [{ id: 0, leases: { limit: 4 } }, { id: 1 }]
      })

      doneOf(yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, "100"))))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a create that fails", () => {
  it.scopedLive("whose router's image is still being copied has its router started when the copy is there", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(withEveryCall)
      const { world } = bench.frontEnd
      lockFor(world, world.images.get(0), 60)
      doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect([...world.vms].map(stateName)).toEqual(["RUNNING"])
    })
  )

  it.scopedLive("removes nothing that it has not made, whatever is named like its own", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(withEveryCall)
      const others = yield* Effect.all([
        bench.one.vdc.allocate("vdc-1"),
        bench.one.securityGroup.allocate([single("NAME", "vdc-1_default")]),
        bench.one.router.allocate([single("NAME", "vdc-1_router"), vector("NIC", { NETWORK_ID: 0 })])
      ])
      expect(others).toEqual([100, 100, 0])
      const before = objectsOf(bench.frontEnd)
      const failed = refusedOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect(failed.sentence).toMatch(
        /^The cloud already has a .* named "vdc-1.*": choose another name and order again\.$/
      )
      expect(objectsOf(bench.frontEnd)).toEqual(before)
    })
  )
})

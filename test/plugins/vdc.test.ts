/** Virtual data centres on the simulated front-end: made, changed, ended; and what is left when something goes wrong on the way. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { single, vector } from "../../src/opennebula/index.js"
import { lockFor } from "../../src/simulator/opennebula/index.js"
import { stateName } from "../../src/simulator/opennebula/vms/states.js"
import {
  createOrder,
  doneOf,
  type Mishap,
  makeBench,
  objectsOf,
  refusedOf,
  settingsOf,
  terminateOrder,
  updateOrder
} from "../support/vdc.js"

/** Settings by which a create makes all calls that it may make. */
const withEveryCall = settingsOf({ default_security_group: false, tenant_external_network: true })

const everything = [
  "VDC vdc-1",
  "VM vdc-1_router_vm",
  "group 100 in VDC 100",
  "group vdc-1",
  "network vdc-1_internal",
  "router vdc-1_router",
  "security group vdc-1_default",
  "user vdc-1_admin"
]
const withoutRules = (objects: ReadonlyArray<string>) => objects.filter((object) => !object.startsWith("rule"))

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

/** The number of changing calls in an order that goes well, so that each of them can go wrong once. */
const changesOf = (order: "create" | "terminate") =>
  Effect.gen(function* () {
    const bench = yield* makeBench(withEveryCall)
    const made = yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)))
    if (order === "create") return made.changes
    return (yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, "100")))).changes
  }).pipe(Effect.scoped)

const atEach = <A, E, R>(order: "create" | "terminate", check: (at: number) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const changes = yield* changesOf(order)
    expect(changes).toBeGreaterThan(6)
    const turns = Array.from({ length: changes }, (_, index) => index + 1)
    yield* Effect.forEach(turns, check, { concurrency: 6, discard: true })
  })

describe("a create that fails", () => {
  it.live(
    "at whichever call, leaves nothing behind",
    () =>
      atEach("create", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          const trouble = { at, mishap: "refused" } as const
          const failed = yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)), { trouble })
          const { leftovers, sentence } = refusedOf(failed)
          expect(sentence).toMatch(/^[A-Z].*\.$/)
          expect({ at, leftovers, objects: objectsOf(bench.frontEnd) }).toEqual({ at, leftovers: [], objects: [] })

          const again = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(2))))
          expect(again.metadata?.subnet_cidr).toBe("10.0.1.0/24")
        }).pipe(Effect.scoped)
      ),
    600_000
  )

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

const mishaps: ReadonlyArray<Mishap> = ["lost", "lost after", "crash", "crash after"]

describe("a create that is broken off and taken up again", () => {
  it.live.each(mishaps)(
    "(%s), at whichever call, makes everything exactly once",
    (mishap) =>
      atEach("create", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          const journal = yield* bench.journal
          const first = yield* bench.attempt(journal, bench.create(createOrder(1)), { trouble: { at, mishap } })
          expect(Option.isNone(first.end)).toBe(mishap.startsWith("crash"))
          const { backendId } = doneOf(yield* bench.attempt(journal, bench.create(createOrder(1))))
          const objects = objectsOf(bench.frontEnd).map((object) =>
            object.replace(/10\d in VDC 10\d/, "100 in VDC 100")
          )
          expect({ at, objects: withoutRules(objects) }).toEqual({ at, objects: everything })

          doneOf(yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, backendId ?? ""))))
          expect({ at, left: objectsOf(bench.frontEnd) }).toEqual({ at, left: [] })
        }).pipe(Effect.scoped)
      ),
    600_000
  )
})

describe("a terminate that is broken off and taken up again", () => {
  it.live.each(mishaps)(
    "(%s), at whichever call, removes everything",
    (mishap) =>
      atEach("terminate", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
          const journal = yield* bench.journal
          yield* bench.attempt(journal, bench.terminate(terminateOrder(1, "100")), { trouble: { at, mishap } })
          doneOf(yield* bench.attempt(journal, bench.terminate(terminateOrder(1, "100"))))
          expect({ at, left: objectsOf(bench.frontEnd) }).toEqual({ at, left: [] })
        }).pipe(Effect.scoped)
      ),
    600_000
  )
})

/** Quotas, and a host, that refuse a machine's new sizes: it is not powered off for nothing, whichever of them it is. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { vector } from "../../src/simulator/opennebula/world/template.js"
import { type Bench, createOrder, doneOf, makeBench, medium, refusedOf, updateOrder } from "../support/vmCloud.js"

type Hand = (bench: Bench) => Effect.Effect<unknown, unknown>
const call =
  (method: string, ...params: ReadonlyArray<string | number | boolean>): Hand =>
  ({ frontEnd }) =>
    frontEnd.call(method, params)
/** 0x0200, as whoever lacks a right reads it. */
const notShown = (method: string) => ({
  _tag: "Garbage" as const,
  when: "before" as const,
  body: `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param><value><array><data>
<value><boolean>0</boolean></value><value><string>[${method}] User [0] : Not authorized to perform USE.</string></value>
<value><i4>512</i4></value><value><i4>-1</i4></value><value><i8>-1</i8></value>
</data></array></value></param></params></methodResponse>`
})
/** A machine that is not oneadmin's, whose quotas nobody asks. */
const owned: Hand = (bench) =>
  Effect.all([call("one.user.allocate", "eve", "secret", "core")(bench), call("one.vm.chown", 0, 2, -1)(bench)])
const hands =
  (...all: ReadonlyArray<Hand>): Hand =>
  (bench) =>
    Effect.forEach(all, (hand) => hand(bench))

const quotas: ReadonlyArray<readonly [what: string, sentence: string, hand: Hand]> = [
  [
    "all groups'",
    "The virtual data centre's quota for memory (600 MB) does not allow this: 512 MB are in use and 512 MB more were ordered.",
    call("one.groupquota.update", 'VM=[MEMORY="600"]')
  ],
  [
    "a cluster's",
    "The virtual data centre's quota for memory where the machine is (600 MB) does not allow this: 512 MB are in use and 512 MB more were ordered.",
    call("one.group.quota", 100, 'VM=[CLUSTER_IDS="0",MEMORY="600"]')
  ],
  [
    "its user's",
    "The quota of the machine's owner in the cloud for memory (600 MB) does not allow this: 512 MB are in use and 512 MB more were ordered: ask the provider.",
    hands(owned, call("one.user.quota", 2, 'VM=[MEMORY="600"]'))
  ],
  [
    "all users'",
    "The quota of the machine's owner in the cloud for disk size (3000 MB) does not allow this: 2048 MB are in use and 3072 MB more were ordered: ask the provider.",
    hands(owned, call("one.userquota.update", 'VM=[SYSTEM_DISK_SIZE="3000"]'))
  ],
  [
    "one for what runs, lowered below what runs",
    "The virtual data centre's quota for running CPU (0.5) does not allow this: 1 are in use.",
    call("one.group.quota", 100, 'VM=[RUNNING_CPU="0.5"]')
  ],
  [
    "one for CPU, lowered below what is there, though memory alone was ordered",
    "The virtual data centre's quota for CPU (0.5) does not allow this: 1 are in use.",
    call("one.group.quota", 100, 'VM=[CPU="0.5"]')
  ]
]

describe("an update that a quota does not allow", () => {
  it.scoped.each(quotas)("is refused before the machine is touched: %s", ([, sentence, hand]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* hand(bench)
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(sentence)
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped.each(quotas)("would be refused by OpenNebula: %s", ([what, , hand]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      // After the look.
      let lowered = false
      bench.frontEnd.onCall(({ method, params }) => {
        if (lowered || method !== "one.vm.action" || params[0] !== "poweroff") return
        lowered = true
        Effect.runSync(hand(bench))
      })
      const { sentence } = refusedOf(yield* bench.update(updateOrder("0", medium)))
      expect([what, /quota/i.test(sentence)]).toEqual([what, true])
    })
  )

  it.scoped(
    "of the cluster where there is room keeps a new machine from its host: the order says so, not that there is none",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench()
        yield* call("one.group.quota", 100, 'VM=[CLUSTER_IDS="0",MEMORY="100"]')(bench)
        expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({
          sentence:
            "A quota does not allow the machine where the cloud has room for it: free some of it or have it raised, then order again, or ask the provider.",
          detail: expect.stringContaining("group [100] limit of 100 reached for MEMORY quota in VM with ID: 0"),
          leftovers: []
        })
        expect(bench.vms()).toEqual([])
      })
  )

  it.scoped("asks for one document more where the machine is not oneadmin's, in the same moment", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const looks = (from: number) =>
        bench.frontEnd.calls.slice(from).filter(({ method }) => method === "one.user.info")
      const first = bench.frontEnd.calls.length
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(looks(first)).toHaveLength(0)
      yield* owned(bench)
      const second = bench.frontEnd.calls.length
      doneOf(yield* bench.update(updateOrder("0", { ...medium, vm_ram: 2048 })))
      expect(looks(second)).toHaveLength(1)
    })
  )

  it.scoped.each([
    ["cores", { ...medium, vcpu: 9 }, "host 1 (host02) has 7 cores left to give"],
    ["memory", { ...medium, vm_ram: 99_999 }, "host 1 (host02) has 15872 MB left to give"]
  ] as const)("is refused before the machine is touched where its host has not so much room: %s", ([, sizes, detail]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", sizes)))).toMatchObject({
        sentence: "The cloud has no room for the ordered sizes where the machine is: order less, or try again later.",
        detail
      })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("is carried out by a user to whom OpenNebula shows neither hosts nor other users", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* owned(bench)
      bench.frontEnd.intercept(({ method }) =>
        method === "one.host.info" || method === "one.user.info" ? notShown(method) : undefined
      )
      doneOf(yield* bench.update(updateOrder("0", medium)))
    })
  )

  it.scoped("looks at the group, the user and the host in the same moment", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* owned(bench)
      const asked = yield* Deferred.make<void>()
      const missing = new Set(["one.group.info", "one.user.info", "one.host.info"])
      // None is answered before all are there.
      bench.frontEnd.intercept(({ method }) => {
        if (!missing.delete(method)) return undefined
        if (missing.size === 0) Effect.runSync(Deferred.succeed(asked, undefined))
        return { _tag: "Hold", when: "before", until: Deferred.await(asked) }
      })
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(missing.size).toBe(0)
    })
  )

  const arranged = 'TOPOLOGY=[SOCKETS="2",CORES="1",THREADS="2"]'
  it.scoped(
    "is refused before the machine is touched where its cores are arranged otherwise; what fits is carried out",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench()
        yield* bench.frontEnd.call("one.template.update", [2, arranged, 1])
        doneOf(yield* bench.create(createOrder({ amounts: { ...medium, vcpu: 4 } })))
        const before = bench.frontEnd.calls.length
        expect(refusedOf(yield* bench.update(updateOrder("0", { ...medium, vcpu: 6 }))).sentence).toBe(
          "The cloud arranges this machine's cores so that it cannot have so many, but a multiple of 4: order another number, or ask the provider."
        )
        expect(bench.changes(before)).toEqual([])
        doneOf(yield* bench.update(updateOrder("0", { ...medium, vcpu: 8 })))
      })
  )

  it.scoped("is not told of a host without room where its cores are in the way", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder({ amounts: { ...medium, vcpu: 4 } })))
      bench.frontEnd.onCall(({ method, params }) => {
        const { template } = bench.frontEnd.world.vms.get(0)
        if (method === "one.vm.action" && params[0] === "poweroff")
          template.add(vector("TOPOLOGY", { SOCKETS: "2", CORES: "1", THREADS: "2" }))
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...medium, vcpu: 6 }))).sentence).toBe(
        "The cloud arranges this machine's cores so that it cannot have so many: order another number, or ask the provider."
      )
    })
  )

  it.scoped("is refused where the machine's user was deleted, before it is touched", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* owned(bench)
      yield* bench.frontEnd.call("one.user.delete", [2])
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(
        "The machine's owner in the cloud does not exist any more, so it cannot be changed: ask the provider."
      )
      expect(bench.changes(before)).toEqual([])
    })
  )
})

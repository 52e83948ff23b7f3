/** What an order asks of a machine beyond its size, on the simulated front-end: host name, networks, security groups. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema, TestClock } from "effect"
import { single, vector, vectorsOf } from "../../src/opennebula/template/template.js"
import { VmAttributes } from "../../src/plugins/opennebula-vm/ordered/attributes.js"
import { createOrder, doneOf, makeBench, quick, refusedOf } from "../support/vmCloud.js"

const decode = Schema.decodeUnknownSync(VmAttributes)

/** Network 1 is the data centre's first; 2 and security group 100 are its own too; 3 and 101 are another tenant's. */
const makeTenantBench = Effect.gen(function* () {
  const bench = yield* makeBench(quick)
  const { one } = bench
  const other = yield* one.group.allocate("other")
  for (const [name, gid] of [
    ["storage", 100],
    ["theirs", other]
  ] as const) {
    const network = yield* one.network.allocate(
      [
        single("NAME", name),
        single("VN_MAD", "dummy"),
        single("BRIDGE", "br2"),
        vector("AR", { TYPE: "IP4", IP: "192.168.20.2", SIZE: 4 })
      ],
      0
    )
    yield* one.network.chown(network, { gid })
    const securityGroup = yield* one.securityGroup.allocate([
      single("NAME", `${name}-rules`),
      vector("RULE", { PROTOCOL: "TCP", RULE_TYPE: "inbound", RANGE: "80" })
    ])
    yield* one.securityGroup.chown(securityGroup, { gid })
  }
  // A network has addresses only once it is ready.
  yield* TestClock.adjust("1 second")
  return bench
})

describe("a machine with more than a size", () => {
  it.scoped("has the host name, and the data centre's networks and security groups that were asked for", () =>
    Effect.gen(function* () {
      const bench = yield* makeTenantBench
      const attributes = decode({ hostname: "Web-1.example.org", networks: ["storage", 1], security_groups: "100" })
      doneOf(yield* bench.create(createOrder({ attributes })))
      const vm = yield* bench.one.vm.info(0)
      expect(vectorsOf(vm.template, "CONTEXT")[0]?.values.SET_HOSTNAME).toBe("Web-1.example.org")
      expect(vm.nics.map(({ network }) => network)).toEqual(["acme_internal", "storage"])
      expect(
        vectorsOf(vm.template, "NIC").map(({ values }) => values.SECURITY_GROUPS?.split(",").includes("100"))
      ).toEqual([true, true])
    })
  )

  it.scoped("is refused, before anything is made, for what is another tenant's or the provider's", () =>
    Effect.gen(function* () {
      const bench = yield* makeTenantBench
      const refused = (attributes: unknown) =>
        Effect.map(bench.create(createOrder({ attributes: decode(attributes) })), (end) => refusedOf(end).sentence)
      for (const name of ["theirs", "3", "public", "0"]) {
        expect(yield* refused({ networks: name })).toBe(
          `"${name}" is no network of the virtual data centre (it has storage (2), acme_internal (1)): choose another and order again.`
        )
      }
      expect(yield* refused({ security_groups: ["theirs-rules"] })).toContain("is no security group")
      expect(yield* refused({ security_groups: [0] })).toContain("is no security group")
      expect(bench.vms()).toEqual([])
    })
  )

  it("may have lists, texts between commas, or nothing; and no nonsense", () => {
    expect(decode({ networks: " a, 7 ,", security_groups: null, hostname: "" })).toEqual({
      networks: ["a", "7"],
      hostname: ""
    })
    for (const hostname of ["-web", "web_1", "$USER[TEMPLATE]", "a b", "x".repeat(64), `${"a.".repeat(127)}toolong`]) {
      expect(() => decode({ hostname })).toThrow("Expected a host name")
    }
    expect(() => decode({ networks: Array.from({ length: 9 }, (_, n) => n) })).toThrow("Expected up to 8 networks")
  })
})

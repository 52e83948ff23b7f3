import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  type Bench,
  doneOf,
  makeBench,
  objectsOf,
  quotasOf,
  refusedOf,
  terminated,
  updateOrder
} from "../../../test/support/vdc.js"
import { single, vector } from "../../opennebula/index.js"
import { adoptedBy } from "../../opennebula/template/owner.js"

/** What the Python agent leaves: the same things without a single tag. */
const madeByPythonAgent = (bench: Bench, name: string) =>
  Effect.gen(function* () {
    const { one } = bench
    const group = yield* one.group.allocate(name)
    const vdc = yield* one.vdc.allocate(name)
    yield* one.vdc.addGroup(vdc, group)
    yield* one.vdc.addCluster(vdc, 0, 0)
    const network = yield* one.network.allocate(
      [
        single("NAME", `${name}_internal`),
        single("VN_MAD", "dummy"),
        single("BRIDGE", "br1"),
        vector("AR", { TYPE: "IP4", IP: "10.0.1.1", SIZE: 254 })
      ],
      0
    )
    yield* bench.idle
    yield* one.vdc.addNetwork(vdc, 0, network)
    const router = yield* one.router.allocate([
      single("NAME", `${name}_router`),
      vector("NIC", { NETWORK_ID: network, IP: "10.0.1.1" })
    ])
    yield* one.router.instantiate(router, { count: 1, templateId: 1, name: `${name}_router_vm` })
    yield* one.securityGroup.allocate([single("NAME", `${name}_default`)])
    return group
  })

describe("a data centre that the Python agent made", () => {
  it.scopedLive.each(["100", "vdc-1"])("is ended by its backend id %s, with what hangs on it", (backendId) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* madeByPythonAgent(bench, "vdc-1")
      yield* bench.frontEnd.call("one.user.allocate", ["vdc-1_admin", "secret", "core", [100]])
      yield* bench.idle
      doneOf(yield* terminated(bench, backendId))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("does not take along what is only named like its own", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { one } = bench
      yield* one.group.allocate("acme")
      yield* bench.frontEnd.call("one.vdc.allocate", ['NAME="acme"'])
      yield* bench.frontEnd.call("one.vn.allocate", ['NAME="acme_internal"\nVN_MAD="dummy"\nBRIDGE="br1"', 0])
      yield* bench.frontEnd.call("one.secgroup.allocate", ['NAME="acme_default"'])
      yield* bench.frontEnd.call("one.user.allocate", ["acme_admin", "secret", "core"])
      doneOf(yield* terminated(bench, "acme"))
      expect(objectsOf(bench.frontEnd)).toEqual([
        "VDC acme",
        "network acme_internal",
        "security group acme_default",
        "user acme_admin"
      ])
    })
  )

  it.scopedLive("has the number of its group for a backend id once it was changed by the name", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* madeByPythonAgent(bench, "acme")
      const changed = doneOf(
        yield* bench.attempt(yield* bench.journal, bench.update(updateOrder(1, "acme", { cpu: 6 })))
      )
      expect(changed).toEqual({ backendId: "100", amounts: { cpu: 6 } })
      const { template } = yield* bench.one.group.info(100)
      expect(adoptedBy(template)).toEqual(Option.some(updateOrder(1, "acme", {}).resource.id))
      // From now on no other resource can say that it is its own.
      expect(
        refusedOf(yield* bench.attempt(yield* bench.journal, bench.update(updateOrder(2, "acme", { cpu: 1 })))).sentence
      ).toContain("belongs to something else")
      doneOf(yield* bench.attempt(yield* bench.journal, bench.update(updateOrder(1, "100", { cpu: 6 }))))
      expect((yield* quotasOf(bench)).vm[0]).toMatchObject({ cpu: { limit: 6 }, memory: { limit: "default" } })
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { createOrder, doneOf, makeBench, settingsOf } from "../../../test/support/vdc.js"
import { ResourceId } from "../../core/index.js"
import { check } from "./check.js"
import { observe, usage } from "./usage.js"

const known = (n: number, backendId: string) => ({ id: ResourceId.make(n.toString(16).padStart(32, "a")), backendId })

const benchWithVdc = Effect.gen(function* () {
  const bench = yield* makeBench()
  doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
  return { ...bench, cloud: (yield* bench.cloud).cloud }
})

describe("usage", () => {
  it.scopedLive("is what is allocated now, read at once for all; what cannot be read is left out", () =>
    Effect.gen(function* () {
      const { cloud, frontEnd } = yield* benchWithVdc
      const before = frontEnd.calls.length
      const found = yield* usage(cloud)([known(1, "100"), known(2, "4711")])
      expect(frontEnd.calls.slice(before).map(({ method }) => method)).toEqual(["one.grouppool.info"])
      // The router's machine is the tenant's: half a core, 256 MB, a disk of 1024 MB, an address outside.
      expect(found).toEqual([
        { resource: known(1, "").id, amounts: { cpu: 0.5, ram: 256, storage: 1024, floating_ip: 1 } }
      ])
    })
  )

  it.scopedLive("is found by the name that the Python agent left as backend id", () =>
    Effect.gen(function* () {
      const { cloud } = yield* benchWithVdc
      expect((yield* usage(cloud)([known(1, "vdc-1")])).map(({ amounts }) => amounts.cpu)).toEqual([0.5])
    })
  )
})

describe("a look at data centres", () => {
  it.scopedLive("tells the healthy from the broken and the missing", () =>
    Effect.gen(function* () {
      const { cloud, one } = yield* benchWithVdc
      const resources = [known(1, "100"), known(2, "100"), known(3, "4711")]
      const [own, others, missing] = yield* observe(cloud)(resources)
      expect(own).toEqual({
        _tag: "Present",
        resource: known(1, "").id,
        state: "Running",
        healthy: true,
        amounts: { cpu: 4, ram: 4096, storage: 20_480, floating_ip: 2 },
        facts: { group_id: 100, group_name: "vdc-1", vr_id: 0 }
      })
      expect([others, missing]).toMatchObject([{ _tag: "Missing" }, { _tag: "Missing" }])

      yield* one.router.delete(0)
      expect(yield* observe(cloud)([known(1, "100")])).toMatchObject([{ state: "no router" }])
    })
  )
})

describe("the check of an offering", () => {
  const lines = (settings: Readonly<Record<string, unknown>> = {}) =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf(settings))
      const results = yield* check((yield* bench.cloud).cloud)
      return results.filter(({ status }) => status !== "ok").map(({ status, subject }) => `${status}: ${subject}`)
    })

  it.scopedLive("finds nothing wrong with the laboratory", () =>
    Effect.map(lines(), (found) => expect(found).toEqual([]))
  )

  it.scopedLive("names everything that is wrong at once", () =>
    Effect.map(
      lines({
        zone_id: 3,
        cluster_ids: [0, 9],
        external_network_id: 8,
        virtual_router_template_id: 2,
        vn_mad: "bridge",
        tenant_isolation: false
      }),
      (found) =>
        expect(found).toEqual([
          "failed: zone 3",
          "failed: cluster 9",
          "failed: external network 8",
          "failed: router template 2",
          "failed: subnets",
          "warning: tenant isolation"
        ])
    )
  )

  it.scopedLive("warns where addresses are sold and cannot be limited", () =>
    Effect.map(lines({ external_network_id: undefined }), (found) =>
      expect(found).toEqual(["warning: networks", "warning: component floating_ip"])
    )
  )
})

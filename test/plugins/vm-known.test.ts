/** What is known of machines on the simulated front-end: usage, looks, the check. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, TestClock } from "effect"
import type { ResourceId } from "../../src/core/index.js"
import { single } from "../../src/opennebula/template/template.js"
import { observe } from "../../src/plugins/opennebula-vm/between-orders/observe.js"
import { accounting, usageOf } from "../../src/plugins/opennebula-vm/between-orders/usage.js"
import { check } from "../../src/plugins/opennebula-vm/check.js"
import { createOrder, doneOf, makeBench, planComponents, small, updateOrder, vdcResource } from "../support/vmCloud.js"

describe("what is known of machines", () => {
  it.scoped("is read in one call for all: usage of those that exist, and why there is none of others", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const own = createOrder().resource.id
      const stranger = updateOrder("0", small, { resource: { id: vdcResource } }).resource.id
      doneOf(yield* bench.create(createOrder()))
      const resources = [
        { id: own, backendId: "0" },
        { id: own, backendId: "99" },
        { id: stranger, backendId: "0" }
      ]
      const before = bench.frontEnd.calls.length
      expect(yield* usageOf(bench.offering)(resources)).toEqual([
        { resource: own, amounts: small },
        { resource: own, amounts: {}, problem: "There is no VM 99 in OpenNebula." },
        { resource: stranger, amounts: {}, problem: "VM 0 in OpenNebula belongs to another resource." }
      ])
      expect(bench.frontEnd.calls.length - before).toBe(1)
      expect((yield* observe(bench.offering)(resources)).map(({ _tag }) => _tag)).toEqual([
        "Present",
        // Its id leads nowhere, its tag does.
        "Present",
        "Foreign"
      ])
      expect((yield* observe(bench.offering)(resources))[0]).toMatchObject({
        state: "Running",
        healthy: true,
        amounts: small,
        facts: { ip_address: "192.168.10.2" }
      })
    })
  )

  it.scoped("is that there is a second one, made by a call that nobody had waited for any more", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const resource = { id: createOrder().resource.id, backendId: "0" }
      doneOf(yield* bench.create(createOrder()))
      yield* bench.one.template.instantiate(2, {
        name: "my-machine",
        hold: true,
        extra: [single("CPU", 1), single("WALDUR_RESOURCE_UUID", resource.id)]
      })
      const findings = (yield* observe(bench.offering)([resource])).flatMap((seen) =>
        seen._tag === "Present" ? seen.findings : []
      )
      expect(findings).toMatchObject([{ kind: "owner", subject: "VM 1", expected: "VM 0 alone", mendable: false }])
    })
  )

  it.scoped("is hours from the accounts, also of a machine that is no more; without accounts nothing is made up", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const own = createOrder().resource.id
      doneOf(yield* bench.create(createOrder()))
      yield* TestClock.adjust("2 hours")
      const components = ["cpu_hours", "vm_hours"].flatMap((type) =>
        planComponents("usage")
          .slice(0, 1)
          .map((component) => ({ ...component, type }))
      )
      const look = (resources: ReadonlyArray<{ readonly id: ResourceId; readonly backendId: string }>) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          return yield* accounting({ ...bench.offering, components })(resources, [
            { from: -2000, until: -1000 },
            { from: now - 3_600_000, until: now + 1000 }
          ])
        })
      const [longAgo, lastHour] = yield* look([{ id: own, backendId: "0" }])
      expect(longAgo).toEqual([{ resource: own, amounts: { cpu_hours: 0, vm_hours: 0 } }])
      // The last minute is left to the next report.
      expect(lastHour?.[0]?.amounts.vm_hours).toBeCloseTo(59 / 60, 3)
      yield* bench.one.vm.action(0, "terminate-hard")
      yield* TestClock.adjust("1 hour")
      const [, after] = yield* look([
        { id: own, backendId: "0" },
        { id: own, backendId: "99" },
        { id: vdcResource, backendId: "0" }
      ])
      expect(after?.map(({ problem }) => problem)).toEqual([
        undefined,
        "There is no VM 99 in OpenNebula.",
        "VM 0 in OpenNebula belongs to another resource."
      ])
    })
  )

  it.scoped("by the check: front-end, rights, templates, parent and network, clusters, datastores, limits", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ settings: { cluster_ids: [0], allowed_template_ids: [1, 3, 77] } })
      const all = yield* check(bench.offering)
      // Whoever runs it is the provider.
      expect(all.filter(({ status }) => status === "failed").map(({ detail }) => detail)).toEqual([
        "vrouter is for virtual routers: correct template_id or allowed_template_ids",
        expect.stringContaining("has no disk"),
        "there is no such template in OpenNebula: correct template_id or allowed_template_ids"
      ])
      expect(all.map(({ subject, status }) => `${subject}: ${status}`)).toEqual([
        "OpenNebula: ok",
        "credentials: ok",
        "template 2: ok",
        "template 1: failed",
        "template 3: failed",
        "template 77: failed",
        "parent VDC 100: ok",
        "clusters 0: ok",
        "system datastores: ok",
        "image datastores: ok",
        "limits: ok"
      ])
      const wrong = yield* makeBench({ settings: { cluster_ids: [5], parent_vdc_backend_id: "nobody" } })
      const failures = (yield* check(wrong.offering)).filter(({ status }) => status === "failed")
      expect(failures.map(({ subject }) => subject)).toEqual([
        "parent VDC nobody",
        "clusters 5",
        "system datastores",
        "image datastores"
      ])
    })
  )
})

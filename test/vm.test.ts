/** Virtual machines on the simulated front-end: made, changed, ended. What goes wrong on the way is in vm-failures.long.ts. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Option, TestClock } from "effect"
import type { ResourceId } from "../src/core/index.js"
import { adoptedTags, ownerTags } from "../src/opennebula/template/owner.js"
import { single, valueOf, vectorsOf } from "../src/opennebula/template/template.js"
import { check } from "../src/plugins/opennebula-vm/check.js"
import { observe } from "../src/plugins/opennebula-vm/observe.js"
import { accounting, usageOf } from "../src/plugins/opennebula-vm/usage.js"
import {
  createOrder,
  doneOf,
  makeBench,
  makeParent,
  medium,
  planComponents,
  quick,
  refusedOf,
  small,
  terminateOrder,
  untilOver,
  updateOrder,
  vdcResource
} from "./support/vmCloud.js"

const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+DyvyX2UiX7wPPY4FqVwRbJ4YC7pPKmNLpjzGcmyRB jane@example.org"
const keyUuid = "f".repeat(32)

describe("a virtual machine", () => {
  it.scoped("is made, changed by plan and ended, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const made = doneOf(yield* bench.create(createOrder()))
      const vm_stime = (yield* bench.one.vm.info(0)).startedAt
      expect(made).toEqual({
        backendId: "0",
        metadata: { vm_id: 0, vm_stime, ip_address: "192.168.10.2", vcpu: 1, ram_mb: 512, disk_mb: 2048 }
      })
      const changed = doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(changed.metadata).toEqual({
        vm_id: 0,
        vm_stime,
        ip_address: "192.168.10.2",
        vcpu: 1,
        ram_mb: 1024,
        disk_mb: 5120
      })
      const vm = yield* bench.one.vm.info(0)
      expect([vm.state, vm.vcpu, vm.memory, vm.disks.map(({ size }) => size)]).toEqual(["Running", 1, 1024, [5120]])
      expect(doneOf(yield* bench.terminate(terminateOrder("0")))).toEqual({})
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped(
    "is made in the parent's group and network, named and tagged, with the template's context and the key",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench({ keys: { [keyUuid]: sshKey } })
        doneOf(yield* bench.create(createOrder({ attributes: { ssh_public_key: keyUuid } })))
        const vm = yield* bench.one.vm.info(0)
        expect([vm.name, vm.gid, vm.cpu, vm.vcpu]).toEqual(["my-machine", 100, 1, 1])
        expect(vm.nics.map(({ network }) => network)).toEqual(["acme_internal"])
        const [context] = vectorsOf(vm.template, "CONTEXT")
        expect([context?.values.NETWORK, context?.values.SSH_PUBLIC_KEY]).toEqual(["YES", sshKey])
        expect(Option.getOrNull(valueOf(vm.userTemplate, "WALDUR_RESOURCE_UUID"))).toBe("a".repeat(32))
      })
  )

  it.scoped.each<[string, string]>([
    ["whose owner it names", ',IMAGE_UNAME="oneadmin"'],
    ["of the agent's user, as it names no owner", ""]
  ])("boots from the image %s, whoever's the template is, and whoever has another of that name", ([, owner]) =>
    Effect.gen(function* () {
      const initial = {
        images: [
          { name: "base-os", sizeMb: 1024 },
          { name: "base-os", sizeMb: 4096 },
          { name: "base-os", sizeMb: 10 }
        ],
        templates: [
          'NAME="placeholder"\nCPU="0.1"\nMEMORY="64"',
          'NAME="vrouter"\nCPU="0.5"\nMEMORY="256"\nVROUTER="YES"\nDISK=[IMAGE_ID="0"]',
          `NAME="vm"\nCPU="1"\nMEMORY="1024"\nDISK=[IMAGE="base-os"${owner}]`
        ]
      }
      const bench = yield* makeBench({ frontEnd: { ...quick.frontEnd, initial } })
      const { images, templates } = bench.frontEnd.world
      Object.assign(images.get(1), { uid: 8, uname: "designer" })
      Object.assign(images.get(2), { uid: 9, uname: "tenant" })
      Object.assign(templates.get(2), { uid: 8, uname: "designer" })
      doneOf(yield* bench.create(createOrder()))
      const [disk] = (yield* bench.one.vm.info(0)).disks
      expect([disk?.imageId, disk?.size]).toEqual([Option.some(0), 2048])
    })
  )

  it.scoped("is handed over and released before it boots, in three changing calls", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const before = bench.frontEnd.calls.length
      doneOf(yield* bench.create(createOrder()))
      expect(bench.changes(before)).toEqual(["one.template.instantiate", "one.vm.chown", "release"])
    })
  )

  it.scoped("is placed where settings and plugin options say, the latter first", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ settings: { cluster_ids: [0], sched_requirements: "FREE_CPU > 1" } })
      doneOf(yield* bench.create(createOrder({ pluginOptions: { sched_requirements: "FREE_CPU > 2" } })))
      const vm = yield* bench.one.vm.info(0)
      expect(Option.getOrNull(valueOf(vm.userTemplate, "SCHED_REQUIREMENTS"))).toBe("(FREE_CPU > 2) & (CLUSTER_ID=0)")
    })
  )
})

describe("the parent of a virtual machine", () => {
  const other = (more: object) => ({
    resources: [{ ...vdcOfProject, ...more }],
    settings: { parent_vdc_backend_id: "" }
  })
  const vdcOfProject = {
    id: vdcResource,
    offering: createOrder().resource.offering,
    name: "Acme",
    backendId: "100",
    state: "OK"
  }
  const inVdc = (parent_backend_id: string) => createOrder({ attributes: { parent_backend_id } })

  it.scoped("may be named by the order, by its group's id or by its name, if it is of the same project", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(other({}))
      expect(doneOf(yield* bench.create(inVdc("100"))).backendId).toBe("0")
      expect(doneOf(yield* bench.create(inVdc("acme"))).backendId).toBe("1")
    })
  )

  it.scoped(
    "question 1: is found by its number also if the Python agent made it and a change has rewritten its id",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench(other({}))
        yield* bench.one.group.replace(100, [])
        expect(refusedOf(yield* bench.create(inVdc("100"))).sentence).toContain("is not a virtual data centre")
        yield* bench.one.group.append(100, adoptedTags(vdcResource))
        expect(doneOf(yield* bench.create(inVdc("100"))).backendId).toBe("0")
        yield* bench.one.group.append(100, adoptedTags("7".repeat(32)))
        expect(refusedOf(yield* bench.create(inVdc("acme"))).sentence).toContain("is not a virtual data centre")
      })
  )

  it.scoped("of another project is refused before anything is made", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ resources: [] })
      expect(refusedOf(yield* bench.create(inVdc("100")))).toMatchObject({
        sentence: '"100" is not a virtual data centre of this project: choose one of this project and order again.',
        leftovers: []
      })
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("is not taken for the project's own because one of its machines has the same number", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(other({ id: "7".repeat(32), name: "a VM with id 100" }))
      expect(refusedOf(yield* bench.create(inVdc("100"))).sentence).toContain(
        "is not a virtual data centre of this project"
      )
    })
  )

  it.scoped("that is not ready, or is named nowhere, is refused in a sentence", () =>
    Effect.gen(function* () {
      const ending = yield* makeBench(other({ state: "Terminating" }))
      expect(refusedOf(yield* ending.create(inVdc("100"))).sentence).toContain('"Acme" is not ready (Terminating)')
      expect(refusedOf(yield* ending.create(createOrder())).sentence).toContain("must name the virtual data centre")
      expect(
        refusedOf(yield* ending.create(createOrder({ pluginOptions: { parent_vdc_backend_id: "nobody" } }))).sentence
      ).toBe("The virtual data centre of this offering does not exist (any more): ask the provider.")
    })
  )

  it.scoped("lends its own network, also where its administrator says that it is another's", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const victim = "7".repeat(32)
      const vdc = yield* bench.one.vdc.allocate("acme", ownerTags({ resource: vdcResource, order: "" }))
      yield* bench.one.vdc.addGroup(vdc, 100)
      // As the Python agent has made it, and `migrate` has tagged it.
      yield* untilOver(makeParent(bench.one, "victim", victim))
      yield* bench.one.network.chown(2, { gid: 0 })
      yield* bench.one.group.append(100, ownerTags({ resource: victim, order: "" }))
      doneOf(yield* bench.create(createOrder()))
      expect((yield* bench.one.vm.info(0)).nics.map(({ networkId }) => networkId)).toEqual([Option.some(1)])
    })
  )

  it.scoped("lends its own network, not another tenant's of the same name", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const thief = yield* bench.one.group.allocate("thief")
      // Younger, and of the right name, but in another group's hands.
      yield* bench.one.network.chown(1, { gid: thief })
      expect(refusedOf(yield* bench.create(createOrder())).sentence).toContain("has no internal network")
    })
  )
})

describe("question 3: the actual size of a machine", () => {
  it.scoped("goes to metadata after a create and a resize, and as limits for what is billed by limit", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ components: planComponents("limit") })
      expect(doneOf(yield* bench.create(createOrder())).amounts).toEqual(small)
      expect(doneOf(yield* bench.update(updateOrder("0", medium))).amounts).toEqual(medium)
    })
  )

  it.scoped("does not go back as limits of fixed components, unless the provider wants it", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      expect(doneOf(yield* bench.create(createOrder())).amounts).toBeUndefined()
      const wanted = yield* makeBench({ settings: { report_fixed_limits: true } })
      expect(doneOf(yield* wanted.create(createOrder())).amounts).toEqual(small)
    })
  )
})

describe("question 4: an update", () => {
  it.scoped("with a smaller disk is refused before the machine is touched", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder({ amounts: medium })))
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 2048 })))).toMatchObject({
        sentence: "A disk cannot shrink: it has 5120 MB and 2048 MB was ordered; choose a plan with at least 5120 MB.",
        leftovers: []
      })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("with a smaller disk applies the rest of it with disk_shrink: keep, and reports the disk as it is", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ settings: { disk_shrink: "keep" } })
      doneOf(yield* bench.create(createOrder({ amounts: medium })))
      expect(doneOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 2048 }))).metadata).toMatchObject({
        ram_mb: 2048,
        disk_mb: 5120
      })
    })
  )

  it.scoped("whose disk cannot be grown takes CPU and memory back, brings the machine up again, and is refused", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("disk-resize", { times: 9 })
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...medium, vcpu: 2 })))).toMatchObject({
        sentence:
          "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider.",
        leftovers: []
      })
      const vm = yield* bench.one.vm.info(0)
      expect([vm.state, vm.cpu, vm.vcpu, vm.memory, vm.disks[0]?.size]).toEqual(["Running", 1, 1, 512, 2048])
    })
  )

  it.scoped("that changes nothing powers nothing off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const before = bench.frontEnd.calls.length
      expect(doneOf(yield* bench.update(updateOrder("0", small))).metadata).toMatchObject({ ram_mb: 512 })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("leaves a machine off that was off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* bench.one.vm.action(0, "poweroff-hard")
      const before = bench.frontEnd.calls.length
      expect(doneOf(yield* bench.update(updateOrder("0", medium))).metadata).toMatchObject({
        ram_mb: 1024,
        disk_mb: 5120
      })
      expect((yield* bench.one.vm.info(0)).state).toBe("Poweroff")
      expect(bench.changes(before)).toEqual(["one.vm.resize", "one.vm.diskresize"])
    })
  )
})

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

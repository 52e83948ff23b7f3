/** Virtual machines on the simulated front-end: made, and the data centre that they are in. What goes wrong on the way is in vm-failures.long.ts. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { adoptedTags, ownerTags } from "../../src/opennebula/template/owner.js"
import { valueOf, vectorsOf } from "../../src/opennebula/template/template.js"
import {
  createOrder,
  doneOf,
  makeBench,
  makeParent,
  medium,
  quick,
  refusedOf,
  terminateOrder,
  untilOver,
  updateOrder,
  vdcResource
} from "../support/vmCloud.js"

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
        metadata: { vm_id: 0, vm_stime, group_id: 100, ip_address: "192.168.10.2", vcpu: 1, ram_mb: 512, disk_mb: 2048 }
      })
      const changed = doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(changed.metadata).toEqual({
        vm_id: 0,
        vm_stime,
        group_id: 100,
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

  it.scoped("is found by its number also if the Python agent made it and a change has rewritten its id", () =>
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

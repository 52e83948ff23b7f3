import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { decode } from "../../../test/support/openNebulaDecoding.js"
import { type Recording, recording, recordings } from "../../../test/support/openNebulaRecordings.js"
import type { Answer } from "../wire/answer.js"
import { AclRule } from "./acl.js"
import { documentOf, poolOf, text as textAt } from "./element.js"
import { Group, GroupQuotas, GroupShort } from "./group.js"
import { HistoryRecord, historyPool } from "./history.js"
import { Cluster, Datastore, Host, Image, VmTemplate, Zone } from "./infrastructure.js"
import { VirtualNetwork } from "./network.js"
import { SecurityGroup, VirtualRouter } from "./router.js"
import { User } from "./user.js"
import { Vdc } from "./vdc.js"
import { seenVmPool, Vm, VmShort, vmPool, vmShortPool, WholeVm } from "./vm.js"

/** Every method whose documents have a model, and how it is read. */
const answers: Readonly<Record<string, Answer<unknown>>> = {
  "one.vm.info": documentOf(Vm),
  "one.vmpool.info": vmShortPool,
  "one.vmpool.infoextended": vmPool,
  "one.vmpool.infoset": vmPool,
  "one.vmpool.accounting": historyPool,
  "one.group.info": documentOf(Group),
  "one.grouppool.info": poolOf("GROUP", GroupShort),
  "one.vdc.info": documentOf(Vdc),
  "one.vdcpool.info": poolOf("VDC", Vdc),
  "one.vn.info": documentOf(VirtualNetwork),
  "one.vnpool.info": poolOf("VNET", VirtualNetwork),
  "one.vrouter.info": documentOf(VirtualRouter),
  "one.vrouterpool.info": poolOf("VROUTER", VirtualRouter),
  "one.secgroup.info": documentOf(SecurityGroup),
  "one.secgrouppool.info": poolOf("SECURITY_GROUP", SecurityGroup),
  "one.user.info": documentOf(User),
  "one.userpool.info": poolOf("USER", User),
  "one.acl.info": poolOf("ACL", AclRule),
  "one.template.info": documentOf(VmTemplate),
  "one.templatepool.info": poolOf("VMTEMPLATE", VmTemplate),
  "one.image.info": documentOf(Image),
  "one.imagepool.info": poolOf("IMAGE", Image),
  "one.cluster.info": documentOf(Cluster),
  "one.clusterpool.info": poolOf("CLUSTER", Cluster),
  "one.datastore.info": documentOf(Datastore),
  "one.datastorepool.info": poolOf("DATASTORE", Datastore),
  "one.host.info": documentOf(Host),
  "one.hostpool.info": poolOf("HOST", Host),
  "one.zonepool.info": poolOf("ZONE", Zone)
}

/** The same of those of which only a part is built. */
const whole: Readonly<Record<string, Answer<unknown>>> = {
  "one.vmpool.info": poolOf("VM", VmShort),
  "one.vmpool.infoextended": poolOf("VM", Vm),
  "one.vmpool.infoset": poolOf("VM", Vm),
  "one.vmpool.accounting": poolOf("HISTORY", HistoryRecord)
}

/** An answer that is a document: neither a refusal nor a fault. */
const isDocument = ({ response }: Recording): boolean =>
  response.includes("<boolean>1</boolean>") && response.includes("<string>&lt;")

const documents = recordings.filter((some) => some.method in answers && isDocument(some))

/** How many items a pool has, counted without our decoder: elements below elements of the same name do not count. */
const itemsIn = (response: Buffer, item: string): number => {
  const root = /&lt;(\w+)&gt;/.exec(response.toString())?.[1] ?? ""
  const direct = /&lt;(\/?)(\w+)&gt;/g
  let depth = 0
  let found = 0
  for (const [, closing, name] of response.toString().matchAll(direct)) {
    if (closing === "" && depth === 1 && name === item) found += 1
    depth += closing === "" ? 1 : -1
  }
  expect(root).not.toBe("")
  return found
}

const read = <A>(number: string, answer: Answer<A>) => decode(answer, recording(number).response)

describe("the recorded documents", () => {
  const partly = documents.filter(({ method }) => method in whole)
  it("of machines and accounting are many", () => {
    expect(new Set(partly.map(({ method }) => method))).toEqual(new Set(Object.keys(whole)))
  })
  it.live.each(partly)(
    "$name says the same, whether only what is read is built, or all of it",
    ({ method, response }) =>
      Effect.gen(function* () {
        const all = yield* decode(whole[method] ?? documentOf(Vm), response)
        expect(yield* decode(answers[method] ?? documentOf(Vm), response)).toEqual(all)
      })
  )

  it("are many", () => {
    expect(documents.length).toBeGreaterThan(100)
  })

  it.live.each(documents)("$name decodes", ({ method, response }) =>
    Effect.gen(function* () {
      const answer = answers[method]
      if (answer === undefined) return yield* Effect.dieMessage(method)
      const decoded = yield* decode(answer, response)
      // A pool has as many items as its document has elements of that name.
      if (answer._tag === "Pool") {
        expect(decoded).toHaveLength(answer.items.reduce((sum, item) => sum + itemsIn(response, item), 0))
      } else expect(decoded).toHaveProperty("id")
    })
  )
})

describe("what they say", () => {
  it.effect("a VM keeps when it was made: on hold, running, resized, updated, ended, and in its accounts", () =>
    Effect.gen(function* () {
      for (const number of ["077", "081", "094", "098", "124", "147", "464"]) {
        expect(yield* read(number, documentOf(Vm)), number).toMatchObject({ id: 1, startedAt: 1795379415 })
      }
      const accounts = (yield* read("245", historyPool)).filter(({ vmId }) => vmId === 1)
      expect(accounts.length).toBeGreaterThan(10)
      expect(new Set(accounts.map(({ vmStartedAt }) => vmStartedAt))).toEqual(new Set([1795379415]))
      expect(new Set(accounts.map(({ startedAt }) => startedAt)).size).toBeGreaterThan(1)
    })
  )

  it.effect("a VM: size, disk, address, state (recording 081)", () =>
    Effect.gen(function* () {
      const vm = yield* read("081", documentOf(Vm))
      expect(vm).toMatchObject({
        id: 1,
        uid: 0,
        gid: 100,
        name: "acme-vm1",
        state: "Running",
        cpu: 1,
        vcpu: 1,
        memory: 1024
      })
      expect(vm.disks).toEqual([
        { id: 0, size: 10240, imageId: Option.some(0), datastoreId: Option.some(1), type: "FILE", target: "SYSTEM" }
      ])
      expect(vm.nics).toMatchObject([{ id: 0, networkId: Option.some(1), ip: Option.some("192.168.10.3") }])
      expect(vm.history).toMatchObject([{ sequence: 0, hostname: "host01" }])
      expect(vm.permissions.owner).toEqual({ use: true, manage: true, admin: false })
    })
  )

  it.effect("a VM's state through its life, by name", () =>
    Effect.gen(function* () {
      const states = yield* Effect.forEach(["077", "081", "094", "181", "187", "191"], (number) =>
        Effect.map(read(number, documentOf(Vm)), (vm) => vm.state)
      )
      expect(states).toEqual(["Hold", "Running", "Poweroff", "Pending", "Done", "BootFailure"])
    })
  )

  it.effect("who had a VM switched off, if that is the last that was done to it", () =>
    Effect.gen(function* () {
      const by = yield* Effect.forEach(["081", "094", "098"], (number) =>
        Effect.map(read(number, documentOf(WholeVm)), (vm) => vm.switchedOffBy)
      )
      expect(by).toEqual([Option.none(), Option.some(0), Option.none()])
    })
  )

  it.effect(
    "which machines there are and how they are, in the short form and in the long one (recordings 212, 213, 227)",
    () =>
      Effect.gen(function* () {
        for (const number of ["212", "213", "227"]) {
          const machines = yield* read(number, vmShortPool)
          expect(yield* read(number, seenVmPool)).toEqual(machines.map(({ id, state }) => ({ id, state })))
          expect(machines.length).toBeGreaterThan(1)
        }
      })
  )

  it.effect("a group's quotas and their use (recordings 072, 118)", () =>
    Effect.gen(function* () {
      const { quotas } = yield* read("072", documentOf(Group))
      expect(quotas.vm).toMatchObject([
        { cpu: { limit: "unlimited" }, memory: { limit: "default" }, vms: { limit: 6, used: 0 } }
      ])
      expect(quotas.datastores).toEqual([
        { id: 1, size: { limit: 102400, used: 0 }, images: { limit: "unlimited", used: 0 } }
      ])
      expect(quotas.networks.map(({ id, leases }) => [id, leases.limit])).toEqual([
        [1, 10],
        [0, 2]
      ])
      const used = yield* read("118", documentOf(Group))
      expect(used.quotas.vm[0]?.cpu.used).toBeGreaterThan(0)
    })
  )

  it.effect("all groups' quotas in one call (recording 204)", () =>
    Effect.gen(function* () {
      const rows = yield* read("204", poolOf("QUOTAS", GroupQuotas))
      expect(rows.map(({ groupId, quotas }) => [groupId, quotas.vm[0]?.cpu])).toEqual([
        [100, { limit: 8, used: 3 }],
        [1, undefined],
        [0, undefined]
      ])
    })
  )

  it.effect("a network with the router's floating lease (recording 053)", () =>
    Effect.gen(function* () {
      const network = yield* read("053", documentOf(VirtualNetwork))
      expect(network).toMatchObject({ id: 1, state: "Ready", clusters: [0], routers: [0], usedLeases: 1 })
      expect(network.addressRanges).toMatchObject([
        {
          id: 0,
          type: "IP4",
          ip: Option.some("192.168.10.1"),
          size: 254,
          leases: [{ routerId: Option.some(0), vmId: Option.none() }]
        }
      ])
      expect((yield* read("042", documentOf(VirtualNetwork))).state).toMatch(/^(LockCreate|Ready)$/)
    })
  )

  it.effect("a router with its VMs (recording 055), and none before instantiate (recording 051)", () =>
    Effect.gen(function* () {
      const router = yield* read("055", documentOf(VirtualRouter))
      expect(router.vms).toEqual([0])
      expect(router.nics).toMatchObject([
        { networkId: Option.some(0), floating: false },
        { networkId: Option.some(1), floating: true, ip: Option.some("192.168.10.1") }
      ])
      expect((yield* read("051", documentOf(VirtualRouter))).vms).toEqual([])
    })
  )

  it.effect("a VDC, and VDC 0 with all clusters (recording 205)", () =>
    Effect.gen(function* () {
      const vdcs = yield* read("205", poolOf("VDC", Vdc))
      expect(vdcs.map(({ id, groups, clusters, networks }) => ({ id, groups, clusters, networks }))).toEqual([
        { id: 100, groups: [100], clusters: [{ zone: 0, id: 0 }], networks: [{ zone: 0, id: 1 }] },
        { id: 0, groups: [1, 100], clusters: [{ zone: 0, id: -10 }], networks: [] }
      ])
    })
  )

  it.effect("a user without secrets in the open (recording 061)", () =>
    Effect.gen(function* () {
      const user = yield* read("061", documentOf(User))
      expect(user).toMatchObject({ id: 2, gid: 100, groups: [100], enabled: true, template: [] })
      expect(JSON.stringify(user)).not.toMatch(/[0-9a-f]{40}/)
      expect(Redacted.value(user.passwordHash)).toMatch(/^[0-9a-f]{64}$/)
    })
  )

  it.effect("templates, and which is a router's (recordings 021, 022)", () =>
    Effect.gen(function* () {
      expect((yield* read("021", documentOf(VmTemplate))).isVirtualRouter).toBe(true)
      expect((yield* read("022", documentOf(VmTemplate))).isVirtualRouter).toBe(false)
    })
  )

  it.effect("an odd VM does not make the others unreadable", () =>
    Effect.gen(function* () {
      const odd = recording("081")
        .response.toString()
        .replace("&lt;MEMORY&gt;&lt;![CDATA[1024]]", "&lt;MEMORY&gt;&lt;![CDATA[abc]]")
        .replace("&lt;VCPU&gt;&lt;![CDATA[1]]", "&lt;VCPU&gt;&lt;![CDATA[1.5]]")
      const vm = yield* decode(documentOf(Vm), Buffer.from(odd))
      expect(vm).toMatchObject({ memory: 0, vcpu: 1 })
    })
  )

  it.effect("a document without an id is malformed, and the error says where", () =>
    Effect.gen(function* () {
      const broken = recording("036").response.toString().replace("&lt;ID&gt;100&lt;/ID&gt;", "")
      const error = yield* Effect.flip(decode(documentOf(Group), Buffer.from(broken)))
      expect(error).toMatchObject({ _tag: "MalformedAnswer", reason: expect.stringMatching(/^GROUP: .*id/) })
    })
  )

  it.effect("the zone (recording 017)", () =>
    Effect.gen(function* () {
      expect(yield* read("017", poolOf("ZONE", Zone))).toMatchObject([{ id: 0, name: "OpenNebula" }])
      expect(textAt({ name: "A", text: "", children: [] }, "B")).toBe("")
    })
  )
})

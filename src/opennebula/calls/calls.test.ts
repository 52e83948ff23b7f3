import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { decode } from "../../../test/support/openNebulaDecoding.js"
import { independentCall, recording } from "../../../test/support/openNebulaRecordings.js"
import type { OpenNebulaClient } from "../client.js"
import { aclAll } from "../model/acl.js"
import { single, vector } from "../template/template.js"
import type { Param } from "../wire/answer.js"
import { groupRule } from "./acl.js"
import { makeOpenNebula, type OpenNebulaService } from "./openNebula.js"

/** A front-end that notes what it is asked, and answers 0, "" or an empty pool. */
const noting = () => {
  const asked: Array<{ readonly method: string; readonly params: ReadonlyArray<Param> }> = []
  const client: OpenNebulaClient = {
    endpoint: "http://front-end/RPC2",
    call: (method, params, answer) =>
      Effect.suspend(() => {
        asked.push({ method, params })
        switch (answer._tag) {
          case "Integer":
            return answer.decode(0)
          case "Text":
            return answer.decode("7.4.0")
          case "Document":
            // What it would mean is another test's business.
            return Effect.dieMessage("no document here")
          case "Pool":
            return Effect.succeed(answer.gather().result())
        }
      })
  }
  return { asked, one: makeOpenNebula(client) }
}

type Calling = (one: OpenNebulaService) => Effect.Effect<unknown, unknown>

/** Each call beside the recording of the same call, made by another client on a real front-end. */
const calls: ReadonlyArray<readonly [recorded: string, calling: Calling]> = [
  ["001", (one) => one.system.version()],
  ["003", (one) => one.group.list()],
  ["003", (one) => one.group.listQuotas()],
  ["004", (one) => one.vdc.list()],
  ["005", (one) => one.network.list()],
  ["006", (one) => one.router.list()],
  ["007", (one) => one.vm.listExtended()],
  ["008", (one) => one.vm.list()],
  ["009", (one) => one.template.list()],
  ["010", (one) => one.image.list()],
  ["011", (one) => one.securityGroup.list()],
  ["012", (one) => one.host.list()],
  ["013", (one) => one.cluster.list()],
  ["015", (one) => one.user.list()],
  ["016", (one) => one.acl.list()],
  ["017", (one) => one.zone.list()],
  ["022", (one) => one.template.info(2)],
  ["025", (one) => one.image.info(0)],
  ["027", (one) => one.cluster.info(0)],
  ["029", (one) => one.network.info(0)],
  ["031", (one) => one.group.allocate("acme")],
  ["032", (one) => one.vdc.allocate("acme", [single("DESCRIPTION", "acme vdc")])],
  ["033", (one) => one.vdc.addGroup(100, 100)],
  ["034", (one) => one.vdc.addCluster(100, 0, 0)],
  ["035", (one) => one.vdc.info(100)],
  ["036", (one) => one.group.info(100)],
  [
    "038",
    (one) =>
      one.securityGroup.allocate([
        single("NAME", "acme-sg"),
        single("DESCRIPTION", "x"),
        vector("RULE", { PROTOCOL: "TCP", RULE_TYPE: "inbound", RANGE: 22 }),
        vector("RULE", { PROTOCOL: "ALL", RULE_TYPE: "outbound" })
      ])
  ],
  ["039", (one) => one.securityGroup.chown(100, { gid: 100 })],
  ["040", (one) => one.securityGroup.info(100)],
  [
    "041",
    (one) =>
      one.network.allocate(
        [
          single("NAME", "acme-internal"),
          single("VN_MAD", "dummy"),
          single("BRIDGE", "br1"),
          single("NETWORK_ADDRESS", "192.168.10.0"),
          single("NETWORK_MASK", "255.255.255.0"),
          single("GATEWAY", "192.168.10.1"),
          single("DNS", "192.168.10.1"),
          single("SECURITY_GROUPS", 100),
          vector("AR", { TYPE: "IP4", IP: "192.168.10.1", SIZE: 254 })
        ],
        0
      )
  ],
  ["044", (one) => one.network.chown(1, { gid: 100 })],
  [
    "045",
    (one) =>
      one.network.chmod(1, {
        owner: { use: true, manage: true, admin: false },
        group: { use: true, manage: true, admin: false },
        other: { use: false, manage: false, admin: false }
      })
  ],
  ["046", (one) => one.vdc.addNetwork(100, 0, 1)],
  [
    "048",
    (one) =>
      one.group.quota(100, {
        vm: { cpu: 4, memory: 8192, vms: 4, systemDiskSize: 51200 },
        networks: [
          { id: 1, leases: 10 },
          { id: 0, leases: 2 }
        ],
        datastores: [{ id: 1, size: 102400, images: "unlimited" }]
      })
  ],
  [
    "050",
    (one) =>
      one.router.allocate([
        single("NAME", "acme-vr"),
        vector("NIC", { NETWORK_ID: 0 }),
        vector("NIC", { NETWORK_ID: 1, IP: "192.168.10.1", FLOATING_IP: true })
      ])
  ],
  ["051", (one) => one.router.info(0)],
  ["052", (one) => one.router.chown(0, { gid: 100 })],
  [
    "054",
    (one) => one.router.instantiate(0, { count: 1, templateId: 1, name: "acme-vr-%i", extra: [single("CPU", 0.5)] })
  ],
  ["056", (one) => one.vm.info(0)],
  ["059", (one) => one.user.allocate({ name: "acme-user", password: Redacted.make("s3cret-pw") })],
  ["060", (one) => one.user.chgrp(2, 100)],
  ["061", (one) => one.user.info(2)],
  ["067", (one) => one.acl.addRule(groupRule({ group: 100, resources: ["VM"], rights: ["USE"] }))],
  ["071", (one) => one.group.quota(100, { vm: { cpu: "unlimited", memory: "default", vms: 6 } })],
  [
    "076",
    (one) =>
      one.template.instantiate(2, {
        name: "acme-vm1",
        hold: true,
        extra: [vector("NIC", { NETWORK_ID: 1 }), single("CPU", 1), single("MEMORY", 1024), single("VCPU", 1)]
      })
  ],
  ["078", (one) => one.vm.chown(1, { gid: 100 })],
  ["082", (one) => one.vm.chown(1, { uid: 2, gid: 100 })],
  ["085", (one) => one.vm.resize(1, { cpu: 2, vcpu: 2, memory: 2048 })],
  ["087", (one) => one.vm.diskResize(1, 0, 12288)],
  ["092", (one) => one.vm.action(1, "poweroff")],
  ["121", (one) => one.vm.rename(1, "acme-vm1-renamed")],
  ["122", (one) => one.vm.append(1, [single("FOO", "bar"), single("LABELS", "a,b")])],
  ["123", (one) => one.vm.replace(1, [single("FOO", "baz")])],
  [
    "165",
    (one) =>
      one.acl.addRule(
        groupRule({
          group: 100,
          resources: ["VM", "NET", "IMAGE", "TEMPLATE", "SECGROUP", "VROUTER"],
          rights: ["CREATE"],
          zone: aclAll
        })
      )
  ],
  ["167", (one) => one.acl.deleteRule(9999)],
  ["214", (one) => one.vm.list({ includeDone: true })],
  ["227", (one) => one.vm.infoset([1, 6])],
  ["245", (one) => one.vm.accounting(-1, -1)],
  ["269", (one) => one.user.passwd(2, Redacted.make("n3w-pw"))],
  ["293", (one) => one.datastore.info(99999)],
  ["325", (one) => one.vdc.deleteNetwork(100, 0, 99999)],
  ["331", (one) => one.vdc.append(100, [single("A", "b")])],
  ["333", (one) => one.network.append(99999, [single("A", "b")])],
  ["346", (one) => one.user.delete(99999)],
  ["356", (one) => one.user.append(2, [single("A", "b")])],
  ["418", (one) => one.user.allocate({ name: "inone", password: Redacted.make("x"), groups: [100] })],
  ["435", (one) => one.group.append(100, [single("FOO", "bar")])],
  ["461", (one) => one.vm.action(1, "terminate-hard")],
  ["469", (one) => one.router.delete(0)],
  ["474", (one) => one.network.delete(1)],
  ["479", (one) => one.securityGroup.delete(100)],
  ["480", (one) => one.vdc.delete(100)],
  ["499", (one) => one.vdc.deleteGroup(101, 104)],
  ["500", (one) => one.vdc.deleteCluster(101, 0, 0)],
  ["502", (one) => one.group.delete(104)]
]

describe("a call", () => {
  it.live.each(calls.map(([number, calling]) => ({ name: recording(number).name, number, calling })))(
    "asks exactly what was recorded: $name",
    ({ number, calling }) =>
      Effect.gen(function* () {
        const { asked, one } = noting()
        yield* Effect.exit(calling(one))
        const recorded = yield* Effect.promise(() => independentCall(recording(number).request))
        // The session comes first; the client adds it.
        expect(asked).toEqual([{ method: recorded.method, params: recorded.params.slice(1) }])
      })
  )

  it.effect("is not made for nonsense that the front-end would answer OK to", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      const nonsense: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        one.vm.resize(1, { cpu: 0 }),
        one.vm.resize(1, { vcpu: 1.5 }),
        one.vm.resize(1, { memory: Number.NaN }),
        one.vm.resize(1, {}),
        one.vm.diskResize(1, 0, 0.5),
        one.group.quota(1, { vm: { memory: -5 } }),
        one.group.quota(1, { vm: { memory: 0.5 } }),
        one.group.quota(1, { networks: [{ id: 0, leases: Number.POSITIVE_INFINITY }] })
      ]
      const errors = yield* Effect.forEach(nonsense, Effect.flip)
      expect(new Set(errors.map(({ _tag }) => _tag))).toEqual(new Set(["OrderRefused"]))
      expect(asked).toEqual([])
    })
  )

  it.effect("is not made with a template that cannot be carried", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      const error = yield* Effect.flip(one.vdc.allocate("a\u0001b"))
      expect(error).toMatchObject({ _tag: "TemplateUnencodable", attribute: "NAME" })
      expect(asked).toEqual([])
    })
  )

  it.effect("for no VMs at all is none", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      expect(yield* one.vm.infoset([])).toEqual([])
      expect(asked).toEqual([])
    })
  )

  it.effect("for many VMs is one for each thousand, and for each VM once", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      const ids = Array.from({ length: 2_100 }, (_, id) => id)
      yield* one.vm.infoset([...ids, 7])
      const named = asked.map(({ params }) => String(params[0]).split(",").map(Number))
      expect(named.map(({ length }) => length)).toEqual([1_000, 1_000, 100])
      expect(named.flat()).toEqual(ids)
    })
  )

  it.effect("for how VMs are asks for the short form", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      yield* one.vm.states([1, 6])
      expect(asked).toEqual([{ method: "one.vmpool.infoset", params: ["1,6", false] }])
    })
  )

  it.effect("for VMs that came in another call's short form is made again, and not for ever", () =>
    Effect.gen(function* () {
      let answers = 0
      const inAnothers = (times: number): OpenNebulaClient => ({
        endpoint: "http://front-end/RPC2",
        call: (_method, _params, answer) =>
          Effect.suspend(() => {
            answers += 1
            return decode(answer, recording(answers <= times ? "213" : "227").response)
          })
      })
      const vms = yield* makeOpenNebula(inAnothers(2)).vm.infoset([1, 6])
      expect([vms.length, answers]).toEqual([2, 3])
      answers = 0
      const error = yield* Effect.flip(makeOpenNebula(inAnothers(1_000)).vm.infoset([1, 6]))
      expect([error._tag, answers]).toEqual(["MalformedAnswer", 6])
    })
  )

  it.effect("of chmod leaves alone what is not named", () =>
    Effect.gen(function* () {
      const { asked, one } = noting()
      yield* one.image.chmod(3, { group: { use: true } })
      expect(asked).toEqual([{ method: "one.image.chmod", params: [3, -1, -1, -1, 1, -1, -1, -1, -1, -1] }])
    })
  )
})

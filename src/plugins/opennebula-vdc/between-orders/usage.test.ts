import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Record } from "effect"
import { createOrder, doneOf, makeBench, settingsOf } from "../../../../test/support/vdc.js"
import { ResourceId, type Usage } from "../../../core/index.js"
import { single } from "../../../opennebula/index.js"
import { check } from "../check.js"
import { observe } from "./observe.js"
import { accounting, usage } from "./usage.js"

const known = (n: number, backendId: string) => ({ id: ResourceId.make(n.toString(16).padStart(32, "a")), backendId })

const benchWithVdc = Effect.gen(function* () {
  const bench = yield* makeBench()
  doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
  return { ...bench, cloud: (yield* bench.cloud).cloud }
})

describe("usage", () => {
  it.scopedLive("is what is allocated now, read at once for all; what cannot be read is no zero", () =>
    Effect.gen(function* () {
      const { cloud, frontEnd } = yield* benchWithVdc
      const before = frontEnd.calls.length
      const found = yield* usage(cloud)([known(1, "100"), known(2, "4711")])
      expect(frontEnd.calls.slice(before).map(({ method }) => method)).toEqual(["one.grouppool.info"])
      // The router's machine is the tenant's: half a core, 256 MB, a disk of 1024 MB, an address outside.
      expect(found).toEqual([
        { resource: known(1, "").id, amounts: { cpu: 0.5, ram: 256, storage: 1024, floating_ip: 1 } },
        { resource: known(2, "").id, amounts: {}, problem: "There is no group 4711 in OpenNebula." }
      ])
    })
  )

  it.scopedLive("of another resource's group is not taken for one's own", () =>
    Effect.gen(function* () {
      const { cloud } = yield* benchWithVdc
      expect(yield* usage(cloud)([known(2, "100")])).toEqual([
        { resource: known(2, "").id, amounts: {}, problem: "Group 100 in OpenNebula belongs to another resource." }
      ])
    })
  )

  it.scopedLive("has in it what members have in the groups of their roles, and nothing of anybody else's", () =>
    Effect.gen(function* () {
      const { cloud, one } = yield* benchWithVdc
      for (const [name, of] of [
        ["vdc-1-users", known(1, "").id],
        ["vdc-9-users", known(9, "").id]
      ] as const) {
        const group = yield* one.group.allocate(name)
        yield* one.group.append(group, [single("WALDUR_ACCESS_OF", of)])
        const vm = yield* one.template.instantiate(2, { name: "members", hold: true })
        yield* one.vm.chown(vm, { gid: group })
      }
      const [found] = yield* usage(cloud)([known(1, "100")])
      expect(found?.amounts).toEqual({ cpu: 0.5 + 1, ram: 256 + 1024, storage: 1024 + 10_240, floating_ip: 1 })
    })
  )

  it.scopedLive("has no addresses without the network that they are sold from, which plugin_options may name", () =>
    Effect.gen(function* () {
      const { cloud } = yield* benchWithVdc
      const unsaid = { ...cloud, settings: { ...cloud.settings, external_network_id: undefined } }
      const [without] = yield* usage(unsaid)([known(1, "100")])
      expect(without).toEqual({
        resource: known(1, "").id,
        amounts: { cpu: 0.5, ram: 256, storage: 1024 },
        problem: "Addresses cannot be counted without external_network_id."
      })
      const [named] = yield* usage(unsaid)([known(1, "100")], { external_network_id: 0 })
      expect(named?.amounts.floating_ip).toBe(1)
    })
  )

  it.scopedLive("is found by the name that the Python agent left as backend id", () =>
    Effect.gen(function* () {
      const { cloud } = yield* benchWithVdc
      expect((yield* usage(cloud)([known(1, "vdc-1")])).map(({ amounts }) => amounts.cpu)).toEqual([0.5])
    })
  )
})

describe("hours", () => {
  const hour = 3_600_000
  const measured = ["cpu_hours", "ram_hours", "storage_hours"]

  /** A VDC whose router has had its host for `hours` hours and a minute. */
  const benchAfter = (hours: number) =>
    Effect.gen(function* () {
      const bench = yield* benchWithVdc
      const now = yield* Clock.currentTimeMillis
      const [record] = bench.frontEnd.world.vms.get(0).history
      if (record !== undefined) record.stime = Math.floor(now / 1000) - hours * 3600 - 60
      const components = measured.map((type) => ({
        type,
        name: type,
        measuredUnit: "",
        unitFactor: 1,
        accountingType: "usage" as const
      }))
      return { ...bench, now, cloud: { ...bench.cloud, components } }
    })
  const rounded = (usages: ReadonlyArray<Usage>) =>
    usages.map(({ amounts, problem }) => problem ?? Record.map(amounts, (amount) => Math.round(amount * 100) / 100))

  it.scopedLive(
    "are those of all VMs of the group, a router's included, although its record knows its maker only",
    () =>
      Effect.gen(function* () {
        const { cloud, now, frontEnd } = yield* benchAfter(10)
        const before = frontEnd.calls.length
        const [earlier, current] = yield* accounting(cloud)(
          [known(1, "100"), known(2, "4711")],
          [
            { from: now - 24 * hour, until: now - 4 * hour },
            { from: now - 4 * hour, until: now + 24 * hour }
          ]
        )
        expect(
          frontEnd.calls
            .slice(before)
            .map(({ method }) => method)
            .toSorted()
        ).toEqual(["one.grouppool.info", "one.vmpool.accounting", "one.vmpool.info"])
        // Half a core, 256 MB and 1024 MB of disk, for six hours and a minute, and for four hours less a minute; whole seconds aside.
        expect(rounded(earlier ?? [])).toEqual([
          {
            cpu_hours: 3.01,
            ram_hours: expect.closeTo(256 * (6 + 1 / 60), 0),
            storage_hours: expect.closeTo(1024 * (6 + 1 / 60), 0)
          },
          "There is no group 4711 in OpenNebula."
        ])
        expect(rounded(current ?? [])[0]).toMatchObject({
          cpu_hours: 1.99,
          ram_hours: expect.closeTo(256 * (4 - 1 / 60), 0)
        })
      })
  )

  it.scopedLive("are also those of VMs in the groups of roles", () =>
    Effect.gen(function* () {
      const { cloud, now, one } = yield* benchAfter(10)
      const group = yield* one.group.allocate("vdc-1-users")
      yield* one.group.append(group, [single("WALDUR_ACCESS_OF", known(1, "").id)])
      yield* one.vm.chown(0, { gid: group })
      const [found] = yield* accounting(cloud)([known(1, "100")], [{ from: now - 24 * hour, until: now + hour }])
      expect(rounded(found ?? [])[0]).toMatchObject({ cpu_hours: 5 })
    })
  )

  it.scopedLive("remain when the data centre has ended", () =>
    Effect.gen(function* () {
      const { cloud, now, one } = yield* benchAfter(10)
      yield* one.router.delete(0)
      yield* Effect.repeat(Effect.delay(one.vm.info(0), "5 millis"), { until: ({ state }) => state === "Done" })
      yield* one.group.delete(100).pipe(Effect.ignore)
      const users = yield* one.user.list()
      for (const { id, gid } of users) if (gid === 100) yield* one.user.delete(id)
      yield* one.group.delete(100).pipe(Effect.ignore)
      expect((yield* one.group.list()).some(({ id }) => id === 100)).toBe(false)
      const [found] = yield* accounting(cloud)([known(1, "100")], [{ from: now - 24 * hour, until: now + hour }])
      expect(rounded(found ?? [])[0]).toMatchObject({ cpu_hours: 5.01 })
    })
  )

  it.scopedLive("of an empty group are none, and of nobody's VMs nobody's", () =>
    Effect.gen(function* () {
      const { cloud, now, one } = yield* benchAfter(10)
      yield* one.vm.chown(0, { gid: 1 })
      const [found] = yield* accounting(cloud)([known(1, "100")], [{ from: now - 24 * hour, until: now + hour }])
      expect(rounded(found ?? [])).toEqual([{ cpu_hours: 0, ram_hours: 0, storage_hours: 0 }])
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
        measures: "quotas",
        mayExceed: [],
        standing: { standing: "active", complete: true, detail: "" },
        standings: ["active", "paused"],
        findings: [],
        amounts: { cpu: 4, ram: 4096, storage: 20_480, floating_ip: 2 },
        facts: { group_id: 100, group_name: "vdc-1", vr_id: 0 }
      })
      expect([others, missing]).toMatchObject([{ _tag: "Foreign", object: "group 100" }, { _tag: "Missing" }])

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
    Effect.map(lines({ default_security_group: false, tenant_external_network: true }), (found) =>
      expect(found).toEqual([])
    )
  )

  it.scopedLive("warns of rules that keep nothing out, beside OpenNebula's own group as it comes (recording 208)", () =>
    Effect.gen(function* () {
      const outside = { tenant_external_network: true }
      expect(yield* lines(outside)).toEqual(["warning: security_group_defaults"])
      expect(yield* lines({ ...outside, security_group_defaults: [] })).toEqual([])
      const closed = yield* makeBench()
      const inbound = 'RULE=[PROTOCOL="TCP",RANGE="22",RULE_TYPE="inbound"]'
      yield* closed.frontEnd.call("one.secgroup.update", [0, inbound, 0])
      const results = yield* check((yield* closed.cloud).cloud)
      expect(results.find(({ subject }) => subject === "security_group_defaults")).toMatchObject({ status: "ok" })
    })
  )

  it.scopedLive("says which key to correct", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(
        settingsOf({ cluster_ids: [0, 9], external_network_id: 8, virtual_router_template_id: 99 })
      )
      const results = yield* check((yield* bench.cloud).cloud)
      const failed = results.filter(({ status }) => status === "failed").map(({ detail }) => detail)
      expect(failed).toEqual([
        "there is no such cluster in OpenNebula: correct cluster_ids",
        "there is no such network in OpenNebula: correct external_network_id",
        "there is no such VM template in OpenNebula: correct virtual_router_template_id"
      ])
    })
  )

  it.scopedLive("names everything that is wrong at once", () =>
    Effect.map(
      lines({
        zone_id: 3,
        cluster_ids: [0, 9],
        external_network_id: 8,
        virtual_router_template_id: 2,
        vn_mad: "bridge",
        default_security_group: false,
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

  it.scopedLive("warns of networks that are apart by their addresses alone: a bridge is one for all", () =>
    Effect.gen(function* () {
      const said = (settings: Readonly<Record<string, unknown>>) =>
        lines({ default_security_group: false, tenant_external_network: true, ...settings })
      expect(yield* said({ vn_mad: "bridge", network_bridge: "br1" })).toEqual(["warning: tenant isolation"])
      expect(yield* said({ vn_mad: "802.1Q" })).toEqual([])
    })
  )

  it.scopedLive("warns where addresses are sold that tenants may not use", () =>
    Effect.gen(function* () {
      const said = (settings: Readonly<Record<string, unknown>>) =>
        lines({ ...settings, default_security_group: false })
      expect(yield* said({})).toEqual(["warning: component floating_ip"])
      expect(yield* said({ tenant_external_network: true })).toEqual([])
      expect(yield* said({ tenant_isolation: false })).toEqual(["warning: tenant isolation"])
    })
  )

  it.scopedLive("warns of members' users whose driver may manage their groups", () =>
    Effect.gen(function* () {
      const rest = { default_security_group: false, tenant_external_network: true }
      expect(yield* lines({ ...rest, member_auth_driver: "ldap" })).toEqual(["warning: member_auth_driver"])
    })
  )

  it.scopedLive("warns where addresses are sold and cannot be limited", () =>
    Effect.map(lines({ external_network_id: undefined }), (found) =>
      expect(found).toEqual(["warning: networks", "warning: component floating_ip"])
    )
  )
})

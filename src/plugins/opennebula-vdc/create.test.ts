import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import {
  amounts,
  createOrder,
  doneOf,
  makeBench,
  objectsOf,
  passwordOf,
  refusedOf,
  settingsOf,
  terminateOrder
} from "../../../test/support/vdc.js"
import { pausedBetween } from "../../core/index.js"
import { vectorsOf } from "../../opennebula/index.js"

/** The sentence with which an order is refused; nothing may be left of it. */
const refusal = (
  change: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
  before: (bench: Effect.Effect.Success<ReturnType<typeof makeBench>>) => Effect.Effect<unknown> = () => Effect.void
) =>
  Effect.gen(function* () {
    const bench = yield* makeBench(settingsOf(settings))
    yield* before(bench)
    const objects = objectsOf(bench.frontEnd)
    const { leftovers, sentence } = refusedOf(
      yield* bench.attempt(yield* bench.journal, bench.create({ ...createOrder(1), ...change }))
    )
    expect(leftovers).toEqual([])
    expect(objectsOf(bench.frontEnd)).toEqual(objects)
    return sentence
  })

describe("an order that cannot be carried out", () => {
  it.scopedLive.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["without amounts", { amounts: {} }, "says nothing of cpu"],
    ["with an unknown component", { amounts: { ...amounts, gpu: 1 } }, 'no "gpu"'],
    ["with a negative amount", { amounts: { ...amounts, ram: -1 } }, "negative"],
    ["with no cores", { amounts: { ...amounts, cpu: 0 } }, "more than 0"],
    ["with a part of a MB", { amounts: { ...amounts, ram: 0.5 } }, "whole MB"],
    ["with a huge amount", { amounts: { ...amounts, storage: 1e15 } }, "too large"],
    ["with a subnet that is none", { attributes: { subnet_cidr: "all of them" } }, "not a subnet"],
    ["with a subnet that is too small", { attributes: { subnet_cidr: "10.0.1.0/32" } }, "too small"],
    ["with an IPv6 subnet", { attributes: { subnet_cidr: "fd00::/64" } }, "IPv6"],
    ["with a subnet of others' addresses", { attributes: { subnet_cidr: "172.16.0.0/24" } }, "outside"],
    ["with a subnet that overlaps the provider's network", { attributes: { subnet_cidr: "10.0.0.0/24" } }, "overlaps"]
  ])("%s is refused in a sentence, before anything is made", ([, change, said]) =>
    Effect.map(refusal(change), (sentence) => expect(sentence).toContain(said))
  )

  it.scopedLive.each<[string, string, unknown]>([
    ["group", "one.group.allocate", "vdc-1"],
    ["virtual data centre", "one.vdc.allocate", 'NAME="vdc-1"'],
    ["network", "one.vn.allocate", 'NAME="vdc-1_internal"\nVN_MAD="dummy"\nBRIDGE="br1"'],
    ["security group", "one.secgroup.allocate", 'NAME="vdc-1_default"']
  ])("because somebody else's %s has its name is refused, and that one is not touched", ([kind, method, text]) =>
    Effect.map(
      refusal({}, {}, ({ frontEnd }) =>
        frontEnd.call(method, method === "one.vn.allocate" ? [String(text), 0] : [String(text)])
      ),
      (sentence) =>
        expect(sentence).toBe(
          `The cloud already has a ${kind} named "${nameOf(kind)}": choose another name and order again.`
        )
    )
  )

  it.scopedLive("because somebody removes its group meanwhile is refused, and nothing of it is left", () =>
    Effect.map(
      refusal({}, {}, ({ frontEnd }) =>
        Effect.sync(() =>
          frontEnd.intercept(({ method, params }) =>
            method === "one.vdc.addgroup"
              ? { _tag: "Hold", when: "before", until: frontEnd.call("one.group.delete", [Number(params[1])]) }
              : undefined
          )
        )
      ),
      (sentence) =>
        expect(sentence).toBe(
          "A group that this order needs does not exist in the cloud (any more): order again, or ask the provider."
        )
    )
  )

  it.scopedLive.each(["one.vrouter.allocate", "one.vrouter.instantiate"])(
    "because somebody removes its network before %s is refused, says so, and nothing of it is left",
    (call) =>
      Effect.map(
        refusal({}, {}, ({ frontEnd }) =>
          Effect.sync(() =>
            frontEnd.intercept(({ method }) =>
              method === call
                ? {
                    _tag: "Hold",
                    when: "before",
                    until: Effect.zipRight(frontEnd.call("one.vn.delete", [1]), Effect.sleep("20 millis"))
                  }
                : undefined
            )
          )
        ),
        (sentence) =>
          expect(sentence).toBe(
            "A virtual network that this order needs does not exist in the cloud (any more): order again, or ask the provider."
          )
      )
  )

  it.scopedLive("because its router does not boot is refused, and nothing of it is left", () =>
    Effect.map(
      refusal({}, {}, ({ frontEnd }) => Effect.sync(() => frontEnd.faults.failNext("deploy"))),
      (sentence) =>
        expect(sentence).toBe(
          "The router of this data centre could not be started: try again later, or ask the provider."
        )
    )
  )

  it.scoped(
    "because its router does not run in time, over all attempts but without what nobody could look in, is refused",
    () =>
      Effect.gen(function* () {
        const hour = 3_600_000
        const bench = yield* makeBench()
        Object.assign(bench.frontEnd.world.times, { boot: hour + 45_000 })
        const ordered = (n: number, away: number) =>
          Effect.gen(function* () {
            const journal = yield* bench.journalFor(n)
            const attempt = bench.attempt(journal, bench.create(createOrder(n)))
            const first = yield* Effect.fork(attempt)
            yield* TestClock.adjust("30 seconds")
            yield* Fiber.interrupt(first)
            expect(yield* journal.story).toContain("router runs started")
            yield* TestClock.adjust(hour)
            const second = yield* Effect.fork(Effect.locally(attempt, pausedBetween, () => Effect.succeed(away)))
            yield* TestClock.adjust("60 seconds")
            return yield* Fiber.join(second)
          })
        doneOf(yield* ordered(1, hour))
        expect(refusedOf(yield* ordered(2, 0))).toEqual({
          sentence: "The router of this data centre could not be started: try again later, or ask the provider.",
          leftovers: []
        })
      })
  )
})
const nameOf = (kind: string): string =>
  kind === "network" ? "vdc-1_internal" : kind === "security group" ? "vdc-1_default" : "vdc-1"

describe("two orders", () => {
  it.scopedLive("at the same time never get the same subnet", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const made = yield* Effect.forEach(
        [1, 2, 3, 4, 5],
        (n) =>
          Effect.gen(function* () {
            const journal = yield* bench.journalFor(n)
            return doneOf(yield* bench.attempt(journal, bench.create(createOrder(n)))).metadata?.subnet_cidr
          }),
        { concurrency: "unbounded" }
      )
      expect(made.toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `10.0.${n}.0/24`))
    })
  )

  it.scopedLive("of which the first gets no group: its subnet, kept for it meanwhile, is the other's", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* bench.frontEnd.call("one.group.allocate", ["vdc-1"])
      const journal = yield* bench.journal
      refusedOf(yield* bench.attempt(journal, bench.create(createOrder(1))))
      expect(yield* journal.story).toEqual(expect.arrayContaining(["subnet finished", "subnet undone"]))
      const other = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(2))))
      expect(other.metadata?.subnet_cidr).toBe("10.0.1.0/24")
    })
  )

  it.scopedLive("of which one asks for the other's subnet: that one is refused", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      const asking = { ...createOrder(2), attributes: { subnet_cidr: "10.0.0.0/16" } }
      expect(refusedOf(yield* bench.attempt(yield* bench.journal, bench.create(asking))).sentence).toContain("overlaps")
    })
  )
})

describe("a tenant", () => {
  const rulesOf = (bench: Effect.Effect.Success<ReturnType<typeof makeBench>>) =>
    Effect.map(bench.one.acl.list(), (rules) =>
      rules
        .filter(({ rule }) => rule.user._tag === "Group" && rule.user.id === 100)
        .map(({ text }) => text)
        .toSorted()
    )
  const creation = "@100 VM+IMAGE+TEMPLATE+DOCUMENT+SECGROUP+VMGROUP+BACKUPJOB/* CREATE #0"

  it.scopedLive("may use its own network and no other", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect(yield* rulesOf(bench)).toEqual(
        ["@100 DATASTORE/%0 USE #0", "@100 HOST/%0 MANAGE #0", "@100 NET/#1 USE #0", creation].toSorted()
      )
    })
  )

  it.scopedLive("may use all networks of its clusters where isolation is switched off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ tenant_isolation: false }))
      doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect(yield* rulesOf(bench)).toContain("@100 NET/%0 USE #0")
    })
  )

  it.scopedLive("sees its network and not its neighbour's", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const made = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      doneOf(yield* bench.attempt(yield* bench.journalFor(2), bench.create(createOrder(2))))
      const session = `vdc-1_admin:${yield* passwordOf(made)}`
      const seen = JSON.stringify(yield* bench.frontEnd.call("one.vnpool.info", [-2, -1, -1], session))
      expect(seen).toContain("vdc-1_internal")
      expect(seen).not.toMatch(/vdc-2_internal|public/)
    })
  )

  it.scopedLive("gets a new password each time it is shown, and the journal never holds one", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const journal = yield* bench.journal
      const made = doneOf(yield* bench.attempt(journal, bench.create(createOrder(1))))
      const passwords = [yield* passwordOf(made), yield* passwordOf(made)]
      expect(new Set(passwords).size).toBe(2)
      expect(passwords.every((password) => password.length >= 20)).toBe(true)
      expect(made.metadata).not.toHaveProperty("opennebula_password")
      expect(JSON.stringify(yield* journal.entries)).not.toContain("password")
    })
  )
})

/** SECURITY_GROUPS of the interfaces in the tenant's network: of the router's machine, and of one that names no group. */
const groupsBehind = (settings: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    const bench = yield* makeBench(settingsOf(settings))
    const { metadata = {} } = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
    const network = Number(metadata.vnet_id)
    yield* bench.frontEnd.call("one.template.instantiate", [3, "web", false, `NIC=[NETWORK_ID="${network}"]`, false])
    const machines = yield* bench.one.vm.listExtended()
    const groups = yield* Effect.forEach(machines, ({ id, name }) =>
      Effect.map(bench.one.vm.info(id), ({ template }) => {
        const nics = vectorsOf(template, "NIC").filter(({ values }) => values.NETWORK_ID === String(network))
        return [name, nics[0]?.values.SECURITY_GROUPS] as const
      })
    )
    return Object.fromEntries(groups)
  })

describe("the rules of a data centre", () => {
  it.scopedLive("are beside those of OpenNebula's own group, which is on every network (recordings 042, 208)", () =>
    Effect.map(groupsBehind({}), (groups) => expect(groups).toEqual({ "vdc-1_router_vm": "0", web: "0" }))
  )

  it.scopedLive("hold alone where that group is taken off the network; not for its router", () =>
    Effect.map(groupsBehind({ default_security_group: false }), (groups) =>
      expect(groups).toEqual({ "vdc-1_router_vm": "0", web: "100" })
    )
  )

  it.scopedLive("change nothing of the network if there are none", () =>
    Effect.map(groupsBehind({ default_security_group: false, security_group_defaults: [] }), (groups) =>
      expect(groups).toEqual({ "vdc-1_router_vm": "0", web: "0" })
    )
  )
})

/** What the tenant's user is told when it starts a machine on the external network. */
const onTheOutside = (settings: Readonly<Record<string, unknown>>, machines: number) =>
  Effect.gen(function* () {
    const bench = yield* makeBench(settingsOf({ terminate_policy: "cascade", ...settings }))
    const made = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
    const session = `vdc-1_admin:${yield* passwordOf(made)}`
    const outcomes: Array<string> = []
    // One that all may use, and that has no interface.
    yield* bench.frontEnd.call("one.template.chmod", [3, -1, -1, -1, -1, -1, -1, 1, -1, -1, false])
    for (let n = 0; n < machines; n += 1) {
      const outside = [3, `outside-${n}`, false, 'NIC=[NETWORK_ID="0"]', false]
      outcomes.push(JSON.stringify(yield* bench.frontEnd.call("one.template.instantiate", outside, session)))
    }
    const ended = yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, "100")))
    doneOf(ended)
    expect(objectsOf(bench.frontEnd)).toEqual([])
    return outcomes
  })

describe("addresses outside", () => {
  it.scopedLive("are the router's alone, as tenants have no right to the external network", () =>
    Effect.map(onTheOutside({}, 1), ([first]) => expect(first).toContain("Not authorized"))
  )

  it.scopedLive(
    "are the tenant's where it may use that network, as many as it has ordered, the router's among them",
    () =>
      Effect.map(onTheOutside({ tenant_external_network: true }, 2), ([first, second]) => {
        expect(first).toContain('"Ok"')
        expect(second).toContain("limit of 2 reached for LEASES")
      })
  )
})

describe("an offering", () => {
  it.scopedLive("without networks gives group, VDC and quotas", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ external_network_id: undefined, create_opennebula_user: false }))
      const made = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
      expect(objectsOf(bench.frontEnd).filter((object) => !object.startsWith("rule"))).toEqual([
        "VDC vdc-1",
        "group 100 in VDC 100",
        "group vdc-1"
      ])
      expect(made.metadata).toEqual({ group_id: 100, group_name: "vdc-1", vdc_id: 100, vdc_name: "vdc-1" })
      expect(made.issueSecrets).toBeUndefined()
    })
  )

  it.scopedLive("may have its networks described by plugin_options", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf({ external_network_id: undefined }))
      const pluginOptions = {
        external_network_id: "0",
        internal_network_base: "10.77.0.0",
        internal_network_prefix: 16,
        vn_mad: "dummy",
        network_bridge: "br7"
      }
      const made = doneOf(
        yield* bench.attempt(yield* bench.journal, bench.create({ ...createOrder(1), pluginOptions }))
      )
      expect(made.metadata).toMatchObject({ subnet_cidr: "10.77.1.0/24", router_address: "10.0.0.10" })
      expect(yield* bench.one.network.info(1)).toMatchObject({ driver: { value: "dummy" }, bridge: { value: "br7" } })
    })
  )

  it.scopedLive.each<[string, Readonly<Record<string, unknown>>]>([
    ["a cluster that does not exist", { cluster_ids: [7] }],
    ["a template that does not exist", { virtual_router_template_id: 99 }],
    ["a template that is no router's", { virtual_router_template_id: 2 }],
    ["a driver without its bridge", { vn_mad: "bridge" }]
  ])("with %s stops, and its orders wait", ([, settings]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench(settingsOf(settings))
      const { end } = yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)))
      expect(end).toMatchObject({ value: { left: { disposition: "stop-offering" } } })
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

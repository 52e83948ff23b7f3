/** Orders that cannot be carried out: each errs with one clear sentence, leaves nothing, and does not stand in the way of good ones. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { type Amounts, fault, type Order } from "../../../src/simulator/waldur/index.js"
import { expectNothingLeft, makeSite, type Site, scenario, untilSettled, vdcLimits } from "../../support/agent.js"

const all = { concurrency: "unbounded" } as const

/** Waldur refuses most of this by itself; a server of 2024, a member of staff or another tool lets it through. */
const withLimits = (site: Site, uuid: string, limits: Amounts) => {
  const order = site.marketplace.orders.get(uuid)
  if (order === undefined) throw new Error(`no order ${uuid}`)
  for (const type of Object.keys(order.limits)) delete order.limits[type]
  Object.assign(order.limits, limits)
}

/** Nothing but a group and its rights: quick to make. */
const withoutNetwork = { virtual_router_template_id: undefined, create_opennebula_user: false }

const sentenceOf = ({ state, errorMessage }: Order): string => `${state}: ${errorMessage}`

const badAmounts: ReadonlyArray<readonly [what: string, limits: Amounts, sentence: string]> = [
  ["none", {}, "The order says nothing of Floating IP, RAM, Storage, vCPU."],
  [
    "unknown",
    { ...vdcLimits, gpu: 1 },
    'The order asks for "gpu", which this offering does not have; it has: floating_ip, ram, storage, cpu.'
  ],
  ["negative", { ...vdcLimits, ram: -1 }, "The amount of RAM must not be negative, but -1 MB was ordered."],
  ["zero", { ...vdcLimits, cpu: 0 }, "The amount of vCPU must be more than 0."],
  ["fractional", { ...vdcLimits, ram: 1024.5 }, "The amount of RAM must come to whole MB, but 1024.5 MB were ordered."],
  ["huge", { ...vdcLimits, storage: 2 ** 53 }, "The amount of Storage is too large: 9007199254740992 MB was ordered."],
  ["worded", { ...vdcLimits, cpu: "many" }, "The amount of vCPU is not a number."],
  ["nested", { ...vdcLimits, cpu: { cores: 4 } }, "The amount of vCPU is not a number."],
  ["nothing", { ...vdcLimits, storage: null }, "The order says nothing of Storage."],
  ["missing", { cpu: 4, ram: 4096, floating_ip: 1 }, "The order says nothing of Storage."]
]

scenario("amounts that make no sense are refused, in a create order and in an update", () =>
  Effect.gen(function* () {
    const site = yield* makeSite({ vdcSettings: withoutNetwork })
    const uuids = yield* Effect.forEach(badAmounts, ([what]) => site.place.vdc(what))
    for (const [index, [, limits]] of badAmounts.entries()) withLimits(site, uuids[index] ?? "", limits)
    const first = yield* site.start()
    const created = yield* Effect.forEach(uuids, site.marketplace.awaitOrderEnd, all)
    expect(created.map(sentenceOf)).toEqual(badAmounts.map(([, , sentence]) => `erred: ${sentence}`))

    // What an update does not name stays as it is.
    const badUpdates = badAmounts.filter(([what]) => !["none", "nothing", "missing"].includes(what))
    const good = yield* Effect.forEach(badUpdates, ([what]) => site.order.vdc(`good-${what}`), all)
    expect(good.map(sentenceOf)).toEqual(badUpdates.map(() => "done: "))
    yield* first.stop
    const updates = yield* Effect.forEach(good, ({ resource }) =>
      site.place.updateLimits(resource.uuid, { ...vdcLimits, cpu: 5 })
    )
    for (const [index, [, limits]] of badUpdates.entries()) withLimits(site, updates[index] ?? "", limits)
    const agent = yield* site.start()
    const updated = yield* Effect.forEach(updates, site.marketplace.awaitOrderEnd, all)
    expect(updated.map(sentenceOf)).toEqual(badUpdates.map(([, , sentence]) => `erred: ${sentence}`))
    for (const { resource } of good) {
      const quota = site.cloud.world.groups.get(Number(resource.backendId)).quotas.VM[0]
      expect([quota?.limits.get("CPU"), quota?.limits.get("MEMORY")]).toEqual([4, 4096])
    }
    yield* Effect.forEach(good, ({ resource }) => site.order.terminate(resource.uuid), all)
    yield* expectNothingLeft(site, agent, [
      ...badAmounts.map(([what]) => `${what} Terminated`),
      ...badUpdates.map(([what]) => `good-${what} Terminated`)
    ])
  })
)

/**
 * Waldur has the resource as Erred with the order, and takes no order for other limits of such a one (source: waldur-mastermind, marketplace/views.py,
 * `set_state_erred` and `update_limits_validators`).
 */
for (const killed of [false, true])
  scenario(
    `a change that is refused leaves its resource in use, and the next one is taken${killed ? ", also after a restart in between" : ""}`,
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite({ vdcSettings: withoutNetwork })
        let agent = yield* site.start()
        const { resource } = yield* site.order.vdc("centre")
        yield* untilSettled(agent)
        const reachable = killed
          ? site.marketplace.intercept(({ path }) => (path.endsWith("/set_as_ok/") ? fault.dropRequest : undefined))
          : () => {}
        expect(sentenceOf(yield* site.order.updateLimits(resource.uuid, { ...vdcLimits, cpu: 0 }))).toBe(
          "erred: The amount of vCPU must be more than 0."
        )
        if (killed) {
          yield* site.awaitLogged(
            (line) => line.includes("Waits: Waldur cannot be reached") && line.includes("set_as_ok")
          )
          yield* agent.stop
          expect(resource.state).toBe("Erred")
          reachable()
          agent = yield* site.start()
        }
        yield* site.marketplace.awaitResource(resource.uuid, ({ state }) => state === "OK")
        expect(sentenceOf(yield* site.order.updateLimits(resource.uuid, { ...vdcLimits, cpu: 5 }))).toBe("done: ")
        yield* untilSettled(agent)
      }).pipe(Effect.timeout("60 seconds"))
  )

const names = [`'single' and "double" \\ quotes`, "a line\nbreak ]=[A=1,", "x".repeat(200), "emoji 🚀"]

scenario("names of any kind are labels: they neither break out of a template nor stop an order", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const agent = yield* site.start()
    const vdcs = yield* Effect.forEach(names, (name) => site.order.vdc(name), all)
    expect(vdcs.map(sentenceOf)).toEqual(names.map(() => "done: "))
    const vms = yield* Effect.forEach(vdcs, ({ resource: { backendId, name } }) => site.order.vm(name, backendId), all)
    expect(vms.map(sentenceOf)).toEqual(names.map(() => "done: "))
    for (const { name } of site.cloud.world.groups) expect(name).toMatch(/^[\w.-]{1,128}$/)
    for (const { name } of site.cloud.world.vms) expect(name).toMatch(/^[\w.-]{1,128}$/)
    yield* Effect.forEach(vms, ({ resource }) => site.order.terminate(resource.uuid), all)
    yield* Effect.forEach(vdcs, ({ resource }) => site.order.terminate(resource.uuid), all)
    yield* expectNothingLeft(
      site,
      agent,
      [...names, ...names].map((name) => `${name} Terminated`)
    )
    expect(site.logged.filter((line) => line.includes("\n"))).toEqual([])
  })
)

const badSubnets: ReadonlyArray<readonly [cidr: unknown, sentence: string]> = [
  ["10.9.0.0/31", 'The subnet "10.9.0.0/31" is too small; the smallest is a /30.'],
  ["fd00::/64", 'The subnet "fd00::/64" is IPv6; only IPv4 subnets such as 10.0.0.0/24 can be had.'],
  ["192.168.0.0/24", 'The subnet "192.168.0.0/24" lies outside 10.0.0.0/8, from which subnets are given.'],
  ["10.0.1.0/25", "The subnet that was asked for overlaps a network that is in use: choose another one, or none."],
  ["10.9.0.7/24", 'The subnet "10.9.0.7/24" has host bits set; did you mean 10.9.0.0/24?'],
  ["10.0.0.0/8", 'The subnet "10.0.0.0/8" is too large; the largest is a /16.'],
  ['nonsense\n"]', 'The subnet "nonsense?"]" is not a subnet; write it as 10.0.0.0/24.'],
  [24, `The order's "subnet_cidr" is not valid: Expected string, actual 24`]
]

scenario("subnets that cannot be had are refused", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const agent = yield* site.start()
    const good = yield* site.order.vdc("good")
    expect(good.resource.backendMetadata.subnet_cidr).toBe("10.0.1.0/24")
    const orders = yield* Effect.forEach(
      badSubnets,
      ([subnet_cidr], index) => site.order.vdc(`bad-${index}`, { attributes: { subnet_cidr } }),
      all
    )
    expect(orders.map(sentenceOf)).toEqual(badSubnets.map(([, sentence]) => `erred: ${sentence}`))
    const asked = yield* site.order.vdc("asked", { attributes: { subnet_cidr: "10.77.0.0/28" } })
    expect(asked.resource.backendMetadata.subnet_cidr).toBe("10.77.0.0/28")
    yield* Effect.forEach([good, asked], ({ resource }) => site.order.terminate(resource.uuid), all)
    yield* expectNothingLeft(site, agent, [
      "good Terminated",
      ...badSubnets.map((_, index) => `bad-${index} Terminated`),
      "asked Terminated"
    ])
  })
)

scenario("templates, parents and keys that cannot be used are refused", () =>
  Effect.gen(function* () {
    const site = yield* makeSite({ vmSettings: { template_id: 2, allowed_template_ids: [1, 99] } })
    const { world, marketplace } = site
    const agent = yield* site.start()
    const elsewhere = marketplace.addProject({ customer: world.project.customer, name: "Another project" })
    const [vdc, foreign] = yield* Effect.all(
      [site.order.vdc("own"), site.order.vdc("foreign", { project: elsewhere.uuid })],
      all
    )
    const parent = vdc.resource.backendId
    const cases: ReadonlyArray<
      readonly [parent: string, attributes: Readonly<Record<string, unknown>>, sentence: string]
    > = [
      [parent, { template_id: 99 }, "Template 99 of this offering does not exist (any more): ask the provider."],
      [parent, { template_id: 1 }, "Template 1 is for virtual routers, not for virtual machines: ask the provider."],
      [
        parent,
        { template_id: 0 },
        "Template 0 is not one of this offering's (2, 1, 99): choose another and order again."
      ],
      [parent, { template_id: "2; DROP" }, `The order's "template_id" is not valid: Expected the id of a template`],
      [
        foreign.resource.backendId,
        {},
        `"${foreign.resource.backendId}" is not a virtual data centre of this project: choose one of this project and order again.`
      ],
      ["0", {}, '"0" is not a virtual data centre of this project: choose one of this project and order again.'],
      ["4711", {}, '"4711" is not a virtual data centre of this project: choose one of this project and order again.'],
      [
        'no "such"\n]',
        {},
        '"no "such"?]" is not a virtual data centre of this project: choose one of this project and order again.'
      ],
      ["", {}, "The order must name the virtual data centre that the machine shall be in, by parent_backend_id."],
      [
        parent,
        { ssh_public_key: "f".repeat(32) },
        "The SSH key ffffffffffffffffffffffffffffffff does not exist (any more): choose another key and order again."
      ],
      [
        parent,
        { ssh_public_key: "no key" },
        "The SSH key is not valid (it does not begin with a key type such as ssh-ed25519): give one line as in a .pub file, or choose a key of your profile."
      ]
    ]
    const orders = yield* Effect.forEach(
      cases,
      ([of, attributes], index) => site.order.vm(`bad-${index}`, of, { attributes }),
      all
    )
    expect(orders.map(sentenceOf)).toEqual(cases.map(([, , sentence]) => `erred: ${sentence}`))
    const good = yield* site.order.vm("good", parent)
    expect(sentenceOf(good)).toBe("done: ")
    yield* site.order.terminate(good.resource.uuid)
    yield* Effect.forEach([vdc, foreign], ({ resource }) => site.order.terminate(resource.uuid), all)
    yield* expectNothingLeft(site, agent, [
      "own Terminated",
      "foreign Terminated",
      ...cases.map((_, index) => `bad-${index} Terminated`),
      "good Terminated"
    ])
  })
)

scenario("what vanished behind our back cannot be changed, and counts as ended", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const { cloud, order } = site
    const agent = yield* site.start()
    const vdc = (yield* order.vdc("home")).resource
    const vm = (yield* order.vm("vanished", vdc.backendId)).resource
    yield* cloud.call("one.vm.action", ["terminate-hard", Number(vm.backendId)])
    expect(sentenceOf(yield* order.switchToMedium(vm.uuid))).toBe(
      "erred: The machine does not exist in the cloud any more, so it cannot be changed."
    )
    expect(sentenceOf(yield* order.terminate(vm.uuid))).toBe("done: ")

    // By hand: OpenNebula deletes no group with users.
    cloud.world.groups.remove(Number(vdc.backendId))
    expect(sentenceOf(yield* order.updateLimits(vdc.uuid, { ...vdcLimits, cpu: 5 }))).toBe(
      "erred: This data centre does not exist in the cloud (any more), so it cannot be changed."
    )
    expect(sentenceOf(yield* order.terminate(vdc.uuid))).toBe("done: ")
    yield* expectNothingLeft(site, agent, ["home Terminated", "vanished Terminated"])
  })
)

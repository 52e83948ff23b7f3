/** Two agents with a journal each on one offering: a second installation, a copied data directory, a Python agent that was left running. */
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { OrderId } from "../../../src/core/index.js"
import { readiness } from "../../../src/runtime/offerings/ready.js"
import { Cancellations } from "../../../src/runtime/orders/cancellations.js"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { approveByProvider } from "../../../src/simulator/waldur/orders.js"
import {
  away,
  expectNothingLeft,
  kinds,
  makeSite,
  type RunningAgent,
  type Site,
  scenario,
  untilSettled,
  vdcLimits,
  vdcObjects
} from "../../support/agent.js"
import { pythonVdc } from "../../support/python-agent.js"

const done = 6

/** Waldur approves for the provider, at once, as an offering may have it: there is no approval that only one of them can give. */
const approvesByItself = ({ marketplace, world }: Site): void => {
  const provider = [...marketplace.world.users.values()].find(({ token }) => token === world.agentToken)
  if (provider === undefined) throw new Error("there is no such user")
  marketplace.onChange((change) => {
    if (change._tag === "Order" && change.state === "pending-provider")
      approveByProvider(marketplace.world, provider, change.order)
  })
}

/** Both open: what is ordered from now on is new to both. */
const two = (site: Site) =>
  Effect.gen(function* () {
    const one = yield* site.start("one", site.config, `${site.dataDir}-one`)
    const other = yield* site.start("other", site.config, `${site.dataDir}-other`)
    yield* site.awaitLogged((line) => line.includes("Open: opennebula"), 4)
    return [one, other] as const
  })

const bothSettled = (agents: ReadonlyArray<RunningAgent>) => Effect.forEach(agents, untilSettled, { discard: true })

const notReady = (site: Site, { services }: RunningAgent) =>
  Effect.map(Effect.provide(readiness(site.config), services), (all) =>
    all.filter(({ ready }) => !ready).flatMap(({ reasons }) => reasons)
  )

const machines = ({ cloud }: Site, name: string) =>
  [...cloud.world.vms].filter((vm) => vm.name.startsWith(name) && vm.state !== done)

const waits = (line: string) => line.includes("level=ERROR") && line.includes("Another agent is at work on this order")

describe("two agents make a data centre", () => {
  scenario("and one does: the other waits, says so, and undoes nothing but its own", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      approvesByItself(site)
      const agents = yield* two(site)
      site.cloud.intercept(({ method }) => (method === "one.vrouter.allocate" ? away : undefined))
      const order = yield* site.place.vdc("lab")
      yield* site.awaitLogged(waits)
      const reasons = (yield* Effect.forEach(agents, (agent) => notReady(site, agent))).flat()
      expect(reasons).toContainEqual(
        expect.stringMatching(
          /^Another agent is at work on this offering, and 1 order waits for it\..*stop one of them/
        )
      )
      site.cloud.intercept(undefined)
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      yield* bothSettled(agents)
      expect(kinds(site.made())).toEqual(vdcObjects)
      const resource = site.marketplace.orders.get(order)?.resource
      expect((yield* site.order.terminate(resource?.uuid ?? "")).state).toBe("done")
      for (const agent of agents) yield* expectNothingLeft(site, agent, ["lab Terminated"])
    })
  )

  scenario("and whoever has its group makes all of it: neither can wait for a part that the other has", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      approvesByItself(site)
      const agents = yield* two(site)
      // Both are there before either has the group.
      const both = yield* Deferred.make<void>()
      const makers = new Set<string>()
      let groups = 0
      site.cloud.intercept(({ method, params }) => {
        const mark = /WALDUR_MADE_BY=\\?"([^"\\]+)/.exec(JSON.stringify(params))?.[1]
        if (mark !== undefined) makers.add(mark)
        if (method === "one.vrouter.allocate") return away
        if (method !== "one.group.allocate") return undefined
        if (++groups === 2) Deferred.unsafeDone(both, Effect.void)
        return { _tag: "Hold", when: "before", until: Deferred.await(both) }
      })
      const order = yield* site.place.vdc("lab")
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("one.vrouter.allocate"))
      yield* site.awaitLogged(waits)
      expect(groups).toBeGreaterThanOrEqual(2)
      expect(makers.size).toBe(1)
      const reasons = yield* Effect.forEach(agents, (agent) => notReady(site, agent))
      const waiting = agents.filter((_, at) => (reasons[at] ?? []).some((reason) => reason.startsWith("Another agent")))
      expect(waiting).toHaveLength(1)
      // Cancelled where it waits, it goes with what the other has made.
      const cancelling = Effect.flatMap(Cancellations, (all) => all.cancel(OrderId.make(order), "somebody", "", 0))
      yield* Effect.forEach(waiting, ({ services }) => Effect.provide(cancelling, services))
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("erred")
      yield* bothSettled(agents)
      expect(kinds(site.made())).toEqual({})
    })
  )
})

describe("a data directory that was copied in the middle of an order", () => {
  scenario("leads to one data centre, of which neither agent removes a part", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const site = yield* makeSite()
      const original = yield* site.start("one")
      site.cloud.intercept(({ method }) => (method === "one.vrouter.allocate" ? away : undefined))
      const order = yield* site.place.vdc("lab")
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("one.vrouter.allocate"))
      yield* original.stop
      yield* fs.copy(site.dataDir, `${site.dataDir}-copy`)
      site.cloud.intercept(undefined)
      const agents = [yield* site.start("one"), yield* site.start("copy", site.config, `${site.dataDir}-copy`)]
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      yield* bothSettled(agents)
      expect(kinds(site.made())).toEqual(vdcObjects)
    })
  )
})

const twoWithDataCentre = Effect.gen(function* () {
  const site = yield* makeSite()
  approvesByItself(site)
  const agents = yield* two(site)
  const { resource: lab } = yield* site.order.vdc("lab")
  yield* bothSettled(agents)
  return { agents, lab, site }
})

describe("two agents make a machine", () => {
  scenario("and say so in the same moment: the one that Waldur takes the word of has made it, the other's goes", () =>
    Effect.gen(function* () {
      const { agents, lab, site } = yield* twoWithDataCentre
      // Both have looked, and told their own, before either says that it is done.
      let told = 0
      let saying = 0
      site.marketplace.intercept(({ path }) => {
        if (path.endsWith("/set_backend_id/") && told++ === 0) return Waldur.fault.delay("400 millis")
        if (path.endsWith("/set_state_done/") && saying++ < 2) return Waldur.fault.delay("600 millis")
        return undefined
      })
      const order = yield* site.order.vm("web", lab.backendId)
      yield* bothSettled(agents)
      expect(saying).toBeGreaterThanOrEqual(2)
      const [machine, ...more] = machines(site, order.resource.slug)
      expect(more).toEqual([])
      expect(order.resource.backendId).toBe(String(machine?.id))
      expect(order.resource.backendMetadata).toMatchObject({ vm_id: machine?.id })
      expect(order.state).toBe("done")
    })
  )

  scenario("and one is late: it undoes its own, and says who stays", () =>
    Effect.gen(function* () {
      const { agents, lab, site } = yield* twoWithDataCentre
      const first = yield* Deferred.make<void>()
      let released = 0
      site.cloud.intercept(({ method, params }) =>
        method === "one.vm.action" && params.includes("release") && released++ > 0
          ? { _tag: "Hold", when: "before", until: Deferred.await(first) }
          : undefined
      )
      const order = yield* site.order.vm("web", lab.backendId)
      const { backendId } = order.resource
      expect(machines(site, order.resource.slug)).toHaveLength(2)
      yield* Deferred.succeed(first, undefined)
      yield* bothSettled(agents)
      // The customer's next orders are about what Waldur has as done: nothing else is told, not even for a moment.
      const told = site.marketplace.calls.filter(
        ({ path }) => path.endsWith("/set_backend_id/") && path.includes(order.resource.uuid)
      )
      expect(told).toHaveLength(1)
      expect(machines(site, order.resource.slug).map(({ id }) => String(id))).toEqual([backendId])
      expect(order.resource.backendId).toBe(backendId)
      expect(site.logged.filter((line) => line.includes(`Waldur has ${backendId} as the backend id`))).not.toEqual([])
      const reasons = (yield* Effect.forEach(agents, (agent) => notReady(site, agent))).flat()
      expect(reasons).toContainEqual(expect.stringMatching(/^Another agent is at work on this offering\. /))
    })
  )

  scenario("where the provider approves, and only one of them can: the other makes none", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agents = yield* two(site)
      const { resource: lab } = yield* site.order.vdc("lab")
      yield* bothSettled(agents)
      // Both have seen it pending by the time that the first approval is carried out.
      let approvals = 0
      site.marketplace.intercept(({ path }) =>
        path.endsWith("/approve_by_provider/") && approvals++ < 2 ? Waldur.fault.delay("400 millis") : undefined
      )
      const order = yield* site.order.vm("web", lab.backendId)
      yield* bothSettled(agents)
      expect(approvals).toBeGreaterThanOrEqual(2)
      expect(order.state).toBe("done")
      const made = site.cloud.calls.filter(
        ({ method, params }) => method === "one.template.instantiate" && params.includes(order.resource.slug)
      )
      expect(made).toHaveLength(1)
    })
  )
})

describe("an agent that was down when the order was placed, and is started while the other one is at work on it", () => {
  /** The other has a journal that is older than the order. */
  const oneAndOther = Effect.gen(function* () {
    const site = yield* makeSite()
    approvesByItself(site)
    const startOther = site.start("other", site.config, `${site.dataDir}-other`)
    const [one, other] = yield* two(site)
    yield* other.stop
    return { one, site, startOther }
  })

  scenario("waits for it, and takes nothing of what it has made for its own", () =>
    Effect.gen(function* () {
      const { one, site, startOther } = yield* oneAndOther
      site.cloud.intercept(({ method }) => (method === "one.vrouter.allocate" ? away : undefined))
      const order = yield* site.place.vdc("lab")
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("one.vrouter.allocate"))
      const other = yield* startOther
      yield* site.awaitLogged(waits)
      site.cloud.intercept(undefined)
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      yield* bothSettled([one, other])
      expect(kinds(site.made())).toEqual(vdcObjects)
    })
  )

  scenario("and makes a second machine and is killed leaves none behind, as the other says that it is done", () =>
    Effect.gen(function* () {
      const { one, site, startOther } = yield* oneAndOther
      const { resource: lab } = yield* site.order.vdc("lab")
      yield* untilSettled(one)
      // The first comes to make its machine when the other's is there, which then gets no further.
      const isMade = yield* Deferred.make<void>()
      const isKilled = yield* Deferred.make<void>()
      let begun = 0
      let handedOver = 0
      site.cloud.intercept(({ method }) => {
        if (method === "one.template.instantiate" && begun++ === 0)
          return { _tag: "Hold", when: "before", until: Deferred.await(isMade) }
        if (method !== "one.vm.chown" || handedOver++ > 0) return undefined
        Deferred.unsafeDone(isMade, Effect.void)
        return { _tag: "Hold", when: "before", until: Deferred.await(isKilled) }
      })
      const order = yield* site.place.vm("web", lab.backendId)
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => begun === 1 })
      const killed = yield* startOther
      yield* Deferred.await(isMade)
      yield* killed.stop
      yield* Deferred.succeed(isKilled, undefined)
      const { resource } = yield* site.marketplace.awaitOrderEnd(order)
      expect(machines(site, resource.slug)).toHaveLength(2)
      const other = yield* startOther
      yield* bothSettled([one, other])
      expect(machines(site, resource.slug).map(({ id }) => String(id))).toEqual([resource.backendId])
      expect(resource.state).toBe("OK")
    })
  )
})

/** In the very moment in which the agent would, this user approves the latest order. */
const approvedJustBefore = ({ marketplace }: Pick<Site, "marketplace">, username: "staff" | "site-agent") => {
  const user = [...marketplace.world.users.values()].find((one) => one.username === username)
  let uuid = ""
  marketplace.intercept(({ path }) => {
    const order = marketplace.orders.get(uuid)
    if (user !== undefined && path.endsWith("/approve_by_provider/") && order?.providerReviewedBy === null)
      approveByProvider(marketplace.world, user, order)
    return undefined
  })
  marketplace.onChange((change) => {
    if (change._tag === "Order") uuid = change.order.uuid
  })
}

describe("an order that is approved in the same moment by another agent", () => {
  scenario("does not wait where it is a change: both of them do that, and it comes to the same", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const { resource } = yield* site.order.vdc("lab")
      approvedJustBefore(site, "site-agent")
      const { providerReviewedBy, state } = yield* site.order.updateLimits(resource?.uuid ?? "", {
        ...vdcLimits,
        cpu: 5
      })
      expect([providerReviewedBy?.username, state]).toEqual(["site-agent", "done"])
      expect(site.logged.filter((line) => line.includes("approved the order in the same moment"))).toEqual([])
    })
  )
})

describe("a person who approves an order in the same moment as the agent", () => {
  scenario("does not keep it waiting, as an agent's user would", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      approvedJustBefore(site, "staff")
      const { createdBy, providerReviewedBy, state } = yield* site.order.vdc("lab")
      expect([createdBy.username, providerReviewedBy?.username, state]).toEqual(["owner", "staff", "done"])
      yield* untilSettled(agent)
      expect(kinds(site.made())).toEqual(vdcObjects)
      expect(site.logged.filter((line) => line.includes("approved the order in the same moment"))).toEqual([])
    })
  )
})

describe("a Python agent that was left running", () => {
  for (const calls of [1, 2, 5])
    scenario(`and is ahead by ${calls} of its calls keeps what it has made, and this one says what to do`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        approvesByItself(site)
        const agent = yield* site.start()
        yield* site.awaitLogged((line) => line.includes("Open: opennebula"), 2)
        let slug = ""
        let groups = 0
        const python = () => pythonVdc(slug).slice(0, calls)
        const begun = yield* Deferred.make<void>()
        // Its calls come between this one's look and its first call.
        site.cloud.intercept(({ method }) =>
          method === "one.group.allocate" && groups++ === 0
            ? { _tag: "Hold", when: "before", until: Deferred.await(begun) }
            : undefined
        )
        const order = yield* site.place.vdc("lab")
        const resource = site.marketplace.orders.get(order)?.resource
        slug = resource?.slug ?? ""
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => groups === 1 })
        for (const [method, args] of python()) {
          expect(yield* site.cloud.call(method, args)).toMatchObject({ _tag: "Ok" })
        }
        const theirs = site.made()
        yield* Deferred.succeed(begun, undefined)
        yield* site.awaitLogged(waits)
        expect((yield* notReady(site, agent)).join(" ")).toContain("Another agent is at work on this offering")
        expect(site.marketplace.orders.get(order)?.state).toBe("executing")
        // It carries the order out, as far as this one is concerned.
        Object.assign(resource ?? {}, { backendId: slug, state: "OK" })
        Object.assign(site.marketplace.orders.get(order) ?? {}, { state: "done" })
        yield* untilSettled(agent)
        expect(site.made()).toEqual(theirs)
      })
    )
})

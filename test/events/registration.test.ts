/** Asking Waldur for a queue, over HTTP at the simulated marketplace. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { fault } from "../../src/simulator/waldur/calls.js"
import { publishSync } from "../../src/simulator/waldur/events.js"
import * as Simulated from "../../src/simulator/waldur/index.js"
import { type Credentials, isUnsupported, makeWaldur } from "../../src/waldur/index.js"

const marketplace = (options: Simulated.MarketplaceOptions = {}) =>
  Effect.gen(function* () {
    const served = yield* Simulated.serve({ seed: 1, ...options })
    const world = yield* Simulated.demoWorld(served.marketplace)
    const token: Credentials = { _tag: "Token", token: Redacted.make(world.agentToken) }
    const connect = (credentials: Credentials = token) => makeWaldur({ apiUrl: `${served.url}/api/`, credentials })
    const count = (kind: string) => served.marketplace.world.records.get(kind)?.size ?? 0
    return { ...served, world, connect, count, offering: world.vdcOffering.uuid }
  })

describe("The queue of an offering's events", () => {
  it.scopedLive("is found again by the next start, by another consumer of the offering, and by either spelling", () =>
    Effect.gen(function* () {
      const { connect, count, marketplace: simulated, offering, world } = yield* marketplace()
      const waldur = yield* connect()
      const [orders, roles] = yield* Effect.all(
        [waldur.eventQueue(offering, "order"), waldur.eventQueue(offering, "user_role")],
        { concurrency: "unbounded" }
      )
      expect(orders.name).toBe(`subscription_${orders.login}_offering_${offering}_order`)
      expect(roles.name).toBe(`subscription_${roles.login}_offering_${offering}_user_role`)
      expect(Redacted.value(orders.passcode)).toBe(world.agentToken)
      expect(simulated.broker.isUser(orders.login, world.agentToken)).toBe(true)
      expect(simulated.broker.mayEnter(orders.login, orders.vhost)).toBe(true)
      const dashed = offering.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
      const again = yield* Effect.flatMap(connect(), (next) => next.eventQueue(dashed, "order"))
      expect(again).toEqual(orders)
      expect(count("marketplace-site-agent-identities")).toBe(1)
      expect(count("event-subscriptions")).toBe(2)
      expect(count("event-queues")).toBe(2)
    })
  )

  it.scopedLive("is read with the user's API token, also where the agent has an OIDC client", () =>
    Effect.gen(function* () {
      const { connect, offering, url, world } = yield* marketplace()
      const waldur = yield* connect({
        _tag: "Oidc",
        tokenUrl: `${url}/oidc/token`,
        clientId: "site-agent",
        clientSecret: Redacted.make("site-agent-secret")
      })
      const queue = yield* waldur.eventQueue(offering, "order")
      expect(Redacted.value(queue.passcode)).toBe(world.agentToken)
    })
  )

  it.scopedLive(
    "is made anew where the broker does not take its login any more, as after a change of the API token",
    () =>
      Effect.gen(function* () {
        const { connect, count, marketplace: simulated, offering, world } = yield* marketplace()
        const before = yield* Effect.flatMap(connect(), (waldur) => waldur.eventQueue(offering, "order"))
        for (const user of simulated.world.users.values()) if (user.token === world.agentToken) user.token = "another"
        const waldur = yield* connect({ _tag: "Token", token: Redacted.make("another") })
        const known = yield* waldur.eventQueue(offering, "order")
        expect(known.login).toBe(before.login)
        expect(simulated.broker.isUser(known.login, "another")).toBe(false)
        const renewed = yield* waldur.eventQueue(offering, "order", known.login)
        expect(renewed.login).not.toBe(before.login)
        expect(simulated.broker.isUser(renewed.login, "another")).toBe(true)
        // What another consumer of the user has made anew by then is left alone.
        expect(yield* waldur.eventQueue(offering, "order", known.login)).toEqual(renewed)
        expect([count("event-subscriptions"), count("event-queues")]).toEqual([1, 1])
      })
  )

  it.scopedLive("is nothing that an older Waldur knows of", () =>
    Effect.gen(function* () {
      const { connect, offering } = yield* marketplace({ generation: "2024" })
      const waldur = yield* connect()
      const error = yield* Effect.flip(waldur.eventQueue(offering, "order"))
      expect("call" in error && isUnsupported(error)).toBe(true)
    })
  )
})

describe("The one queue of newer servers, for all types of events", () => {
  it.scopedLive("is found again, for other types too, and gets events of these alone", () =>
    Effect.gen(function* () {
      const { connect, count, marketplace: simulated, offering, world } = yield* marketplace({ oneQueue: true })
      const waldur = yield* connect()
      const queue = yield* waldur.oneEventQueue(offering, ["order", "resource"])
      expect(queue.name).toMatch(/^consumer_[0-9a-f]{32}$/)
      expect(Redacted.value(queue.passcode)).toBe(world.agentToken)
      expect(simulated.broker.mayEnter(queue.login, queue.vhost)).toBe(true)
      const ready = () => simulated.broker.counts(queue.vhost, queue.name)?.ready
      publishSync(simulated.world, world.vdcOffering)
      expect(ready()).toBe(0)
      const again = yield* Effect.flatMap(connect(), (next) =>
        next.oneEventQueue(offering, ["offering_resources_sync", "order"])
      )
      expect(again).toEqual(queue)
      publishSync(simulated.world, world.vdcOffering)
      expect(ready()).toBe(1)
      expect([count("event-consumers"), count("event-subscriptions")]).toEqual([1, 0])
    })
  )

  it.scopedLive("is asked for without what an older server does not know", () =>
    Effect.gen(function* () {
      const { connect, marketplace: simulated, offering } = yield* marketplace({ oneQueue: true })
      const unknown = { object_types: { 1: ['"offering_resources_sync" is not a valid choice.'] } }
      simulated.intercept(({ earlier, path }) =>
        path.endsWith("/register_queue/") && earlier === 0 ? fault.status(400, JSON.stringify(unknown)) : undefined
      )
      const waldur = yield* connect()
      yield* waldur.oneEventQueue(offering, ["order", "offering_resources_sync"])
      const [queue] = simulated.world.records.get("event-consumers")?.values() ?? []
      expect(queue?.fields.observable_object_types).toEqual(["order"])
    })
  )

  it.scopedLive("is none on a server that has one for each type", () =>
    Effect.gen(function* () {
      const { connect, offering } = yield* marketplace()
      const error = yield* Effect.flatMap(connect(), (waldur) => Effect.flip(waldur.oneEventQueue(offering, ["order"])))
      expect("call" in error && isUnsupported(error)).toBe(true)
    })
  )
})

describe("What the marketplace tells", () => {
  it.scopedLive("of somebody who comes into a project and leaves it, to offerings with resources there", () =>
    Effect.gen(function* () {
      const { connect, marketplace: simulated, offering, url, world } = yield* marketplace()
      const waldur = yield* connect()
      const queue = yield* waldur.eventQueue(offering, "user_role")
      const ready = () => simulated.broker.counts(queue.vhost, queue.name)?.ready
      const carol = simulated.addUser({ username: "carol" })
      simulated.addProjectRole(carol, world.project, "PROJECT.MEMBER")
      expect(ready()).toBe(0)
      yield* Effect.promise(() =>
        fetch(`${url}/api/marketplace-orders/`, {
          method: "POST",
          headers: { authorization: `Token ${world.customerToken}`, "content-type": "application/json" },
          body: JSON.stringify({
            offering: `${url}/api/marketplace-public-offerings/${offering}/`,
            project: `${url}/api/projects/${world.project.uuid}/`,
            plan: `${url}/api/marketplace-public-offerings/${offering}/plans/${world.plans.vdc.uuid}/`,
            attributes: { name: "a" },
            limits: { cpu: 1, ram: 1024, storage: 1024, floating_ip: 1 }
          })
        })
      )
      expect(simulated.resources.size).toBe(1)
      simulated.removeRoles(carol, world.project)
      expect(ready()).toBe(1)
      simulated.addProjectRole(carol, world.project, "PROJECT.ADMIN")
      expect(ready()).toBe(2)
    })
  )
})

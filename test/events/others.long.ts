/** Events of other things than orders. All rounds and looks are an hour apart: whatever is done was told by an event. */
import { describe, expect } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Standings } from "../../src/runtime/offerings/standing.js"
import { publishImportRequest, publishSync } from "../../src/simulator/waldur/events.js"
import { makeResource } from "../../src/simulator/waldur/orders.js"
import { moveResource, newUuid, recordsOf, touchResource } from "../../src/simulator/waldur/world.js"
import { eventTiming } from "../../src/waldur/index.js"
import { makeSite, type RunningAgent, type Site, type SiteOptions, scenario } from "../support/agent.js"
import { eventually, quick } from "./support.js"

const hour = 3600
const types = ["order", "resource", "offering_resources_sync", "user_role", "offering_user", "importable_resources"]
const site = (options: SiteOptions = {}) =>
  makeSite({
    ...options,
    root: {
      poll_interval: hour,
      events_poll_interval: hour,
      membership_sync_interval: hour,
      observation_interval: hour,
      ...options.root
    },
    vdcOffering: {
      stomp_enabled: true,
      websocket_use_tls: false,
      membership_sync_backend: "opennebula",
      resource_import_enabled: true
    },
    vdcSettings: { external_network_id: undefined, virtual_router_template_id: undefined }
  })

/** Completes when it hears of everything. */
const started = (one: Site, heard: ReadonlyArray<string> = types) =>
  Effect.gen(function* () {
    const agent: RunningAgent = yield* Effect.locally(one.start(), eventTiming, quick)
    const id = one.config.offerings[0]?.id ?? (yield* Effect.dieMessage("none"))
    const consumers = yield* Effect.flatMap(Standings, (standings) => standings.of(id)).pipe(
      Effect.provide(agent.services),
      Effect.map(({ consumers }) => consumers),
      Effect.delay("5 millis"),
      Effect.repeat({ until: (all) => all.length === heard.length }),
      Effect.timeout("1 minute")
    )
    expect(consumers.map(({ objectType }) => objectType).toSorted()).toEqual(heard.toSorted())
    for (const { status } of consumers) {
      yield* Stream.runHead(Stream.filter(status.changes, ({ connectedSince }) => connectedSince !== undefined)).pipe(
        Effect.timeout("1 minute")
      )
    }
    return agent
  })

const users = ({ cloud }: Site) => [...cloud.world.users]
/** Who is in the group and may log in, without the tenant's own user. */
const membersOf = (one: Site, group: number) =>
  users(one)
    .filter((user) => user.groups.has(group) && user.enabled && !user.name.endsWith("_admin"))
    .map(({ name }) => name)
    .toSorted()
const person = ({ marketplace }: Site, username: string) => marketplace.addUser({ username, fullName: username })
const waldurUser = ({ marketplace }: Site, username: string) => {
  const found = [...marketplace.world.users.values()].find((user) => user.username === username)
  if (found === undefined) throw new Error(`Waldur has no user ${username}`)
  return found
}
/** Reads of teams so far: of each resource that is looked at, and again by its actor where there is something to do. */
const readsOfTeams = ({ marketplace }: Site) => marketplace.calls.filter(({ path }) => path.endsWith("/team/"))
const teamReads = (one: Site) => readsOfTeams(one).length
/** Ready and unacknowledged messages of all queues. */
const inQueues = ({ marketplace }: Site) =>
  [...recordsOf(marketplace.world, "event-queues").values()].reduce((sum, { fields }) => {
    const counts = marketplace.broker.counts(String(fields.vhost), String(fields.queue_name))
    return sum + (counts?.ready ?? 0) + (counts?.unacked ?? 0)
  }, 0)
const emptied = (one: Site) =>
  eventually(
    () => inQueues(one) === 0,
    () => inQueues(one)
  )
const ordered = (one: Site, name: string, more: Parameters<Site["order"]["vdc"]>[1] = {}) =>
  Effect.map(one.order.vdc(name, more), ({ resource }) => ({ resource, group: Number(resource.backendId) }))

describe("With one queue for all types of events", () => {
  scenario("all of it is heard over one connection, and what nobody here listens to is let go", () =>
    Effect.gen(function* () {
      const one = yield* site({
        marketplace: { oneQueue: true },
        // Listens to nothing, so it asks for no queue: none asked for would be all.
        vmOffering: {
          stomp_enabled: true,
          websocket_use_tls: false,
          order_processing_backend: "",
          reporting_backend: "opennebula"
        }
      })
      // While Waldur cannot reach its broker, nobody knows which queues it has.
      one.marketplace.intercept(({ earlier, path }) =>
        path.endsWith("/register_queue/") && earlier === 0
          ? { _tag: "Status", status: 400, body: '["Failed to create RabbitMQ virtual host"]' }
          : undefined
      )
      yield* started(one, ["any"])
      const { group } = yield* ordered(one, "lab")
      yield* eventually(() => membersOf(one, group).join() === "alice,bob")
      one.marketplace.addProjectRole(person(one, "carol"), one.world.project, "PROJECT.MEMBER")
      yield* eventually(() => membersOf(one, group).join() === "alice,bob,carol")
      const { broker, world } = one.marketplace
      const [queue] = [...recordsOf(world, "event-consumers").values()].map(({ fields }) => fields)
      expect(queue?.observable_object_types).toEqual(expect.arrayContaining(types))
      const [vhost, name] = [String(queue?.vhost), String(queue?.queue_name)]
      broker.publish(vhost, name, JSON.stringify({ object_type: "proposal", proposal_uuid: "1" }))
      broker.publish(vhost, name, JSON.stringify({ order_uuid: "1" }))
      yield* one.awaitLogged((line) => line.includes("it has no object_type"))
      yield* eventually(() => {
        const counts = broker.counts(vhost, name)
        return counts?.ready === 0 && counts.unacked === 0
      })
      expect(one.logged.filter((line) => line.includes("A message about")).length).toBe(1)
      expect(recordsOf(world, "event-subscriptions").size).toBe(0)
      expect(recordsOf(world, "event-consumers").size).toBe(1)
    })
  )
})

describe("With events", () => {
  scenario(
    "members are let in when a resource is made, when they join, and out when they leave; in their project only",
    () =>
      Effect.gen(function* () {
        const one = yield* site()
        yield* started(one)
        const { group, resource } = yield* ordered(one, "lab")
        yield* eventually(() => membersOf(one, group).join() === "alice,bob")
        const elsewhere = one.marketplace.addProject({ name: "elsewhere", customer: one.world.project.customer })
        one.marketplace.addProjectRole(waldurUser(one, "alice"), elsewhere, "PROJECT.ADMIN")
        const { group: other } = yield* ordered(one, "other", { project: elsewhere.uuid })
        yield* eventually(() => membersOf(one, other).join() === "alice")
        yield* emptied(one)

        const before = teamReads(one)
        const carol = person(one, "carol")
        // Waldur tells of no account that has no name yet: it comes with the role.
        const account = one.marketplace.addOfferingUser({ offering: one.world.vdcOffering, user: carol })
        one.marketplace.addProjectRole(carol, one.world.project, "PROJECT.MEMBER")
        yield* eventually(() => membersOf(one, group).join() === "alice,bob,carol")
        yield* emptied(one)
        // The other project's data centre was not read.
        expect(
          new Set(
            readsOfTeams(one)
              .slice(before)
              .map(({ path }) => path)
          )
        ).toEqual(new Set([`/api/marketplace-provider-resources/${resource.uuid}/team/`]))

        yield* eventually(() => account.username === "carol")

        one.marketplace.removeRoles(carol, one.world.project)
        yield* eventually(() => membersOf(one, group).join() === "alice,bob")

        resource.restrictMemberAccess = true
        touchResource(one.marketplace.world, resource)
        yield* eventually(() => membersOf(one, group).length === 0)
        yield* emptied(one)
      })
  )

  scenario("a burst about one project is one synchronisation, and none is acknowledged before it", () =>
    Effect.gen(function* () {
      const one = yield* site()
      yield* started(one)
      const { group } = yield* ordered(one, "lab")
      yield* eventually(() => membersOf(one, group).join() === "alice,bob")
      yield* emptied(one)
      const before = teamReads(one)
      // Nobody gets in while Waldur does not say who is in the team.
      const mend = one.marketplace.intercept(({ path }) =>
        path.endsWith("/team/") ? { _tag: "Status", status: 503 } : undefined
      )
      for (let index = 0; index < 15; index++) {
        one.marketplace.addProjectRole(person(one, `student${index}`), one.world.project, "PROJECT.MEMBER")
      }
      yield* eventually(() => teamReads(one) > before)
      expect(inQueues(one)).toBe(15)
      const whileAway = teamReads(one)
      mend()
      yield* eventually(() => membersOf(one, group).length === 17)
      yield* emptied(one)
      expect(teamReads(one) - whileAway).toBeLessThan(6)
    })
  )

  scenario("a resource that is paused is stopped at once, and an imported one is adopted at the next look", () =>
    Effect.gen(function* () {
      const one = yield* site()
      const { cloud, marketplace, world } = one
      yield* cloud.call("one.group.allocate", ["old-tenant"])
      yield* cloud.call("one.vdc.allocate", ['NAME="old"'])
      yield* cloud.call("one.vdc.addgroup", [100, 100])
      yield* cloud.call("one.group.update", [100, `WALDUR_PROJECT_UUID="${world.project.uuid}"`, 1])
      yield* started(one)
      const { resource } = yield* ordered(one, "lab")
      yield* emptied(one)
      resource.paused = true
      touchResource(marketplace.world, resource)
      yield* one.awaitLogged((line) => line.includes("Put right: paused"))

      const request = {
        uuid: newUuid(marketplace.world),
        created: marketplace.world.now(),
        modified: marketplace.world.now(),
        fields: { offering: world.vdcOffering.uuid, state: "Sent" }
      }
      recordsOf(marketplace.world, "backend-resource-requests").set(request.uuid, request)
      publishImportRequest(marketplace.world, request)
      yield* one.awaitLogged((line) => line.includes("Offered 1 object for import"))
      const imported = makeResource(marketplace.world, {
        offering: world.vdcOffering,
        project: world.project,
        plan: world.plans.vdc,
        // Waldur takes it from what was offered.
        name: "old-tenant",
        attributes: {},
        limits: {}
      })
      imported.backendId = "100"
      // Of what it was told so far.
      yield* emptied(one)
      moveResource(marketplace.world, imported, "OK")
      // Waldur does not tell of it.
      expect(inQueues(one)).toBe(0)
      publishSync(marketplace.world, world.vdcOffering)
      yield* one.awaitLogged((line) => line.includes("Put right: repair owner"))
      yield* emptied(one)
    })
  )

  scenario("all resources are looked at, and all members synchronised, when Waldur asks for it", () =>
    Effect.gen(function* () {
      const one = yield* site()
      yield* started(one)
      const { group, resource } = yield* ordered(one, "lab")
      yield* eventually(() => membersOf(one, group).join() === "alice,bob")
      yield* emptied(one)
      // Changed without an event.
      resource.paused = true
      one.marketplace.world.users.delete(waldurUser(one, "bob").uuid)
      publishSync(one.marketplace.world, one.world.vdcOffering)
      yield* one.awaitLogged((line) => line.includes("Put right: paused"))
      yield* eventually(() => membersOf(one, group).join() === "alice")
    })
  )

  scenario("a Waldur that does not know a type of event is no fault, and orders go on", () =>
    Effect.gen(function* () {
      const one = yield* site()
      one.marketplace.intercept(({ path, earlier }) =>
        path.includes("register_event_subscription") && earlier > 0
          ? { _tag: "Status", status: 400, body: '{"observable_object_type":["Not a valid choice."]}' }
          : undefined
      )
      yield* Effect.locally(one.start(), eventTiming, quick)
      yield* one.awaitLogged((line) => line.includes("This Waldur has no events of this type"), types.length - 1)
      expect((yield* one.order.vdc("lab")).state).toBe("done")
    })
  )
})

/** Orphans and migration: the commands as they are typed, beside a running agent, on simulated servers over HTTP. */
import { Command } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect } from "@effect/vitest"
import { Console, Effect, Either } from "effect"
import { OrderId, ResourceId } from "../../../src/core/index.js"
import { migration } from "../../../src/runtime/cli/commands/migrate.js"
import { orphans } from "../../../src/runtime/cli/commands/orphans.js"
import { Journal } from "../../../src/runtime/journal/journal.js"
import { connectSites, findOrphans, removeOrphan } from "../../../src/runtime/upkeep/index.js"
import type { Template } from "../../../src/simulator/opennebula/world/template.js"
import { newUuid, recordsOf } from "../../../src/simulator/waldur/world.js"
import { expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"

/** What a command prints, and the sentence with which it fails, if it does. */
const typed = (site: Site, command: typeof orphans | typeof migration, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const capturing = {
      ...console,
      log: (...values: ReadonlyArray<unknown>) => Effect.sync(() => lines.push(values.join(" ")))
    }
    const place = ["-c", site.config.file, "--data-dir", site.dataDir]
    const failed = yield* Command.run(Command.make("site-actors").pipe(Command.withSubcommands([orphans, migration])), {
      name: "Site Actors",
      version: "test"
    })(["node", "site-actors", command === orphans ? "orphans" : "migrate", ...place, ...args]).pipe(
      Effect.withConsole(capturing),
      Effect.provide(NodeContext.layer),
      Effect.either
    )
    const sentence = Either.match(failed, {
      onRight: () => "",
      onLeft: (error) => (error instanceof Error ? error.message : JSON.stringify(error))
    })
    return { printed: lines.join("\n"), sentence }
  })

const tagged = (template: Template) => template.get("WALDUR_RESOURCE_UUID") !== undefined

/** Everything that carries a tag, and the templates that do. */
const templatesOf = ({ cloud: { world } }: Site) => [
  ...[...world.groups].map(({ template }) => template),
  ...[...world.vdcs].map(({ template }) => template),
  ...[...world.networks].map(({ template }) => template),
  ...[...world.routers].map(({ template }) => template),
  ...[...world.securityGroups].map(({ template }) => template),
  ...[...world.users].map(({ template }) => template),
  ...[...world.vms].filter(({ state }) => state !== 6).map(({ userTemplate }) => userTemplate)
]

describe("orphans", () => {
  scenario("are listed, and removed only when somebody says so twice; what an order owns is not", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("left-behind")
      const lives = yield* typed(site, orphans)
      expect(lives).toEqual({ printed: "There are no orphans.", sentence: "" })

      // Somebody in Waldur sets it as ended by hand.
      resource.state = "Terminated"
      const { printed } = yield* typed(site, orphans)
      const kindsListed = printed
        .split("\n")
        .slice(2)
        .map((line) => line.split(":")[0])
      expect(kindsListed).toEqual(["user", "vm", "router", "network", "security-group", "vdc", "group"])
      expect(printed.split("\n")[2]).toContain("terminated")

      const group = `group:${resource.backendId}`
      expect((yield* typed(site, orphans, "--remove", group)).sentence).toContain("Say --yes")
      expect((yield* typed(site, orphans, "--remove", "vm:4711", "--yes")).sentence).toContain("no orphan")
      const made = site.made()

      // An order of the resource is in work.
      yield* Effect.gen(function* () {
        const found = yield* findOrphans(yield* connectSites(site.config))
        const journal = yield* Journal
        const lease = yield* journal.lease(ResourceId.make(resource.uuid), "test")
        const order = yield* journal.order(OrderId.make("f".repeat(32)), lease)
        yield* order.append("order", "accepted", { offering: "none", approve: false })
        expect(yield* findOrphans(yield* connectSites(site.config))).toEqual([])
        for (const orphan of found) {
          const refused = yield* Effect.flip(removeOrphan(orphan, "test"))
          expect(refused.message).toContain("belongs to an order that is in work")
        }
        const again = yield* journal.order(
          OrderId.make("f".repeat(32)),
          yield* journal.lease(ResourceId.make(resource.uuid), "test")
        )
        yield* again.append("order", "erred")
      }).pipe(Effect.scoped, Effect.provide(agent.services))
      expect(site.made()).toEqual(made)

      const removed = yield* typed(site, orphans, "--remove-all", "--yes")
      expect(removed.sentence).toBe("")
      expect({ made: site.made(), lost: site.lost() }).toEqual({ made: [], lost: [] })
    })
  )
})

describe("what a stranger has left", () => {
  scenario("is not removed with all others, which is said, and goes with its resource when that is named", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      yield* site.order.vdc("theirs")
      yield* untilSettled(agent)
      yield* agent.stop
      const stranger = "e".repeat(32)
      for (const template of templatesOf(site).filter(tagged)) template.set("WALDUR_RESOURCE_UUID", stranger)
      expect((yield* typed(site, orphans, "--remove-all", "--yes")).printed).toMatch(
        /^Nothing is removed: the 7 that there are may be somebody else's\./
      )
      expect((yield* typed(site, orphans, "--remove", stranger)).sentence).toContain("Say --yes")
      const removed = yield* typed(site, orphans, "--remove", stranger, "--yes")
      expect(removed.sentence).toBe("")
      expect(removed.printed.split("\n")).toHaveLength(7)
      expect(site.made()).toEqual([])
    })
  )
})

describe("what the Python agent made", () => {
  scenario("is taken over by a migration, which can be rehearsed, and repeated", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const first = yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("legacy")
      const { resource: vm } = yield* site.order.vm("legacy-vm", vdc.backendId)
      yield* untilSettled(first)
      yield* first.stop
      const group = site.cloud.world.groups.get(Number(vdc.backendId))
      const before = { id: vdc.backendId, name: group.name }
      // As that agent leaves it: a name for an id, and no tags.
      vdc.backendId = group.name
      for (const template of templatesOf(site)) {
        for (const name of ["WALDUR_RESOURCE_UUID", "WALDUR_ORDER_UUID"]) template.remove(name)
      }

      const rehearsal = yield* typed(site, migration, "--dry-run")
      expect(rehearsal.sentence).toBe("")
      expect(rehearsal.printed).toMatch(
        new RegExp(`${before.name} +${before.id} +vdc .*group ${before.id} .*would be done`)
      )
      expect(rehearsal.printed).toMatch(new RegExp(`vm ${vm.backendId} .* would be done`))
      expect(vdc.backendId).toBe(before.name)
      expect(templatesOf(site).filter(tagged)).toEqual([])

      const done = yield* typed(site, migration)
      expect(done.sentence).toBe("")
      expect(vdc.backendId).toBe(before.id)
      // Group, VDC, network, router, security group and user of the one, the machine of the other.
      expect(templatesOf(site).filter(tagged)).toHaveLength(7)
      const again = yield* typed(site, migration)
      expect(again.printed.match(/as it should be/g)).toHaveLength(2)

      const agent = yield* site.start()
      expect((yield* site.order.terminate(vm.uuid)).state).toBe("done")
      expect((yield* site.order.terminate(vdc.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["legacy Terminated", "legacy-vm Terminated"])
    })
  )

  scenario("is taken over whole by the next migration, wherever one was cut off", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { cloud } = site
      const first = yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("legacy")
      yield* untilSettled(first)
      yield* first.stop
      const { name } = cloud.world.groups.get(Number(vdc.backendId))
      // Group, VDC, network, router, security group and user.
      for (const cut of [1, 2, 3, 4, 5, 6]) {
        vdc.backendId = name
        for (const template of templatesOf(site)) {
          for (const tag of ["WALDUR_RESOURCE_UUID", "WALDUR_ORDER_UUID"]) template.remove(tag)
        }
        let tags = 0
        cloud.intercept(({ method }) => {
          if (!method.endsWith(".update")) return undefined
          tags += 1
          return tags >= cut ? { _tag: "Drop", when: "before" } : undefined
        })
        expect((yield* typed(site, migration)).sentence).toContain("1 of 1 resource")
        expect(templatesOf(site).filter(tagged)).toHaveLength(cut - 1)
        cloud.intercept(undefined)
        expect((yield* typed(site, migration)).sentence).toBe("")
        expect([cut, templatesOf(site).filter(tagged).length]).toEqual([cut, 6])
      }
      const agent = yield* site.start()
      expect((yield* site.order.terminate(vdc.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["legacy Terminated"])
    })
  )

  scenario("and what it cannot be sure of is named and left alone", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const { resource: one } = yield* site.order.vdc("one")
      const { resource: other } = yield* site.order.vdc("other")
      const own = other.backendId
      const { template } = site.cloud.world.groups.get(Number(own))
      const tag = template.get("WALDUR_RESOURCE_UUID") ?? ""
      template.remove("WALDUR_RESOURCE_UUID")
      other.backendId = "no-such-group"
      const missing = yield* typed(site, migration)
      expect(missing.printed).toContain('cannot: there is no group "no-such-group"')
      expect(missing.sentence).toContain("1 of 2 resources")
      other.backendId = one.backendId
      expect((yield* typed(site, migration)).printed).toContain("which belongs to")
      other.backendId = own
      yield* site.cloud.call("one.group.update", [Number(own), `WALDUR_RESOURCE_UUID="${tag}"`, 1])
      expect((yield* typed(site, migration)).sentence).toBe("")
    })
  )
})

describe("what was in the cloud before", () => {
  scenario("is offered to Waldur when it asks, once each, and adopted when it was imported", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        root: { observation_interval: 0.4 },
        vdcOffering: { resource_import_enabled: true }
      })
      const { cloud, marketplace, world } = site
      yield* cloud.call("one.group.allocate", ["old-tenant"])
      const vdcId = yield* cloud.call("one.vdc.allocate", ['NAME="old"'])
      expect(vdcId._tag).toBe("Ok")
      yield* cloud.call("one.vdc.addgroup", [100, 100])
      yield* cloud.call("one.group.quota", [100, 'VM=[CPU="4",MEMORY="8192"]'])
      yield* cloud.call("one.group.allocate", ["another"])
      yield* cloud.call("one.group.allocate", ["nobodys"])
      yield* cloud.call("one.group.allocate", ["astray"])
      // Waldur wants to know of which project each would be.
      const projects = [world.project.uuid, world.project.uuid, undefined, "f".repeat(32)]
      for (const [n, project] of projects.entries()) {
        if (project === undefined) continue
        yield* cloud.call("one.group.update", [100 + n, `WALDUR_PROJECT_UUID="${project}"`, 1])
      }
      yield* site.start()
      const { resource: own } = yield* site.order.vdc("own")

      const ask = Effect.sync(() => {
        const request = {
          uuid: newUuid(marketplace.world),
          created: marketplace.world.now(),
          modified: marketplace.world.now(),
          fields: { offering: world.vdcOffering.uuid, state: "Sent" }
        }
        recordsOf(marketplace.world, "backend-resource-requests").set(request.uuid, request)
        return request
      })
      const states = (path: string) => marketplace.calls.filter((call) => call.path.endsWith(path)).length
      yield* ask
      yield* site.awaitLogged((line) => line.includes("Offered 2 objects for import"))
      yield* ask
      yield* site.awaitLogged((line) => line.includes("Offered 2 objects for import"), 2)
      expect(states("/set_done/")).toBe(2)
      const offered = [...recordsOf(marketplace.world, "backend-resources").values()].map(({ fields }) => fields)
      expect(offered.map(({ backend_id, name }) => `${backend_id} ${name}`).toSorted()).toEqual([
        "100 old-tenant",
        "101 another"
      ])
      expect(offered.map(({ project }) => project)).toEqual([world.project.uuid, world.project.uuid])
      expect(site.logged.some((line) => /nobodys.*\(102\) is not offered.*onegroup update 102/.test(line))).toBe(true)
      expect(site.logged.some((line) => /astray.*\(103\) is not offered: .*project: Object with uuid/.test(line))).toBe(
        true
      )
      expect(offered.map(({ backend_id }) => backend_id)).not.toContain(own.backendId)

      // With its size, which becomes the resource's limits.
      expect(offered.map(({ backend_metadata }) => JSON.stringify(backend_metadata)).toSorted()).toEqual([
        expect.stringContaining('"limits":{"ram":8192,"cpu":4}'),
        expect.not.stringContaining("limits")
      ])

      // Somebody in Waldur imports one of them.
      const [record] = [...recordsOf(marketplace.world, "backend-resources").values()].filter(
        ({ fields }) => fields.backend_id === "100"
      )
      const answer = yield* Effect.promise(() =>
        fetch(`${site.waldurUrl}backend-resources/${record?.uuid}/import_resource/`, {
          method: "POST",
          headers: { Authorization: `Token ${world.staffToken}`, "Content-Type": "application/json" },
          body: JSON.stringify({ plan: world.plans.vdc.uuid })
        })
      )
      expect(answer.status).toBe(201)
      const imported = [...marketplace.resources.values()].find(({ backendId }) => backendId === "100")
      if (imported === undefined) return expect.fail("nothing was imported")
      expect([imported.state, imported.limits]).toEqual(["OK", { cpu: 4, ram: 8192 }])
      yield* site.awaitLogged((line) => line.includes("Put right: repair owner"))
      const { groups, vdcs } = cloud.world
      expect([groups.get(100), vdcs.get(100)].map(({ template }) => template.get("WALDUR_RESOURCE_UUID"))).toEqual([
        imported.uuid,
        imported.uuid
      ])
      expect(tagged(groups.get(101).template)).toBe(false)

      expect((yield* site.order.terminate(imported.uuid)).state).toBe("done")
      expect([groups.find(100), vdcs.find(100)]).toEqual([undefined, undefined])
    })
  )
})

/** What is likely to be left over, and says otherwise or nothing: listed, and removed only by its name. */
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { OrderId } from "../../../src/core/index.js"
import { groupRule } from "../../../src/opennebula/index.js"
import { aclId, encodeAclRule } from "../../../src/opennebula/model/acl.js"
import { Cancellations } from "../../../src/runtime/orders/cancellations.js"
import type { Plain } from "../../../src/simulator/opennebula/wire/values.js"
import {
  afterCall,
  away,
  expectNothingLeft,
  kinds,
  makeSite,
  type Site,
  scenario,
  untilSettled
} from "../../support/agent.js"
import { typed } from "../../support/commands.js"
import { tags } from "../../support/retagged.js"

const orphans = ({ dataDir, file }: Site, ...words: ReadonlyArray<string>) =>
  typed("orphans", "-c", file, "--data-dir", dataDir, ...words)

describe("a group whose journal is lost in the moment before its tag", () => {
  /** The order of the journal that came after it has ended. */
  const lost = Effect.gen(function* () {
    const site = yield* makeSite()
    const first = yield* site.start()
    site.cloud.intercept(({ method }) => (method === "one.group.update" ? away : undefined))
    const made = yield* Effect.fork(afterCall(site, ({ method }) => method === "one.group.allocate"))
    yield* Effect.yieldNow()
    const uuid = yield* site.place.vdc("lab")
    yield* Fiber.join(made)
    yield* first.stop
    yield* (yield* FileSystem.FileSystem).remove(site.dataDir, { recursive: true })
    site.cloud.intercept(undefined)
    const agent = yield* site.start()
    const order = yield* site.marketplace.awaitOrderEnd(uuid)
    yield* untilSettled(agent)
    const group = [...site.cloud.world.groups].find(({ id }) => id >= 100)
    return { agent, group: group?.id ?? -1, order, site }
  })

  scenario("is named by the order that errs, and listed with what the order was for", () =>
    Effect.gen(function* () {
      const { agent, group, order, site } = yield* lost
      const { slug, uuid } = order.resource
      expect([order.state, order.errorMessage]).toEqual([
        "erred",
        `The cloud already has a group named "${slug}", perhaps left by this order: ask the provider, or choose another name and order again.`
      ])
      const command = `site-actors orphans -c config.yaml --remove group:${group} --yes`
      yield* site.awaitLogged((line) => line.includes("Refused: ") && line.includes(command))
      expect((yield* orphans(site)).out).toMatch(
        new RegExp(`group:${group} +${slug} +untagged +${uuid} +${order.uuid}`)
      )
      expect((yield* orphans(site, "--remove-all", "--yes")).out).toMatch(/^Nothing is removed: the 1 that there are/)
      expect(yield* orphans(site, "--remove", `group:${group}`, "--yes")).toMatchObject({
        ok: true,
        out: `Removed group:${group} "${slug}"`
      })
      yield* expectNothingLeft(site, agent, ["lab Terminated"])
    })
  )

  const hands: ReadonlyArray<readonly [what: string, method: string, params: (group: number) => ReadonlyArray<Plain>]> =
    [
      ["has somebody in it", "one.user.allocate", (group) => ["eve", "x", "core", [group]]],
      [
        "has a right to create",
        "one.acl.addrule",
        (group) => [...encodeAclRule(groupRule({ group, resources: ["VM"], rights: ["CREATE"], zone: aclId(0) }))]
      ],
      ["has something written into it", "one.group.update", (group) => [group, 'NOTE="mine"', 1]]
    ]
  for (const [what, method, params] of hands)
    scenario(`is not listed once it ${what}`, () =>
      Effect.gen(function* () {
        const { group, site } = yield* lost
        expect(yield* site.cloud.call(method, params(group))).toMatchObject({ _tag: "Ok" })
        expect((yield* orphans(site)).out).toBe("There are no orphans.")
        expect((yield* orphans(site, "--remove", `group:${group}`, "--yes")).failure).toContain("There is no orphan")
      })
    )
})

describe("a group without a tag that comes just before an order's own", () => {
  scenario("is listed once the order is cancelled: whoever has made it may have lost the end of its journal", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      let name = ""
      site.cloud.intercept(({ method, params }) => {
        if (method !== "one.group.allocate" || name !== "") return undefined
        name = String(params[0])
        return { _tag: "Hold", when: "before", until: site.cloud.call(method, [name]) }
      })
      const uuid = yield* site.place.vdc("lab")
      yield* site.awaitLogged((line) => line.includes("Another agent is at work on this order"))
      expect((yield* orphans(site)).out).toBe("There are no orphans.")
      yield* Effect.flatMap(Cancellations, (all) => all.cancel(OrderId.make(uuid), "somebody", "", 0)).pipe(
        Effect.provide(agent.services)
      )
      expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("erred")
      yield* untilSettled(agent)
      const { out } = yield* orphans(site)
      const [group] = /group:\d+/.exec(out) ?? []
      expect(out).toMatch(new RegExp(`group:\\d+ +${name} +untagged `))
      expect(yield* orphans(site, "--remove", group ?? "", "--yes")).toMatchObject({ ok: true })
      yield* expectNothingLeft(site, agent, ["lab Terminated"])
    })
  )
})

describe("a machine whose resource was ended by hand, and that its tenant makes another's", () => {
  scenario("is listed as surplus: that one has its machine", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const { resource: kept } = yield* site.order.vm("kept", lab.backendId)
      const { resource: ended } = yield* site.order.vm("ended", lab.backendId)
      ended.state = "Terminated"
      expect((yield* orphans(site)).out).toContain(" terminated ")
      yield* site.cloud.call("one.vm.update", [Number(ended.backendId), tags(kept.uuid), 1])
      const { out } = yield* orphans(site)
      expect(out.split("\n").slice(2)).toEqual([
        expect.stringMatching(new RegExp(`^vm:${ended.backendId} +\\S+ +surplus +${kept.uuid} `))
      ])
      expect((yield* orphans(site, "--remove-all", "--yes")).out).toMatch(/^Nothing is removed: the 1 that there are/)
      expect(yield* orphans(site, "--remove", `vm:${ended.backendId}`, "--yes")).toMatchObject({ ok: true })
      expect(site.cloud.world.vms.get(Number(kept.backendId)).state).toBe(3)
      expect(kinds(site.made())).toMatchObject({ vm: 2 })
    })
  )
})

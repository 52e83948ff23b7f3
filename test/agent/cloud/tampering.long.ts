/** Tenants who write the agent's tags into what is theirs: their user's template, their machines, their security groups. */
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Journal } from "../../../src/runtime/journal/journal.js"
import { readiness } from "../../../src/runtime/offerings/ready.js"
import {
  afterCall,
  away,
  doubled,
  expectNothingLeft,
  makeSite,
  type Site,
  scenario,
  untilSettled
} from "../../support/agent.js"

/** As its customer was told: `user:password`. */
const sessionOf = (resource: { readonly backendMetadata: Readonly<Record<string, unknown>> }): string => {
  const { opennebula_password, opennebula_username } = resource.backendMetadata
  return `${String(opennebula_username)}:${String(opennebula_password)}`
}

const userNamed = ({ cloud }: Site, name: string) => {
  const user = [...cloud.world.users].find((one) => one.name === name)
  if (user === undefined) throw new Error(`there is no user ${name}`)
  return user
}

const tags = (resource: string, order: string, mark: string): string =>
  `WALDUR_RESOURCE_UUID="${resource}"\nWALDUR_ORDER_UUID="${order}"\nWALDUR_MADE_BY="${mark}"`

describe("a tenant who takes the tags off their own user", () => {
  for (const [how, text] of [
    ["removed", ""],
    ["made another's", tags("0".repeat(32), "0".repeat(32), "abc")]
  ] as const)
    scenario(`(${how}) does not keep the data centre from its end`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const { resource } = yield* site.order.vdc("lab")
        const user = userNamed(site, String(resource.backendMetadata.opennebula_username))
        expect(yield* site.cloud.call("one.user.update", [user.id, text, 0], sessionOf(resource))).toMatchObject({
          _tag: "Ok"
        })
        expect(yield* site.order.terminate(resource.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, ["lab Terminated"])
      })
    )
})

describe("a tenant who writes another order's tags into what is theirs", () => {
  /** Alpha's customer has written beta's tags while beta is being made. */
  const forged = (order: (uuid: string) => string) =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource: alpha } = yield* site.order.vdc("alpha")
      site.cloud.intercept(({ method }) => (/^one\.(user|secgroup|vrouter)\.allocate$/.test(method) ? away : undefined))
      const uuid = yield* site.place.vdc("beta")
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes(".allocate"))
      const resource = site.marketplace.orders.get(uuid)?.resource.uuid ?? ""
      const by = sessionOf(alpha)
      const user = userNamed(site, String(alpha.backendMetadata.opennebula_username))
      const written = tags(resource, order(uuid), "abc")
      expect(yield* site.cloud.call("one.user.update", [user.id, written, 1], by)).toMatchObject({ _tag: "Ok" })
      yield* site.cloud.call("one.template.instantiate", [2, "mine", true, written, false])
      const machine = [...site.cloud.world.vms].find(({ name }) => name === "mine")
      expect(machine).toBeDefined()
      Object.assign(machine ?? {}, { uid: user.id, gid: user.gid })
      site.cloud.intercept(undefined)
      expect(yield* site.cloud.call("one.secgroup.allocate", [`NAME="mine"\n${written}`], by)).toMatchObject({
        _tag: "Ok"
      })
      return { agent, alpha, resource, site, user, uuid }
    })

  const mine = ({ cloud: { world } }: Site) => [
    ...[...world.securityGroups].filter(({ name }) => name === "mine").map(({ name }) => `security group ${name}`),
    ...[...world.vms].filter(({ name, state }) => name === "mine" && state !== 6).map(({ name }) => `vm ${name}`)
  ]

  for (const [how, order] of [
    ["of that order", (uuid: string) => uuid],
    ["of no order", () => ""]
  ] as const)
    scenario(`(${how}) gets nothing of it, and loses nothing at its end`, () =>
      Effect.gen(function* () {
        const { agent, alpha, resource, site, user, uuid } = yield* forged(order)
        const { state, resource: beta } = yield* site.marketplace.awaitOrderEnd(uuid)
        expect([state, beta.backendMetadata.opennebula_username]).toEqual(["done", `${beta.slug}_admin`])
        const own = userNamed(site, `${beta.slug}_admin`)
        expect([own.gid, user.gid]).toEqual([Number(beta.backendId), Number(alpha.backendId)])
        expect([...site.cloud.world.securityGroups].filter(({ name }) => name === `${beta.slug}_default`)).toHaveLength(
          1
        )
        expect((yield* site.order.terminate(resource)).state).toBe("done")
        yield* untilSettled(agent)
        expect(mine(site)).toEqual(["security group mine", "vm mine"])
        expect(userNamed(site, user.name)).toBe(user)
      })
    )

  scenario("does not have it wait, or the agent say that it is not ready, when that order fails", () =>
    Effect.gen(function* () {
      const { agent, site, user, uuid } = yield* forged((order) => order)
      site.cloud.faults.failNext("deploy")
      expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("erred")
      yield* untilSettled(agent)
      const ready = yield* Effect.provide(readiness(site.config), agent.services)
      expect(ready.map((offering) => offering.ready)).toEqual([true, true])
      // On a busy machine that its front-end was away may still be told.
      expect(ready.flatMap(({ reasons }) => reasons).filter((reason) => reason.includes("agent"))).toEqual([])
      expect(mine(site)).toEqual(["security group mine", "vm mine"])
      expect(userNamed(site, user.name)).toBe(user)
    })
  )
})

describe("a tenant who edits a machine's tags before it runs", () => {
  /** Between its hand-over to the group and "running". */
  const edited = (text: string, rename: boolean, fails = false) =>
    Effect.gen(function* () {
      // Long enough for a tenant to come between.
      const site = yield* makeSite({ cloud: { bootTime: 1000 } })
      const agent = yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("lab")
      const by = sessionOf(vdc)
      const group = Number(vdc.backendId)
      const { id } = userNamed(site, String(vdc.backendMetadata.opennebula_username))
      expect(yield* site.cloud.call("one.group.addadmin", [group, id])).toMatchObject({ _tag: "Ok" })
      if (fails) site.cloud.faults.failNext("deploy")
      const released = yield* Effect.fork(
        afterCall(site, ({ method, params }) => method === "one.vm.action" && params.includes("release"))
      )
      const uuid = yield* site.place.vm("machine", vdc.backendId)
      yield* Fiber.join(released)
      const machine = [...site.cloud.world.vms].find(({ gid, name }) => gid === group && name.startsWith("machine"))
      if (machine === undefined) return yield* Effect.dieMessage("there is no machine")
      expect(yield* site.cloud.call("one.vm.update", [machine.id, text, 0], by)).toMatchObject({ _tag: "Ok" })
      if (rename)
        expect(yield* site.cloud.call("one.vm.rename", [machine.id, "mine"], by)).toMatchObject({ _tag: "Ok" })
      const order = yield* site.marketplace.awaitOrderEnd(uuid)
      yield* untilSettled(agent)
      return { agent, machine, order }
    })

  for (const [how, text] of [
    ["removes them", 'NOTE="mine"'],
    ["makes them another's", tags("0".repeat(32), "0".repeat(32), "abc")]
  ] as const) {
    scenario(`and ${how} has the machine that was ordered`, () =>
      Effect.gen(function* () {
        const { machine, order } = yield* edited(text, false)
        expect([order.state, order.errorMessage, order.resource.backendId]).toEqual(["done", "", String(machine.id)])
      })
    )

    scenario(`and ${how}, of one that then does not start, leaves nothing of it`, () =>
      Effect.gen(function* () {
        const { machine, order } = yield* edited(text, false, true)
        expect([order.state, order.errorMessage]).toEqual(["erred", expect.stringContaining("could not be started")])
        expect(machine.state).toBe(6)
      })
    )

    scenario(`and ${how} and renames it has an order that errs, and the provider hears of the machine`, () =>
      Effect.gen(function* () {
        const { agent, machine, order } = yield* edited(text, true)
        expect([order.state, order.errorMessage]).toEqual([
          "erred",
          expect.stringContaining("left alone: ask the provider")
        ])
        const { leftovers } = yield* Effect.provide(Journal, agent.services)
        expect(yield* leftovers).toMatchObject([
          { step: "vm", reason: expect.stringContaining(`VM ${machine.id} "mine"`) }
        ])
      })
    )
  }
})

describe("an administrator of one data centre's group who says that it is a group of another's roles", () => {
  scenario("keeps its own limits when the other grows, and neither is in the way of the other's end", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource: alpha } = yield* site.order.vdc("alpha")
      const { resource: beta } = yield* site.order.vdc("beta")
      const group = Number(alpha.backendId)
      const { id } = userNamed(site, String(alpha.backendMetadata.opennebula_username))
      expect(yield* site.cloud.call("one.group.addadmin", [group, id])).toMatchObject({ _tag: "Ok" })
      const written = `WALDUR_ACCESS_OF="${beta.uuid}"`
      expect(yield* site.cloud.call("one.group.update", [group, written, 1], sessionOf(alpha))).toMatchObject({
        _tag: "Ok"
      })
      const limits = () => site.cloud.world.groups.find(group)?.quotas.VM.map((row) => [...row.limits])
      const before = limits()
      expect((yield* site.order.updateLimits(beta.uuid, doubled)).state).toBe("done")
      expect(limits()).toEqual(before)
      expect(yield* site.order.terminate(beta.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      expect(site.cloud.world.groups.find(group)).toBeDefined()
      expect(yield* site.order.terminate(alpha.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      yield* expectNothingLeft(site, agent, ["alpha Terminated", "beta Terminated"])
    })
  )
})

describe("an administrator of one data centre's group who writes another's owner tag into it", () => {
  scenario("does not get what is made for the other, and neither is in the way of the other's end", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource: alpha } = yield* site.order.vdc("alpha")
      const group = Number(alpha.backendId)
      const { id } = userNamed(site, String(alpha.backendMetadata.opennebula_username))
      expect(yield* site.cloud.call("one.group.addadmin", [group, id])).toMatchObject({ _tag: "Ok" })
      // Begun, and not known to have been made: it looks for its group.
      site.cloud.intercept(({ method }) => (method === "one.group.allocate" ? away : undefined))
      const uuid = yield* site.place.vdc("beta")
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes(".allocate"))
      const resource = site.marketplace.orders.get(uuid)?.resource.uuid ?? ""
      const written = tags(resource, "", "abc")
      expect(yield* site.cloud.call("one.group.update", [group, written, 1], sessionOf(alpha))).toMatchObject({
        _tag: "Ok"
      })
      site.cloud.intercept(undefined)
      const { state, resource: beta } = yield* site.marketplace.awaitOrderEnd(uuid)
      expect(state).toBe("done")
      expect(Number(beta.backendId)).not.toBe(group)
      expect(yield* site.order.terminate(beta.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      expect(site.cloud.world.groups.find(group)).toBeDefined()
      expect(yield* site.order.terminate(alpha.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      yield* expectNothingLeft(site, agent, ["alpha Terminated", "beta Terminated"])
    })
  )
})

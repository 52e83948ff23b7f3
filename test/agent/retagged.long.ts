/** Tenants who write into what is theirs, long after its order is done, so that nobody bills, pauses or ends it any more. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Observations from "../../src/runtime/observation/store.js"
import { VmState } from "../../src/simulator/opennebula/index.js"
import type { Resource } from "../../src/simulator/waldur/index.js"
import { eventually } from "../events/support.js"
import {
  doubled,
  expectNothingLeft,
  kinds,
  makeSite,
  type RunningAgent,
  type Site,
  vdcObjects
} from "../support/agent.js"
import { typed } from "../support/commands.js"
import { addComponent, often, reporting, usageScenario as scenario, usages } from "../support/usage.js"

/** Reports and looks come soon; what a machine has is told beside its plan. `drift`: of both offerings. */
const watched = (drift: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const site = yield* makeSite({
      root: { ...often, observation_interval: 0.4 },
      vdcOffering: { ...reporting, drift },
      vmOffering: { ...reporting, drift, backend_components: { vm_ram_used: { usage_from: "vm_ram" } } }
    })
    addComponent(site, "vm_ram_used", "", "usage", site.world.vmOffering)
    return site
  })

type As = (method: string, params: ReadonlyArray<string | number>) => Effect.Effect<void>

/** Who has the password that the data centre's customer was shown, and administers its group. */
const administratorOf = ({ cloud }: Site, { backendId, backendMetadata }: Resource) =>
  Effect.gen(function* () {
    const { opennebula_password, opennebula_username } = backendMetadata
    const user = [...cloud.world.users].find(({ name }) => name === opennebula_username)
    expect(yield* cloud.call("one.group.addadmin", [Number(backendId), user?.id ?? -1])).toMatchObject({ _tag: "Ok" })
    const as: As = (method, params) =>
      Effect.map(
        cloud.call(method, [...params], `${String(opennebula_username)}:${String(opennebula_password)}`),
        (answer) => expect(answer).toMatchObject({ _tag: "Ok" })
      )
    return as
  })

const tags = (resource: string): string =>
  `WALDUR_RESOURCE_UUID="${resource}"\nWALDUR_ORDER_UUID="${"0".repeat(32)}"\nWALDUR_MADE_BY="abc"`
const nobody = "a".repeat(32)

/** What is written in the place of the agent's tags. */
const writings: ReadonlyArray<readonly [how: string, text: (another: Resource) => string]> = [
  ["takes its tags off", () => 'NOTE="mine"'],
  ["makes it nobody's", () => tags(nobody)],
  ["makes it another's", ({ uuid }) => tags(uuid)]
]

const putRight = (site: Site, what: string) => {
  const before = site.logged.filter((line) => line.includes(`Put right: ${what}`)).length
  return site.awaitLogged((line) => line.includes(`Put right: ${what}`), before + 1)
}

/** As Waldur says it, and as it is carried out. */
const pausedAndBack = (site: Site, resource: Resource) =>
  Effect.gen(function* () {
    resource.paused = true
    yield* putRight(site, "paused")
    resource.paused = false
    yield* putRight(site, "active")
  })

const isLook = ({ _tag }: Site["activities"][number]) => _tag === "Look"
/** Completes with the n-th look from now on, at whichever offering. */
const looks = (site: Site, count: number) =>
  Effect.suspend(() => site.awaitActivity(isLook, site.activities.filter(isLook).length + count))

const ownerDifferences = ({ services }: RunningAgent, { uuid }: Resource) =>
  Effect.map(Observations.differences(), (all) =>
    all
      .filter(({ kind, resource }) => kind === "owner" && resource === uuid)
      .map(({ found, subject }) => `${subject}: ${found}`)
  ).pipe(Effect.provide(services))

describe("an administrator of a data centre's group who", () => {
  for (const [how, text] of [
    ...writings,
    ["says that it was adopted by another", ({ uuid }: Resource) => `WALDUR_ADOPTED_BY_UUID="${uuid}"`] as const
  ])
    scenario(`${how} has it billed, paused, changed and ended all the same`, () =>
      Effect.gen(function* () {
        const site = yield* watched()
        const agent = yield* site.start()
        const { resource: lab } = yield* site.order.vdc("lab")
        const { resource: other } = yield* site.order.vdc("other")
        const group = Number(lab.backendId)
        const asAdministrator = yield* administratorOf(site, lab)
        yield* asAdministrator("one.group.update", [group, text(other), 0])
        yield* eventually(() => usages(site)["lab cpu"] === 0.5)
        // One more machine of a core.
        yield* site.cloud.call("one.template.instantiate", [2, "more", true, "", false])
        const more = [...site.cloud.world.vms].find(({ name }) => name === "more")?.id ?? -1
        yield* site.cloud.call("one.vm.chown", [more, -1, group])
        yield* eventually(() => usages(site)["lab cpu"] === 1.5)
        yield* site.cloud.call("one.vm.action", ["terminate-hard", more])

        yield* site.awaitLogged((line) => line.includes("Differs: ") && line.includes(`group ${group}`))
        expect(yield* ownerDifferences(agent, lab)).toEqual([expect.stringContaining(`group ${group}: `)])
        expect(yield* ownerDifferences(agent, other)).toEqual([])
        yield* pausedAndBack(site, lab)
        expect(yield* site.order.updateLimits(lab.uuid, doubled)).toMatchObject({ state: "done", errorMessage: "" })
        expect(yield* site.order.terminate(lab.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        expect(site.cloud.world.groups.find(Number(other.backendId))).toBeDefined()
        expect(yield* site.order.terminate(other.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, ["lab Terminated", "other Terminated"])
      })
    )

  scenario("makes it another's has its tag put back where the policy says so", () =>
    Effect.gen(function* () {
      const site = yield* watched({ owner: "repair" })
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const group = Number(lab.backendId)
      const asAdministrator = yield* administratorOf(site, lab)
      yield* asAdministrator("one.group.update", [group, tags(nobody), 0])
      const tag = () => site.cloud.world.groups.find(group)?.template.get("WALDUR_RESOURCE_UUID")
      yield* eventually(() => tag() === lab.uuid)
      yield* site.awaitLogged((line) => line.includes("Differs no more: "))
      expect(site.logged.filter((line) => line.includes("Differs: "))).toHaveLength(1)
    })
  )
})

describe("an administrator of a data centre's group who writes into a machine, and", () => {
  const others: ReadonlyArray<readonly [string, (site: Site, machine: number, as: As) => Effect.Effect<void>]> = [
    ["leaves it at that", () => Effect.void],
    ["gives it another name", (_, machine, as) => as("one.vm.rename", [machine, "mine"])]
  ]
  for (const [how, text] of writings)
    for (const [what, more] of others)
      scenario(`${how}, and ${what}, has it billed, paused, changed and ended all the same`, () =>
        Effect.gen(function* () {
          const site = yield* watched()
          const agent = yield* site.start()
          const { resource: lab } = yield* site.order.vdc("lab")
          const { resource: box } = yield* site.order.vm("box", lab.backendId)
          const { resource: other } = yield* site.order.vm("other", lab.backendId)
          const machine = Number(box.backendId)
          const asAdministrator = yield* administratorOf(site, lab)
          yield* asAdministrator("one.vm.update", [machine, text(other), 0])
          yield* more(site, machine, asAdministrator)
          yield* site.awaitLogged((line) => line.includes("Differs: ") && line.includes(`VM ${machine}: `))
          expect(yield* ownerDifferences(agent, box)).toEqual([expect.stringContaining(`VM ${machine}: `)])
          expect(yield* ownerDifferences(agent, other)).toEqual([])

          yield* pausedAndBack(site, box)
          expect(site.cloud.world.vms.get(machine)).toMatchObject({ state: VmState.active, lock: undefined })
          expect(yield* site.order.switchToMedium(box.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          yield* eventually(() => usages(site)["box vm_ram_used"] === 1024)
          expect(usages(site)["other vm_ram_used"]).toBe(512)
          expect(yield* site.order.terminate(box.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          expect(site.cloud.world.vms.get(machine).state).toBe(VmState.done)
          expect(site.cloud.world.vms.get(Number(other.backendId)).state).toBe(VmState.active)
        })
      )

  scenario("makes it another's has its tag put back where the policy says so", () =>
    Effect.gen(function* () {
      const site = yield* watched({ owner: "repair" })
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const { resource: box } = yield* site.order.vm("box", lab.backendId)
      const machine = Number(box.backendId)
      const asAdministrator = yield* administratorOf(site, lab)
      yield* asAdministrator("one.vm.update", [machine, tags(nobody), 0])
      yield* eventually(() => site.cloud.world.vms.get(machine).userTemplate.get("WALDUR_RESOURCE_UUID") === box.uuid)
      yield* site.awaitLogged((line) => line.includes("Differs no more: "))
      expect(site.logged.filter((line) => line.includes("Differs: "))).toHaveLength(1)
    })
  )

  /** As Waldur has a machine of an earlier version. */
  const forget = (box: Resource, more: Readonly<Record<string, unknown>> = {}) => {
    const { vm_stime, ...metadata } = box.backendMetadata
    Object.assign(box, { backendMetadata: { ...metadata, ...more } })
  }

  scenario("of a machine that was made by an earlier version is left alone, and the provider hears of it", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const { resource: box } = yield* site.order.vm("box", lab.backendId)
      const asAdministrator = yield* administratorOf(site, lab)
      yield* asAdministrator("one.vm.update", [Number(box.backendId), tags(nobody), 0])
      forget(box)
      yield* site.awaitLogged((line) => line.includes("Differs: ") && line.includes(`belongs to resource ${nobody}`))
      expect(yield* site.order.terminate(box.uuid)).toMatchObject({
        state: "erred",
        errorMessage: expect.stringContaining("left alone: ask the provider")
      })
      expect(site.cloud.world.vms.get(Number(box.backendId)).state).toBe(VmState.active)
      expect(box.backendMetadata.vm_stime).toBeUndefined()
    })
  )

  scenario("of a machine that was made by an earlier version, and had its tag when it was looked at, ends it", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      yield* site.start()
      const { resource: lab } = yield* site.order.vdc("lab")
      const { resource: box } = yield* site.order.vm("box", lab.backendId)
      const { resource: bare } = yield* site.order.vm("bare", lab.backendId)
      const machine = Number(box.backendId)
      const before = { ...box.backendMetadata }
      forget(box, { note: "somebody's" })
      // As of a server that does not show what it has.
      Object.assign(bare, { backendMetadata: {} })
      yield* eventually(() => box.backendMetadata.vm_stime === site.cloud.world.vms.get(machine).stime)
      expect(box.backendMetadata).toEqual({ ...before, note: "somebody's" })
      // Once, however often it is taken away again.
      forget(box)
      yield* looks(site, 10)
      expect(box.backendMetadata.vm_stime).toBeUndefined()
      expect(bare.backendMetadata).toEqual({})
      Object.assign(box, { backendMetadata: before })

      const asAdministrator = yield* administratorOf(site, lab)
      yield* asAdministrator("one.vm.update", [machine, tags(nobody), 0])
      expect(yield* site.order.terminate(box.uuid)).toMatchObject({ state: "done", errorMessage: "" })
      expect(site.cloud.world.vms.get(machine).state).toBe(VmState.done)
    })
  )
})

describe("an administrator of a data centre's group who makes all that is in it another's", () => {
  const all = { vm: "vr_vm_id", vrouter: "vr_id", vn: "vnet_id", secgroup: "sg_id", group: "group_id" } as const
  for (const [how, text] of writings.slice(1))
    scenario(`(and ${how}) has no orphans, nothing to migrate, and machines made in it`, () =>
      Effect.gen(function* () {
        const site = yield* watched()
        const agent = yield* site.start()
        const { resource: lab } = yield* site.order.vdc("lab")
        const { resource: other } = yield* site.order.vdc("other")
        const { resource: box } = yield* site.order.vm("box", lab.backendId)
        const asAdministrator = yield* administratorOf(site, lab)
        const written = text(other)
        yield* asAdministrator("one.vm.update", [Number(box.backendId), written, 0])
        for (const [called, key] of Object.entries(all))
          yield* asAdministrator(`one.${called}.update`, [Number(lab.backendMetadata[key]), written, 0])
        const place = ["-c", site.config.file, "--data-dir", site.dataDir]
        expect(yield* typed("orphans", ...place)).toMatchObject({ out: "There are no orphans.", ok: true })
        expect(yield* typed("migrate", "--dry-run", ...place)).toMatchObject({
          out: expect.not.stringContaining("belongs to"),
          ok: true
        })
        const { resource: more, ...order } = yield* site.order.vm("more", lab.backendId)
        expect(order).toMatchObject({ state: "done", errorMessage: "" })
        const { gid, template } = site.cloud.world.vms.get(Number(more.backendId))
        expect({ gid, network: template.vectors("NIC")[0]?.values.get("NETWORK_ID") }).toEqual({
          gid: Number(lab.backendId),
          network: String(lab.backendMetadata.vnet_id)
        })
        for (const one of [box, more, lab, other])
          expect(yield* site.order.terminate(one.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, [
          "box Terminated",
          "lab Terminated",
          "more Terminated",
          "other Terminated"
        ])
      })
    )
})

describe("an administrator of a data centre's group who writes into what belongs to it", () => {
  const parts = { network: "vn", router: "vrouter", "security group": "secgroup", "router's machine": "vm" } as const
  for (const [part, called] of Object.entries(parts))
    for (const [how, text] of writings)
      scenario(`(its ${part}) and ${how} has nothing left of it at its end`, () =>
        Effect.gen(function* () {
          const site = yield* watched()
          const agent = yield* site.start()
          const { resource: lab } = yield* site.order.vdc("lab")
          const { resource: other } = yield* site.order.vdc("other")
          const { sg_id, vnet_id, vr_id, vr_vm_id } = lab.backendMetadata
          const ids = { vn: vnet_id, vrouter: vr_id, secgroup: sg_id, vm: vr_vm_id }
          const id = Object.entries(ids).find(([kind]) => kind === called)?.[1]
          const asAdministrator = yield* administratorOf(site, lab)
          yield* asAdministrator(`one.${called}.update`, [Number(id), text(other), 0])
          expect(yield* site.order.terminate(lab.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          const left = kinds(site.made())
          expect(left).toEqual(vdcObjects)
          expect(yield* site.order.terminate(other.uuid)).toMatchObject({ state: "done", errorMessage: "" })
          yield* expectNothingLeft(site, agent, ["lab Terminated", "other Terminated"])
        })
      )

  scenario(
    "(its network), makes it another's and takes the group's tags off is not in the way of the other's end",
    () =>
      Effect.gen(function* () {
        const site = yield* watched()
        const agent = yield* site.start()
        const { resource: lab } = yield* site.order.vdc("lab")
        const { resource: other } = yield* site.order.vdc("other")
        const asAdministrator = yield* administratorOf(site, lab)
        yield* asAdministrator("one.vn.update", [Number(lab.backendMetadata.vnet_id), tags(other.uuid), 0])
        yield* asAdministrator("one.group.update", [Number(lab.backendId), 'NOTE="mine"', 0])
        expect(yield* site.order.terminate(other.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        expect(kinds(site.made())).toMatchObject({ group: 1, network: 1, router: 1, vm: 1 })
        expect(yield* site.order.terminate(lab.uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* expectNothingLeft(site, agent, ["lab Terminated", "other Terminated"])
      })
  )
})

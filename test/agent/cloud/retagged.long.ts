/** Tenants who write into what is theirs, long after its order is done, so that nobody bills, pauses or ends it any more. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { VmState } from "../../../src/simulator/opennebula/index.js"
import type { Resource } from "../../../src/simulator/waldur/index.js"
import { eventually } from "../../events/support.js"
import { doubled, expectNothingLeft, type Site } from "../../support/agent.js"
import {
  type As,
  administratorOf,
  looks,
  nobody,
  ownerDifferences,
  pausedAndBack,
  tags,
  twoCentres,
  watched,
  writings
} from "../../support/retagged.js"
import { usageScenario as scenario, usages } from "../../support/usage.js"

describe("an administrator of a data centre's group who", () => {
  for (const [how, text] of [
    ...writings,
    ["says that it was adopted by another", ({ uuid }: Resource) => `WALDUR_ADOPTED_BY_UUID="${uuid}"`] as const
  ])
    scenario(`${how} has it billed, paused, changed and ended all the same`, () =>
      Effect.gen(function* () {
        const { agent, lab, other, site } = yield* twoCentres
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

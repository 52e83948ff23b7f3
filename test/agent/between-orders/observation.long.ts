/** What the agent sees between orders, and does: drift, vanished resources, mending by policy. Both sides simulated, over HTTP. */
import { describe, expect } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import * as Observations from "../../../src/runtime/observation/store.js"
import { single, Template } from "../../../src/simulator/opennebula/world/template.js"
import { fault } from "../../../src/simulator/waldur/calls.js"
import { makeSite, type RunningAgent, type Site, type SiteOptions, scenario } from "../../support/agent.js"
import { addResource } from "../../support/usage.js"

/** Looks are 0.4 s apart. */
const watched = (options: SiteOptions = {}) => makeSite({ ...options, root: { observation_interval: 0.4 } })

/** What the agent has on its list, as "quotas cpu report". */
const listed = ({ services }: RunningAgent) =>
  Effect.map(Observations.differences(), (all) =>
    all.map(({ kind, policy, subject }) => `${kind} ${subject} ${policy}`).toSorted()
  ).pipe(Effect.provide(services))

/** Completes when the list is this. */
const awaitListed = (agent: RunningAgent, wanted: ReadonlyArray<string>) =>
  listed(agent).pipe(
    Effect.repeat({
      until: (found) => JSON.stringify(found) === JSON.stringify(wanted.toSorted()),
      schedule: Schedule.spaced("20 millis")
    }),
    Effect.timeoutFail({ duration: "1 minute", onTimeout: () => "never" }),
    Effect.catchAll(() => Effect.map(listed(agent), (found) => expect(found).toEqual(wanted.toSorted())))
  )

/** One more whole look from now on: it ends with telling Waldur that the resource was seen, or begins after the one in work. */
const aLook = ({ cloud }: Site, times = 2) =>
  Effect.async<void>((resume) => {
    let seen = 0
    const off = cloud.onCall(({ method }) => {
      if (method !== "one.acl.info") return
      seen += 1
      if (seen < times) return
      off()
      resume(Effect.void)
    })
    return Effect.sync(off)
  })

/** The group's limit of a metric of its VM quota. */
const limitOf = ({ cloud }: Site, group: string, metric: string) =>
  cloud.world.groups
    .get(Number(group))
    .quotas.VM.find(({ key }) => key === "")
    ?.limits.get(metric)

const setLimit = ({ cloud }: Site, group: string, metric: string, value: number) => {
  cloud.world.groups
    .get(Number(group))
    .quotas.VM.find(({ key }) => key === "")
    ?.limits.set(metric, value)
}

const count = (lines: ReadonlyArray<string>, text: string) => lines.filter((line) => line.includes(text)).length

describe("a data centre that somebody changed behind Waldur's back", () => {
  scenario("is shown no more when its offering is taken out of the file, and again when it is back", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      const first = yield* site.start()
      const { resource } = yield* site.order.vdc("drifting")
      setLimit(site, resource.backendId, "CPU", 3)
      yield* awaitListed(first, ["quotas cpu report"])
      yield* first.stop
      const without = yield* site.changed((offerings) => offerings.filter(({ name }) => name !== "VDC"))
      const second = yield* site.start("agent", without)
      yield* awaitListed(second, [])
      yield* second.stop
      const back = yield* site.start()
      yield* awaitListed(back, ["quotas cpu report"])
    })
  )

  scenario("is shown once when it happens and once when it is over, and is left as it is", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("drifting")
      yield* aLook(site)
      expect(yield* listed(agent)).toEqual([])

      setLimit(site, resource.backendId, "CPU", 3)
      yield* site.cloud.call("one.vdc.addgroup", [0, Number(resource.backendId)])
      yield* awaitListed(agent, ["quotas cpu report", "isolation VDC 0 report", "isolation all networks report"])
      yield* aLook(site)
      expect(count(site.logged, "Differs: ")).toBe(3)
      expect(site.logged.filter((line) => /is 4 .*in Waldur and 3 .*in the cloud/.test(line))).toHaveLength(1)
      expect(limitOf(site, resource.backendId, "CPU")).toBe(3)

      setLimit(site, resource.backendId, "CPU", 4)
      yield* awaitListed(agent, ["isolation VDC 0 report", "isolation all networks report"])
      yield* site.awaitLogged((line) => line.includes("Differs no more: "))
      expect(count(site.logged, "Differs no more: ")).toBe(1)

      // As OpenNebula does with a call that it carries out only after another try was made in its place.
      const double = yield* site.cloud.call("one.vrouter.allocate", [
        `NAME="late"\nWALDUR_RESOURCE_UUID="${resource.uuid}"`
      ])
      expect(double._tag).toBe("Ok")
      yield* awaitListed(agent, [
        "isolation VDC 0 report",
        "isolation all networks report",
        "owner routers 0, 1 report"
      ])
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      expect([...site.cloud.world.routers]).toEqual([])
    })
  )

  scenario("is put right where the policy says so, by its actor, with a record of it; the rest only shown", () =>
    Effect.gen(function* () {
      const site = yield* watched({
        vdcOffering: { drift: { quotas: "repair", isolation: "repair", state: "repair" } }
      })
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("mended")
      const group = Number(resource.backendId)
      const vmId = [...site.cloud.world.vms].find(({ template }) => template.get("VROUTER_ID") !== undefined)?.id ?? -1
      setLimit(site, resource.backendId, "MEMORY", 100)
      yield* site.cloud.call("one.vdc.addgroup", [0, group])
      yield* site.cloud.call("one.vm.action", ["poweroff", vmId])
      yield* site.awaitLogged((line) => line.includes("Put right: repair quotas"))
      yield* site.awaitLogged((line) => line.includes("Put right: repair isolation"))
      yield* site.awaitLogged((line) => line.includes("Put right: repair state"))
      yield* awaitListed(agent, [])
      expect(limitOf(site, resource.backendId, "MEMORY")).toBe(4096)
      expect(site.cloud.world.vdcs.get(0).groups.has(group)).toBe(false)
      expect(site.cloud.world.vms.get(vmId)).toMatchObject({ state: 3, lcm: 3 })
    })
  )
})

describe("after OpenNebula was put back from a backup, with owners put right by policy", () => {
  const owners = { drift: { owner: "repair" } }
  /** As somebody makes it by hand, who gets the same id. */
  const becomesAStrangers = (object: { name: string }, template: Template) => {
    object.name = "by-hand"
    for (const tag of ["WALDUR_RESOURCE_UUID", "WALDUR_ORDER_UUID"]) template.remove(tag)
  }

  scenario("a stranger's machine with the number of one of ours gets no tag, and is not ended with ours", () =>
    Effect.gen(function* () {
      const site = yield* watched({ vmOffering: owners })
      const agent = yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("around")
      const { resource } = yield* site.order.vm("ours", vdc.backendId)
      const vm = site.cloud.world.vms.get(Number(resource.backendId))
      becomesAStrangers(vm, vm.userTemplate)
      // Made since the backup was taken: ours was made before.
      vm.stime += 3600
      yield* awaitListed(agent, [`owner VM ${vm.id} report`])
      yield* site.awaitLogged(
        (line) => line.includes("Differs: ") && line.includes("It is not called as this resource is")
      )
      yield* aLook(site)
      expect(vm.userTemplate.get("WALDUR_RESOURCE_UUID")).toBe(undefined)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("erred")
      expect(vm.state).toBe(3)

      // One that only has lost its tag gets it again.
      vm.name = resource.slug
      yield* site.awaitLogged((line) => line.includes("Put right: repair owner"))
      expect(vm.userTemplate.get("WALDUR_RESOURCE_UUID")).toBe(resource.uuid)
    })
  )

  scenario("a stranger's group with the number of a data centre of ours gets no tag", () =>
    Effect.gen(function* () {
      const site = yield* watched({ vdcOffering: owners })
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("ours")
      const group = site.cloud.world.groups.get(Number(resource.backendId))
      const { name } = group
      becomesAStrangers(group, group.template)
      yield* awaitListed(agent, [`owner group ${group.id} report`])
      yield* aLook(site)
      expect(group.template.get("WALDUR_RESOURCE_UUID")).toBe(undefined)

      group.name = name
      yield* site.awaitLogged((line) => line.includes("Put right: repair owner"))
      expect(group.template.get("WALDUR_RESOURCE_UUID")).toBe(resource.uuid)
    })
  )
})

describe("a Waldur that does not let the agent say that it saw a resource", () => {
  scenario("has its orders carried out all the same", () =>
    Effect.gen(function* () {
      const site = yield* watched({
        vdcSettings: { external_network_id: undefined, virtual_router_template_id: undefined }
      })
      yield* site.cloud.call("one.group.allocate", ["seen"])
      addResource(site, "seen", "100")
      site.marketplace.intercept(({ path }) =>
        path.endsWith("/refresh_last_sync/") ? fault.status(403, '{"detail": "No permission."}') : undefined
      )
      yield* site.start()
      yield* site.awaitLogged((line) => line.includes("is not told that resources were seen"))
      yield* site.order.vdc("ordered")
      expect(site.logged.filter((line) => line.includes("Cannot look at resources"))).toEqual([])
    })
  )
})

describe("a password that an earlier agent left in clear", () => {
  const plain = { external_network_id: undefined, virtual_router_template_id: undefined }
  const leave = (site: Site, account: string) => {
    const user = site.cloud.world.users.byName(account)
    if (user === undefined) throw new Error(`there is no user ${account}`)
    user.template.merge(new Template([single("WALDUR_PASSWORD", "in-clear")]))
    return user
  }

  scenario("is on the list, with the command that removes it and without the password", () =>
    Effect.gen(function* () {
      const site = yield* watched({ vdcSettings: plain })
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("old")
      const account = String(resource.backendMetadata.opennebula_username)
      const user = leave(site, account)
      yield* awaitListed(agent, [`passwords user ${account} report`])
      // It is listed first.
      yield* site.awaitLogged(
        (line) =>
          line.includes("Differs: ") && line.includes(`site-actors reset-password --remove-stored ${resource.uuid}`)
      )
      yield* aLook(site)
      expect(user.template.get("WALDUR_PASSWORD")).toBe("in-clear")
      expect(site.logged.some((line) => line.includes("in-clear"))).toBe(false)
    })
  )

  scenario("is removed where the policy says so, and stays valid", () =>
    Effect.gen(function* () {
      const site = yield* watched({ vdcSettings: plain, vdcOffering: { drift: { passwords: "repair" } } })
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("old")
      const user = leave(site, String(resource.backendMetadata.opennebula_username))
      const hash = user.passwordHash
      yield* site.awaitLogged((line) => line.includes("Put right: repair passwords"))
      yield* awaitListed(agent, [])
      expect(user.template.toXml()).not.toContain("in-clear")
      expect(user.passwordHash).toBe(hash)
    })
  )
})

describe("a machine that vanished", () => {
  scenario(
    "is missed twice before it is set as erred in Waldur, is set as OK when it is back, and not missed while OpenNebula is away",
    () =>
      Effect.gen(function* () {
        const site = yield* watched()
        yield* site.start()
        const parent = yield* site.order.vdc("home")
        const { resource } = yield* site.order.vm("lost", parent.resource.backendId)
        expect(resource.state).toBe("OK")

        site.cloud.intercept(() => ({ _tag: "Drop", when: "before" }))
        yield* site.awaitLogged((line) => line.includes("is away"))
        site.cloud.intercept(undefined)
        yield* site.awaitLogged((line) => line.includes("answers again"))
        yield* aLook(site)
        expect(count(site.logged, "Vanished")).toBe(0)

        const vm = site.cloud.world.vms.get(Number(resource.backendId))
        yield* site.cloud.call("one.vm.recover", [vm.id, 3])
        yield* site.marketplace.awaitResource(resource.uuid, ({ state }) => state === "Erred")
        yield* site.awaitLogged((line) => line.includes("Vanished from the cloud"))

        // Somebody brings it back from a backup: another id, the same tags.
        const tags = ["WALDUR_RESOURCE_UUID", "WALDUR_ORDER_UUID"].map(
          (name) => `${name}="${vm.userTemplate.get(name)}"`
        )
        yield* site.cloud.call("one.template.instantiate", [2, "restored", false, tags.join("\n"), false])
        yield* site.marketplace.awaitResource(resource.uuid, ({ state }) => state === "OK")
        yield* site.awaitLogged((line) => line.includes("Back in the cloud"))
        expect([count(site.logged, "Vanished from the cloud"), count(site.logged, "Back in the cloud")]).toEqual([1, 1])
      })
  )
})

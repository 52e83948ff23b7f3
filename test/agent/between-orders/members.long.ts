/** Members of projects, as users of OpenNebula itself: the whole agent between two simulators. */
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Schedule } from "effect"
import { makeSite, type Site, type SiteOptions, scenario } from "../../support/agent.js"

const withMembers = (more: SiteOptions = {}) =>
  makeSite({
    ...more,
    root: { membership_sync_interval: 0.2, ...more.root },
    vdcOffering: { membership_sync_backend: "opennebula" },
    // Without a network: members do not mind, and the tests are quicker.
    vdcSettings: {
      external_network_id: undefined,
      virtual_router_template_id: undefined,
      role_mapping: { admin: "admin" },
      ...more.vdcSettings
    }
  })

/** Waits for what a later round brings about. */
const eventually = (what: string, isSo: () => boolean): Effect.Effect<void, Error> =>
  Effect.sync(isSo).pipe(
    Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({ duration: "2 minutes", onTimeout: () => new Error(`never came: ${what}`) }),
    Effect.asVoid
  )

const users = ({ cloud }: Site) => [...cloud.world.users]
const userNamed = (site: Site, name: string) => users(site).find((user) => user.name === name)
const groupOf = ({ cloud }: Site, id: number) => cloud.world.groups.find(id)
/** Who is in the group and may log in, without the tenant's own user. */
const membersOf = (site: Site, group: number): ReadonlyArray<string> =>
  users(site)
    .filter((user) => user.groups.has(group) && user.enabled && !user.name.endsWith("_admin"))
    .map(({ name }) => name)
    .sort()

const ordered = (site: Site, name: string) =>
  Effect.map(site.order.vdc(name), ({ resource }) => ({ resource, group: Number(resource.backendId) }))

const person = (site: Site, username: string, role: "PROJECT.ADMIN" | "PROJECT.MEMBER" = "PROJECT.MEMBER") => {
  const user = site.marketplace.addUser({ username, fullName: username })
  site.marketplace.addProjectRole(user, site.world.project, role)
  return user
}
const waldurUser = ({ marketplace }: Site, username: string) => {
  const found = [...marketplace.world.users.values()].find((user) => user.username === username)
  if (found === undefined) throw new Error(`Waldur has no user ${username}`)
  return found
}

/** What Waldur keeps for them at the offering of data centres. */
const accountOf = (site: Site, username: string) =>
  site.marketplace.addOfferingUser({ offering: site.world.vdcOffering, user: waldurUser(site, username) })

const isLookAtOrders = (line: string): boolean =>
  line.includes("GET marketplace-orders/  ok") && line.includes("offering=VDC")

describe("A member of the project's team", () => {
  scenario(
    "does not get another data centre's user as an account, whatever that one's tenant has written into it",
    () =>
      Effect.gen(function* () {
        const site = yield* withMembers()
        yield* site.start()
        const { resource, group: alpha } = yield* ordered(site, "alpha")
        const { group: beta } = yield* ordered(site, "beta")
        const { opennebula_password, opennebula_username } = resource.backendMetadata
        const tenant = userNamed(site, String(opennebula_username))
        const carol = site.marketplace.addUser({ username: "carol", fullName: "carol" })
        const by = `${String(opennebula_username)}:${String(opennebula_password)}`
        const written = `WALDUR_USER_UUID="${carol.uuid}"`
        expect(yield* site.cloud.call("one.user.update", [tenant?.id ?? -1, written, 1], by)).toMatchObject({
          _tag: "Ok"
        })
        site.marketplace.addProjectRole(carol, site.world.project, "PROJECT.MEMBER")
        yield* eventually("carol joins", () =>
          [alpha, beta].every((group) => membersOf(site, group).join() === "alice,bob,carol")
        )
        expect(tenant).toMatchObject({ enabled: true, gid: alpha, groups: new Set([alpha]) })
      })
  )

  scenario(
    "gets an account in the group, with SSH keys, and loses access when leaving; a VDC ends with its members in it",
    () =>
      Effect.gen(function* () {
        const site = yield* withMembers()
        const agent = yield* site.start()
        const { resource, group } = yield* ordered(site, "lab")
        const offeringUser = accountOf(site, "alice")
        yield* eventually("alice and bob join", () => membersOf(site, group).join() === "alice,bob")
        yield* eventually(
          "Waldur knows the name",
          () => offeringUser.username === "alice" && offeringUser.state === "OK"
        )
        expect(userNamed(site, "alice")?.template.toXml()).toContain("ssh-ed25519 AAAA")
        expect(groupOf(site, group)?.admins.has(userNamed(site, "alice")?.id ?? -1)).toBe(true)

        site.marketplace.world.users.delete(waldurUser(site, "bob").uuid)
        yield* eventually("bob leaves", () => userNamed(site, "bob")?.gid === 1)
        expect(userNamed(site, "bob")).toMatchObject({ enabled: false, gid: 1 })

        yield* site.order.terminate(resource.uuid)
        expect(groupOf(site, group)).toBeUndefined()
        expect(userNamed(site, "alice")).toMatchObject({ enabled: false })
        yield* agent.stop
      })
  )

  scenario("gets in as soon as the data centre is done, long before the next round, and without any event", () =>
    Effect.gen(function* () {
      const site = yield* withMembers({ root: { membership_sync_interval: 3600 } })
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      yield* eventually("both join", () => membersOf(site, group).join() === "alice,bob")
      const { group: next } = yield* ordered(site, "next")
      yield* eventually("both join the next one", () => membersOf(site, next).join() === "alice,bob")
    })
  )

  scenario("is still being given an account when the data centre is terminated, which waits for that", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      yield* site.start()
      const [made, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let accounts = 0
      // The first is the tenant's own. Of the second nobody knows yet whose it is: its tag is the next call.
      site.cloud.intercept(({ method }) => {
        if (method !== "one.user.allocate" || ++accounts !== 2) return undefined
        Deferred.unsafeDone(made, Effect.void)
        return { _tag: "Hold", when: "after", until: Deferred.await(goOn) }
      })
      const { resource, group } = yield* ordered(site, "lab")
      yield* Deferred.await(made)
      const terminate = yield* site.place.terminate(resource.uuid)
      const seen = site.logged.filter(isLookAtOrders).length
      yield* site.awaitLogged(isLookAtOrders, seen + 3)
      expect(site.logged.filter((line) => line.includes(`order=${terminate}`))).toEqual([])
      yield* Deferred.succeed(goOn, undefined)
      expect((yield* site.marketplace.awaitOrderEnd(terminate)).state).toBe("done")
      expect(groupOf(site, group)).toBeUndefined()
      expect(userNamed(site, "alice")).toMatchObject({ enabled: false })
    })
  )

  scenario("keeps one account in two data centres, and is disabled only when the last is gone", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      yield* site.start()
      const one = yield* ordered(site, "one")
      const two = yield* ordered(site, "two")
      yield* eventually("both groups have alice", () =>
        [one, two].every(({ group }) => membersOf(site, group).includes("alice"))
      )
      expect(users(site).filter(({ name }) => name.startsWith("alice")).length).toBe(1)
      yield* site.order.terminate(one.resource.uuid)
      expect(userNamed(site, "alice")).toMatchObject({ enabled: true, gid: two.group })
      yield* site.order.terminate(two.resource.uuid)
      expect(userNamed(site, "alice")).toMatchObject({ enabled: false })
    })
  )

  scenario("nobody has access to a resource that Waldur has closed to its team", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      yield* site.start()
      const { resource, group } = yield* ordered(site, "closed")
      yield* eventually("alice and bob join", () => membersOf(site, group).join() === "alice,bob")
      resource.restrictMemberAccess = true
      yield* eventually("all are out", () => membersOf(site, group).length === 0)
      resource.restrictMemberAccess = false
      yield* eventually("all are back", () => membersOf(site, group).join() === "alice,bob")
    })
  )

  /** Source: waldur-mastermind, marketplace/views.py, `update_restricted`; the Python agent asks for `is_restricted=false` accounts alone. */
  scenario("has no access while the provider restricts it, whatever the team says", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      const account = accountOf(site, "bob")
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      yield* eventually("both join", () => membersOf(site, group).join() === "alice,bob")
      account.restricted = true
      yield* eventually("bob is out", () => membersOf(site, group).join() === "alice")
      account.restricted = false
      yield* eventually("bob is back", () => membersOf(site, group).join() === "alice,bob")
    })
  )

  /** Source: waldur-mastermind, marketplace/views.py (states and what each allows); waldur-site-agent, docs/offering-users.md (2026). */
  scenario("whose account Waldur wants gone is taken out, and Waldur told so; coming back makes it anew", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      const account = accountOf(site, "bob")
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      yield* eventually("both join", () => membersOf(site, group).join() === "alice,bob" && account.state === "OK")
      const told = () =>
        site.marketplace.calls.flatMap(
          ({ path }) => /marketplace-offering-users\/.*\/(set_\w+)\/$/.exec(path)?.[1] ?? []
        )
      account.state = "Requested deletion"
      yield* eventually("Waldur is told", () => account.state === "Deleted")
      expect(membersOf(site, group)).toEqual(["alice"])
      expect(told()).toEqual(["set_deleting", "set_deleted"])
      account.state = "Requested"
      yield* eventually("bob is back", () => membersOf(site, group).join() === "alice,bob" && account.state === "OK")
    })
  )

  scenario("who cannot be given an account reads why in Waldur", () =>
    Effect.gen(function* () {
      const site = yield* withMembers({ vdcSettings: { default_user_role: "captain" } })
      const account = accountOf(site, "bob")
      yield* site.start()
      yield* ordered(site, "lab")
      yield* eventually("Waldur has heard", () => account.state === "Error creating" && account.comment !== "")
      expect(account.comment).toContain('there is no role "captain" among vdc_roles')
    })
  )

  scenario("is given another name when a user of that name is not ours, who is left alone", () =>
    Effect.gen(function* () {
      const site = yield* withMembers({
        prepare: (cloud) =>
          Effect.sync(() => {
            const world = cloud.world
            const serveradmin = world.users.byName("serveradmin")
            if (serveradmin === undefined) throw new Error("the lab has a serveradmin")
            world.users.add((id) => ({ ...serveradmin, id, name: "bob", gid: 1, groups: new Set([1]), enabled: false }))
          })
      })
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      const uuid = waldurUser(site, "bob").uuid
      yield* eventually("bob joins by another name", () => membersOf(site, group).includes(`bob-${uuid.slice(0, 8)}`))
      expect(userNamed(site, "bob")).toMatchObject({ enabled: false, gid: 1 })
      expect([...(userNamed(site, "bob")?.groups ?? [])]).toEqual([1])
    })
  )

  scenario("becomes administrator of the group with the role, and stops being one", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      const isAdmin = () => groupOf(site, group)?.admins.has(userNamed(site, "carol")?.id ?? -1) === true
      const carol = person(site, "carol")
      yield* eventually("carol joins", () => membersOf(site, group).includes("carol"))
      expect(isAdmin()).toBe(false)
      site.marketplace.removeRoles(carol, site.world.project)
      site.marketplace.addProjectRole(carol, site.world.project, "PROJECT.ADMIN")
      yield* eventually("carol is administrator", isAdmin)
      site.marketplace.removeRoles(carol, site.world.project)
      site.marketplace.addProjectRole(carol, site.world.project, "PROJECT.MEMBER")
      yield* eventually("carol is none any more", () => !isAdmin())
    })
  )
})

describe("A team that cannot be read, or reads otherwise a moment later,", () => {
  const teamPath = /\/team\/$/

  scenario("takes nobody out", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      yield* site.start()
      const { group } = yield* ordered(site, "lab")
      yield* eventually("both join", () => membersOf(site, group).join() === "alice,bob")
      const rounds = () => site.marketplace.calls.filter(({ path }) => teamPath.test(path)).length

      const answers: ReadonlyArray<string> = ["[]", '[{"uuid": "not a uuid"}]', "<html>maintenance</html>"]
      for (const body of answers) {
        let first = true
        const off = site.marketplace.intercept(({ path }) => {
          if (!teamPath.test(path)) return undefined
          const empty = body === "[]" && !first
          first = !first
          return empty ? undefined : { _tag: "Garbage", body }
        })
        const before = rounds()
        yield* eventually("some rounds", () => rounds() > before + 4)
        off()
        expect(membersOf(site, group)).toEqual(["alice", "bob"])
      }
      const off = site.marketplace.intercept(({ path }) =>
        teamPath.test(path) ? { _tag: "Status", status: 404 } : undefined
      )
      const before = rounds()
      yield* eventually("some rounds", () => rounds() > before + 4)
      off()
      expect(membersOf(site, group)).toEqual(["alice", "bob"])

      // Really empty: both looks say so.
      for (const name of ["alice", "bob"]) site.marketplace.removeRoles(waldurUser(site, name), site.world.project)
      yield* eventually("everybody leaves", () => membersOf(site, group).length === 0)
    })
  )
})

describe("130 members", () => {
  scenario("all get in, also when the agent is stopped in the middle", () =>
    Effect.gen(function* () {
      const site = yield* withMembers()
      const first = yield* site.start()
      const { group } = yield* ordered(site, "lab")
      for (let index = 0; index < 128; index++) person(site, `student${String(index).padStart(3, "0")}`)
      yield* eventually("some are in", () => membersOf(site, group).length > 20)
      yield* first.stop
      const half = membersOf(site, group).length
      expect(half).toBeLessThan(130)
      const second = yield* site.start("second")
      yield* eventually("all are in", () => membersOf(site, group).length === 130)
      // Alice, Bob, 128 students, the tenant's own user, and those that were there before.
      expect(users(site).filter(({ groups }) => groups.has(group)).length).toBe(131)
      yield* second.stop
    })
  )
})

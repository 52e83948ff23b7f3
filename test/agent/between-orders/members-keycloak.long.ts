/** Members of projects, by Keycloak and SAML: the whole agent between three simulators. */
import { readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber, Option, Schedule } from "effect"
import { parse } from "yaml"
import { listen } from "../../../src/runtime/http/serve.js"
import { onCopy, planOffering } from "../../../src/runtime/plan/plan.js"
import * as Keycloak from "../../../src/simulator/keycloak/index.js"
import { single, Template } from "../../../src/simulator/opennebula/world/template.js"
import { afterCall, expectNothingLeft, kinds, makeSite, type Site, scenario } from "../../support/agent.js"

const makeKeycloak = Effect.gen(function* () {
  const served = yield* Keycloak.serve()
  const realm = Keycloak.addRealm(served.world, "cloud")
  for (const username of ["alice", "bob"]) Keycloak.addUser(served.world, realm, { username })
  return { ...served, realm }
})
type Identity = Effect.Effect.Success<typeof makeKeycloak>

/** The members do not mind, and the tests are quicker. */
const withoutNetwork = { external_network_id: undefined, virtual_router_template_id: undefined }

const withKeycloak = (identity: Pick<Identity, "url">, more: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const mapping = `${folder}/keycloak_groups.yaml`
    yield* fs.writeFileString(mapping, "/somebody/else: 7\n")
    const site = yield* makeSite({
      root: { membership_sync_interval: 0.2 },
      vdcOffering: { membership_sync_backend: "opennebula" },
      vdcSettings: {
        ...withoutNetwork,
        keycloak_enabled: true,
        keycloak: {
          keycloak_url: `${identity.url}/`,
          keycloak_realm: "cloud",
          keycloak_username: "admin",
          keycloak_password: "admin-test-pw"
        },
        saml_mapping_file: mapping,
        role_mapping: { admin: "admin" },
        ...more
      }
    })
    return { site, mapped: (): Readonly<Record<string, number>> => parse(readFileSync(mapping, "utf8")) ?? {} }
  })

const eventually = (what: string, isSo: () => boolean): Effect.Effect<void, Error> =>
  Effect.sync(isSo).pipe(
    Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({ duration: "1 minute", onTimeout: () => new Error(`never came: ${what}`) }),
    Effect.asVoid
  )

/** Path -> members: `{ "/vdc_lab/user": ["bob"] }`, without empty ones. */
const inGroups = ({ realm }: Identity): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(
    [...realm.groups.values()]
      .filter(({ members }) => members.size > 0)
      .map((group) => [Keycloak.pathOf(group), [...group.members].map(({ username }) => username).sort()])
  )
const waldurUser = ({ marketplace }: Site, username: string) => {
  const found = [...marketplace.world.users.values()].find((user) => user.username === username)
  if (found === undefined) throw new Error(`Waldur has no user ${username}`)
  return found
}

describe("With Keycloak, a data centre", () => {
  scenario("comes with groups for each role, whose members follow the team, and goes without leaving any", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site, mapped } = yield* withKeycloak(identity)
      const agent = yield* site.start()
      const { resource, state } = yield* site.order.vdc("Lab")
      expect(state).toBe("done")
      const slug = site.cloud.world.groups.find(Number(resource.backendId))?.name ?? ""
      const roles = ["admins", "users", "cloud"].map((suffix) => site.cloud.world.groups.byName(`${slug}-${suffix}`))
      expect(mapped()).toEqual({
        "/somebody/else": 7,
        [`/vdc_${slug}/admin`]: roles[0]?.id,
        [`/vdc_${slug}/user`]: roles[1]?.id,
        [`/vdc_${slug}/cloud`]: roles[2]?.id
      })
      const xml = roles[0]?.template.toXml()
      expect(xml).toContain(`<SAML_GROUP><![CDATA[/vdc_${slug}/admin]]></SAML_GROUP>`)
      expect(xml).toContain("<VIEWS><![CDATA[groupadmin,user,cloud]]></VIEWS>")
      yield* eventually(
        "alice and bob are in",
        () =>
          JSON.stringify(inGroups(identity)) ===
          JSON.stringify({ [`/vdc_${slug}/admin`]: ["alice"], [`/vdc_${slug}/user`]: ["bob"] })
      )

      // The display name is the customer's; the groups keep theirs.
      resource.name = "Another name"
      site.marketplace.removeRoles(waldurUser(site, "alice"), site.world.project)
      site.marketplace.addProjectRole(waldurUser(site, "alice"), site.world.project, "PROJECT.MEMBER")
      yield* eventually("alice is a user", () => inGroups(identity)[`/vdc_${slug}/user`]?.join() === "alice,bob")
      yield* eventually("and no admin", () => inGroups(identity)[`/vdc_${slug}/admin`] === undefined)
      site.marketplace.removeRoles(waldurUser(site, "bob"), site.world.project)
      yield* eventually("bob left", () => inGroups(identity)[`/vdc_${slug}/user`]?.join() === "alice")
      expect([...identity.realm.groups.values()].filter(({ parent }) => parent === undefined).length).toBe(1)

      yield* site.order.terminate(resource.uuid)
      expect(identity.realm.groups.size).toBe(0)
      expect(mapped()).toEqual({ "/somebody/else": 7 })
      yield* expectNothingLeft(site, agent, ["Another name Terminated"])
    })
  )

  scenario("gives its roles the limits that it has, also after a change", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site } = yield* withKeycloak(identity)
      yield* site.start()
      const { resource } = yield* site.order.vdc("lab")
      const slug = site.cloud.world.groups.find(Number(resource.backendId))?.name ?? ""
      const limits = () =>
        ["", "-admins", "-users", "-cloud"].map((ending) => {
          const quotas = site.cloud.world.groups.byName(`${slug}${ending}`)?.quotas
          const machines = quotas?.VM.find(({ key }) => key === "")?.limits ?? []
          const images = quotas?.DATASTORE.find(({ key }) => key === "1")?.limits ?? []
          return JSON.stringify([...machines, ...images])
        })

      expect(new Set(limits()).size).toBe(1)
      const before = limits()[0]
      yield* site.order.updateLimits(resource.uuid, { cpu: 8, ram: 8192, storage: 40960, floating_ip: 4 })
      expect(new Set(limits()).size).toBe(1)
      expect(limits()[0]).not.toBe(before)
      expect(kinds(site.made()).group).toBe(4)
    })
  )

  scenario("is finished after a restart in the middle, with each group once", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site, mapped } = yield* withKeycloak(identity)
      const first = yield* site.start()
      let groups = 0
      const second = yield* Effect.fork(
        afterCall(site, ({ method }) => method === "one.group.allocate" && ++groups === 3)
      )
      const order = yield* site.place.vdc("lab")
      yield* Fiber.join(second)
      yield* first.stop
      yield* site.start("second")
      const { state, resource } = yield* site.marketplace.awaitOrderEnd(order)
      expect(state).toBe("done")
      expect(identity.realm.groups.size).toBe(4)
      expect(kinds(site.made()).group).toBe(4)
      expect(Object.keys(mapped()).length).toBe(4)
      expect(site.cloud.world.groups.find(Number(resource.backendId))?.name).toBe("lab-1")
    })
  )

  scenario(
    "of the Python agent is taken over as it is, and ends with the accounts of logins that have no other group",
    () =>
      Effect.gen(function* () {
        const identity = yield* makeKeycloak
        const { site } = yield* withKeycloak(identity)
        const agent = yield* site.start()
        const { resource } = yield* site.order.vdc("lab")
        yield* eventually("bob is in", () => inGroups(identity)["/vdc_lab-1/user"]?.join() === "bob")
        // As that agent leaves them: no owner anywhere.
        const [parent] = [...identity.realm.groups.values()]
        const users = site.cloud.world.groups.byName("lab-1-users")
        if (parent === undefined || users === undefined) throw new Error("the groups are there")
        const owner = parent.attributes.WALDUR_RESOURCE_UUID
        const tag = () => users.template.toXml().includes(`<WALDUR_ACCESS_OF><![CDATA[${resource.uuid}]]>`)
        expect(tag()).toBe(true)
        users.template.merge(new Template([single("WALDUR_ACCESS_OF", "")]))
        parent.attributes = { managed_by: ["waldur-site-agent"] }
        yield* eventually(
          "they say whose they are",
          () => tag() && parent.attributes.WALDUR_RESOURCE_UUID !== undefined
        )
        expect(parent.attributes.WALDUR_RESOURCE_UUID).toEqual(owner)
        expect(identity.realm.groups.size).toBe(4)

        const oneadmin = site.cloud.world.users.get(0)
        site.cloud.world.users.add((id) => ({
          ...oneadmin,
          id,
          name: "bob@login",
          authDriver: "saml",
          gid: users.id,
          groups: new Set([users.id])
        }))
        yield* site.order.terminate(resource.uuid)
        yield* expectNothingLeft(site, agent, ["lab Terminated"])
      })
  )

  scenario("whose order fails leaves nothing in Keycloak, in OpenNebula or in the mapping file", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site, mapped } = yield* withKeycloak(identity)
      const agent = yield* site.start()
      // Somebody else's group of the name of the last role.
      const slug = "lab-1"
      site.cloud.world.groups.add((id) => {
        const users = site.cloud.world.groups.get(1)
        return { ...users, id, name: `${slug}-cloud`, users: new Set(), admins: new Set() }
      })
      const { state, errorMessage } = yield* site.order.vdc("lab")
      expect(state).toBe("erred")
      expect(errorMessage).toContain("already has a group named")
      expect(identity.realm.groups.size).toBe(0)
      expect(mapped()).toEqual({ "/somebody/else": 7 })
      yield* agent.stop
    })
  )

  scenario("does not take a group of Keycloak that is somebody else's", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site } = yield* withKeycloak(identity)
      yield* site.start()
      const theirs = Keycloak.addGroup(identity.realm, "vdc_lab-1")
      const { state } = yield* site.order.vdc("lab")
      expect(state).toBe("erred")
      expect([...identity.realm.groups.values()]).toEqual([theirs])
    })
  )
})

describe("A plan", () => {
  scenario("says what would be made in Keycloak and in the mapping file, and makes nothing", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site, mapped } = yield* withKeycloak(identity)
      yield* site.place.vdc("planned")
      const offering = site.config.offerings[0]
      if (offering === undefined) throw new Error("the site has an offering")
      const [order] = yield* planOffering(offering, Option.none()).pipe(
        Effect.scoped,
        Effect.provide(onCopy(site.dataDir, false))
      )
      expect(order).toMatchObject({ outcome: "done" })
      const calls = order?.calls.map(({ system, call, about }) => `${system} ${call} ${about}`) ?? []
      expect(calls).toContainEqual(expect.stringMatching(/^keycloak create group vdc_planned-1$/))
      expect(calls).toContainEqual(expect.stringMatching(/^keycloak create group cloud in <group 1>$/))
      expect(calls.filter((call) => call.startsWith("file write"))).toHaveLength(1)
      expect(identity.realm.groups.size).toBe(0)
      expect(mapped()).toEqual({ "/somebody/else": 7 })
      expect(site.made()).toEqual([])
    })
  )
})

describe("While Keycloak is away, or refuses the agent,", () => {
  scenario("orders wait, members stay as they are, readiness says so, and all goes on when it answers", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site } = yield* withKeycloak(identity)
      const agent = yield* site.start()
      yield* site.order.vdc("one")
      yield* eventually("bob is in", () => Object.values(inGroups(identity)).flat().includes("bob"))
      identity.world.fault = () => ({ _tag: "Cut" })
      const before = JSON.stringify(inGroups(identity))
      site.marketplace.removeRoles(waldurUser(site, "bob"), site.world.project)
      const order = yield* site.place.vdc("two")
      yield* site.awaitLogged((line) => line.includes("stay as they are") && line.includes("Keycloak"))
      expect(JSON.stringify(inGroups(identity))).toBe(before)
      expect(site.marketplace.orders.get(order)?.state).not.toBe("erred")

      yield* site.awaitLogged((line) => line.includes(`${identity.url}/ is away: 5 failures in a row`))
      const url = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))
      const ready = yield* Effect.promise(() => fetch(`${url}/readyz`).then((response) => response.json()))
      expect(ready).toMatchObject({
        offerings: [
          { name: "VDC", ready: false, backend: { status: "down", reason: expect.stringContaining(identity.url) } },
          { name: "VM", ready: true }
        ]
      })
      identity.world.fault = () => undefined
      const ended = yield* site.marketplace.awaitOrderEnd(order)
      expect(ended.state).toBe("done")
      yield* eventually("bob is out", () => !Object.values(inGroups(identity)).flat().includes("bob"))
    })
  )

  scenario("wrong credentials stop the offering with a sentence that says what to change, and no order errs", () =>
    Effect.gen(function* () {
      const identity = yield* makeKeycloak
      const { site } = yield* withKeycloak(identity)
      const administrator = [...(identity.world.realms.get("master")?.users.values() ?? [])][0]
      if (administrator === undefined) throw new Error("the master realm has an administrator")
      administrator.password = "another"
      yield* site.start()
      const order = yield* site.place.vdc("lab")
      yield* site.awaitLogged((line) => line.includes("Keycloak does not accept the credentials"))
      expect(site.logged.some((line) => line.includes("admin-test-pw"))).toBe(false)
      expect(["pending-provider", "executing"]).toContain(site.marketplace.orders.get(order)?.state)
      administrator.password = "admin-test-pw"
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
    })
  )
})

/** `site-actors reset-password` and `site-actors members`, as commands, between the simulators. */
import { Command } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect } from "@effect/vitest"
import { Console, Effect } from "effect"
import { members } from "../../../src/runtime/cli/commands/members.js"
import { resetPassword } from "../../../src/runtime/cli/commands/reset-password.js"
import { single, Template } from "../../../src/simulator/opennebula/world/template.js"
import { makeSite, type Site, scenario } from "../../support/agent.js"

/** What a command prints. */
const printed = (site: Site, ...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const plain = yield* Console.consoleWith(Effect.succeed)
    const heard = {
      ...plain,
      log: (...parts: ReadonlyArray<unknown>) => Effect.sync(() => lines.push(parts.join(" ")))
    }
    const cli = Command.run(Command.make("site-actors").pipe(Command.withSubcommands([members, resetPassword])), {
      name: "Site Actors",
      version: "0"
    })
    const [command = "", ...others] = words
    yield* cli(["node", "site-actors", command, "-c", site.file, ...others]).pipe(
      Effect.withConsole(heard),
      Effect.provide(NodeContext.layer)
    )
    return lines.join("\n")
  })

const site = makeSite({
  root: { membership_sync_interval: 86_000 },
  vdcOffering: { membership_sync_backend: "opennebula" },
  vdcSettings: { external_network_id: undefined, virtual_router_template_id: undefined }
})
const hashOf = ({ cloud }: Site, name: string): string | undefined => cloud.world.users.byName(name)?.passwordHash

describe("A password", () => {
  scenario("is renewed and shown in Waldur, with what else is shown there, and nowhere else", () =>
    Effect.gen(function* () {
      const here = yield* site
      const agent = yield* here.start()
      const { resource } = yield* here.order.vdc("lab")
      const account = String(resource.backendMetadata.opennebula_username)
      const [before, shownBefore] = [hashOf(here, account), resource.backendMetadata.opennebula_password]
      const said = yield* printed(here, "reset-password", "lab")
      const shown = String(resource.backendMetadata.opennebula_password)
      expect(hashOf(here, account)).not.toBe(before)
      expect(shown).not.toBe(shownBefore)
      expect(said).not.toContain(shown)
      expect(resource.backendMetadata.group_id).toBe(Number(resource.backendId))
      expect(here.cloud.world.users.byName(account)?.template.toXml()).not.toContain(shown)

      const alone = yield* printed(here, "reset-password", "--print", resource.uuid.slice(0, 10))
      expect(alone).toMatch(new RegExp(`^${account} [\\w-]{24}$`))
      expect(String(resource.backendMetadata.opennebula_password)).toBe(shown)

      const nobody = yield* Effect.flip(printed(here, "reset-password", "no such thing"))
      expect(String(nobody)).toContain("has a resource")
      yield* agent.stop
    })
  )

  scenario("of a data centre's user is that one's, whatever another's has written into its template", () =>
    Effect.gen(function* () {
      const here = yield* site
      const agent = yield* here.start()
      const [other, lab] = [(yield* here.order.vdc("other")).resource, (yield* here.order.vdc("lab")).resource]
      const [forger, own] = [other, lab].map(({ backendMetadata }) => String(backendMetadata.opennebula_username))
      const written = here.cloud.world.users.byName(forger ?? "")?.template
      written?.merge(new Template([single("WALDUR_RESOURCE_UUID", lab.uuid)]))
      here.cloud.world.users.byName(own ?? "")?.template.remove("WALDUR_RESOURCE_UUID")
      const before = hashOf(here, forger ?? "")
      expect(yield* printed(here, "reset-password", "--print", lab.uuid)).toMatch(new RegExp(`^${own} `))
      expect(hashOf(here, forger ?? "")).toBe(before)
      yield* agent.stop
    })
  )

  scenario("that the Python agent left in clear is found, and removed on request, and holds on", () =>
    Effect.gen(function* () {
      const here = yield* site
      const agent = yield* here.start()
      const { resource } = yield* here.order.vdc("lab")
      const account = String(resource.backendMetadata.opennebula_username)
      const user = here.cloud.world.users.byName(account)
      if (user === undefined) throw new Error("the tenant has a user")
      user.template.merge(new Template([single("WALDUR_PASSWORD", "in-clear")]))
      const hash = user.passwordHash
      expect(yield* printed(here, "reset-password", "--remove-stored")).toContain(`The password of ${account}`)
      expect(user.template.toXml()).not.toContain("in-clear")
      expect(user.template.toXml()).toContain("TOKEN_PASSWORD")
      expect(user.passwordHash).toBe(hash)
      expect(yield* printed(here, "reset-password", "--remove-stored")).toBe("No password lies in clear in OpenNebula.")
      yield* agent.stop
    })
  )
})

describe("site-actors members", () => {
  scenario("beside the agent names who has no access, where the settings have no role for them", () =>
    Effect.gen(function* () {
      const here = yield* makeSite({
        root: { membership_sync_interval: 86_000 },
        vdcOffering: { membership_sync_backend: "opennebula" },
        vdcSettings: {
          external_network_id: undefined,
          virtual_router_template_id: undefined,
          vdc_roles: [{ name: "admin", one_group_suffix: "admins", default_view: "groupadmin", views: "groupadmin" }]
        }
      })
      const agent = yield* here.start()
      yield* here.order.vdc("lab")
      expect(yield* printed(here, "members", "--data-dir", here.dataDir)).toMatch(
        /lab +alice +no access +problem +there is no role "user" among vdc_roles/
      )
      yield* agent.stop
    })
  )

  scenario("prints what would change, and with a dry run changes nothing", () =>
    Effect.gen(function* () {
      const here = yield* site
      const agent = yield* here.start()
      yield* here.order.vdc("lab")
      expect(yield* printed(here, "members", "--dry-run")).toMatch(
        /alice +made, and put into group \d+ as user +planned/
      )
      expect(here.cloud.world.users.byName("alice")).toBeUndefined()
      // The agent runs: it does it, between its orders.
      expect(yield* printed(here, "members", "--data-dir", here.dataDir)).toContain(
        "Members are synchronised. Whoever has no access all the same is named in the log, with the reason.\nAll members of 1 resource"
      )
      expect(here.cloud.world.users.byName("alice")?.enabled).toBe(true)
      expect(yield* printed(here, "members", "--dry-run")).toContain("All members of 1 resource")
      const shown = yield* printed(here, "reset-password", "--member", "bob", "lab")
      expect(shown).toMatch(/^bob [\w-]{24}$/)
      yield* agent.stop
      for (const { uuid, username } of here.marketplace.world.users.values()) {
        if (username === "bob") here.marketplace.world.users.delete(uuid)
      }
      expect(yield* printed(here, "members", "--data-dir", here.dataDir)).toMatch(/bob +taken out of group \d+ +done/)
    })
  )
})

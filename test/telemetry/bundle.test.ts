/** The support bundle: what is in it, and that no secret is. */
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Logger, Option } from "effect"
import { strFromU8, unzipSync } from "fflate"
import { gather, redactYaml, writeArchive } from "../../src/runtime/bundle/index.js"
import { listen } from "../../src/runtime/http/serve.js"
import { formats } from "../../src/runtime/logging.js"
import { levelled, logFile, makeLevels } from "../../src/runtime/logs/index.js"
import { makeSite, scenario } from "../support/agent.js"
import { typed } from "../support/commands.js"

/** As the file names what stands in the environment. */
const reference = (name: string): string => `\${${name}}`

describe("a support bundle", () => {
  scenario("has the configuration, the health, the journal and the log of an order, and no secret", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const site = yield* makeSite({ cloud: { password: "xyzzy-plugh" } })
      const agent = yield* site.start()
      const url = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))
      const vdc = yield* site.order.vdc("bundled")
      const vm = yield* site.order.vm("machine", vdc.resource.backendId)
      // As a bug might have it.
      yield* Effect.gen(function* () {
        const logger = levelled(makeLevels("INFO"), [yield* logFile(site.dataDir, formats.json())])
        yield* Effect.logInfo(`Signed in with ${site.cloud.session}`).pipe(
          Effect.annotateLogs({ order: vm.uuid }),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
      }).pipe(Effect.scoped)

      const parts = yield* gather({
        dataDir: site.dataDir,
        journal: Either.right(agent.services),
        config: Option.some(site.file),
        order: Option.some(vm.uuid),
        http: Option.some(url),
        secrets: []
      })
      const path = `${site.dataDir}/bundle.zip`
      yield* writeArchive(path, "bundle", parts)
      expect(((yield* files.stat(path)).mode & 0o777).toString(8)).toBe("600")
      const entries = unzipSync(yield* files.readFile(path))
      const part = (name: string) => strFromU8(entries[`bundle/${name}`] ?? new Uint8Array())
      expect(Object.keys(entries).toSorted()).toEqual(
        [
          "README.txt",
          "configuration.yaml",
          "differences.json",
          "journal.jsonl",
          "leftovers.json",
          "log.jsonl",
          "metrics.txt",
          "orders.json",
          "pauses.json",
          "readyz.json",
          "versions.json"
        ].map((name) => `bundle/${name}`)
      )
      expect(part("configuration.yaml")).toContain("waldur_api_token: <redacted>")
      expect(part("configuration.yaml")).toContain("virtual_router_template_id: 1")
      expect(JSON.parse(part("readyz.json"))).toMatchObject({ status: "ready" })
      expect(part("metrics.txt")).toContain("site_actors_orders_ended_total")
      expect(JSON.parse(part("versions.json"))).toMatchObject({ node: process.versions.node, running: { runs: true } })
      const journal = part("journal.jsonl").trim().split("\n")
      expect(journal.length).toBeGreaterThan(5)
      expect(journal.every((line) => JSON.parse(line).order === vm.uuid)).toBe(true)
      expect(part("log.jsonl")).toContain("Signed in with <redacted>")

      const whole = Object.values(entries)
        .map((bytes) => strFromU8(bytes))
        .join("\n")
      for (const secret of [site.world.agentToken, site.cloud.session, "xyzzy-plugh"]) {
        expect(whole).not.toContain(secret)
      }
    })
  )

  scenario("is made without a journal that cannot be opened: why stands in its place", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/journal.db`, "no database\n".repeat(1000))
      yield* files.writeFileString(`${folder}/config.yaml`, "offerings: []\n")
      const asked = ["bundle", "--data-dir", folder, "-c", `${folder}/config.yaml`, "-o", `${folder}/bundle.zip`]
      const { err, out, ok } = yield* typed(...asked)
      expect({ ok, out }).toMatchObject({ ok: true, out: expect.stringContaining("Written: ") })
      expect(err).toContain("Without the journal")
      expect(err).toContain("It is damaged")
      const entries = Object.entries(unzipSync(yield* files.readFile(`${folder}/bundle.zip`))).map(
        ([name, bytes]) => [name.split("/")[1], strFromU8(bytes)] as const
      )
      const parts = Object.fromEntries(entries)
      for (const name of ["orders.json", "journal.jsonl", "leftovers.json", "pauses.json", "differences.json"])
        expect(parts[name]).toMatch(/^not to be had: .*It is damaged/)
      expect(parts["configuration.yaml"]).toContain("offerings")
      expect(JSON.parse(parts["versions.json"] ?? "")).toMatchObject({ node: process.versions.node })

      // Where there is none, another place is meant.
      const elsewhere = yield* typed("bundle", "--data-dir", `${folder}/nowhere`, "-o", `${folder}/other.zip`)
      expect(elsewhere).toMatchObject({ ok: false, failure: expect.stringContaining("There is no journal at ") })
      expect(yield* files.exists(`${folder}/other.zip`)).toBe(false)
    })
  )

  it("keeps where a secret is, and takes out what it is, also under a misspelt key", () => {
    const { secrets, text } = redactYaml(`
# the old token was abcdef
data_dir: /var/lib/site-actors
global_proxy: http://me:proxy-word@proxy:3128
offerings:
  - name: One
    waldur_api_url: https://waldur.example.com/api/
    waldur_api_token: \${WALDUR_TOKEN}
    waldur_api_tocen: misspelt-word
    oidc_client_secret: \${SECRET:-default-word}
    backend_settings: { api_url: "http://user:url-word@one:2633/RPC2", credentials: "oneadmin:cloud-word", cluster_ids: [0] }
`)
    expect(text).toContain("data_dir: /var/lib/site-actors")
    expect(text).toContain(`waldur_api_token: ${reference("WALDUR_TOKEN")}`)
    expect(text).toContain(`<redacted> (${reference("SECRET")})`)
    expect(text).toContain("- 0")
    for (const word of ["proxy-word", "misspelt-word", "default-word", "url-word", "cloud-word", "abcdef"]) {
      expect(text).not.toContain(word)
    }
    expect(secrets).toContain("cloud-word")
  })

  it("leaves out a file that is no YAML", () => {
    expect(redactYaml("a: [secret-word").text).not.toContain("secret-word")
  })
})

/** Where secrets go, and where they do not: the log at DEBUG, the journal and its export, `check --json`, the demo, a dump of a bug. */
import { execFile } from "node:child_process"
import { inspect, promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Effect, Either, Exit, Layer, Option, Random, Redacted, Stream } from "effect"
import { withheld } from "../../src/core/index.js"
import { makeClient } from "../../src/opennebula/client.js"
import { asJson, checkAll, renderTable } from "../../src/runtime/check/index.js"
import * as Database from "../../src/runtime/journal/database.js"
import { jsonLines } from "../../src/runtime/journal/history.js"
import { connectWaldur, openBackend } from "../../src/runtime/offerings/open.js"
import { keepable, removedKey } from "../../src/runtime/orders/accepting/keepable.js"
import { buildAgent } from "../crash/build.js"
import { journalText, makeSite, scenario, sshKey } from "../support/agent.js"
import { document, password, settingsFor } from "../support/tinyFrontEnd.js"

const cloudPassword = "s3cr3t-of-the-cloud"
const privateKey =
  "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----"

describe("secrets", () => {
  scenario("of the agent, of tenants and those that customers paste are in no log, journal, export or event", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ cloud: { password: cloudPassword } })
      // Whatever Effect's Random gives: it is not where passwords come from.
      const agent = yield* Effect.withRandom(site.start(), Random.fixed([0.5]))
      const first = (yield* site.order.vdc("one")).resource
      const second = (yield* site.order.vdc("two")).resource
      const passwords = [first, second].map(({ backendMetadata }) => String(backendMetadata.opennebula_password))

      // 18 bytes of the system's generator: 144 bits.
      for (const one of passwords) expect(one).toMatch(/^[\w-]{24}$/)
      expect(passwords[0]).not.toBe(passwords[1])

      const pasted = { ssh_public_key: privateKey, admin_password: "customer's own secret", user_data: "#cloud-config" }
      const refused = yield* site.order.vm("vm", first.backendId, { attributes: pasted })
      expect(refused).toMatchObject({ state: "erred", errorMessage: expect.stringContaining("private key") })
      yield* site.order.updateLimits(first.uuid, { cpu: 5, ram: 4096, storage: 20480, floating_ip: 2 })
      yield* site.order.terminate(second.uuid)
      yield* agent.stop

      const exported = yield* Stream.runCollect(jsonLines(Option.none())).pipe(
        Effect.provide(Database.layer(site.dataDir))
      )
      const places = {
        log: site.logged.join("\n"),
        journal: yield* journalText(site),
        export: Chunk.toReadonlyArray(exported).join("\n"),
        events: JSON.stringify(site.activities),
        errors: [...site.marketplace.orders.values()].map((order) => order.errorMessage).join("\n")
      }
      const secrets = [
        ...passwords,
        cloudPassword,
        site.world.agentToken,
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU",
        "customer's own secret",
        "#cloud-config"
      ]
      for (const [place, text] of Object.entries(places)) {
        expect(text.length, place).toBeGreaterThan(place === "errors" ? 20 : 1000)
        for (const secret of secrets) expect(text, place).not.toContain(secret)
      }
      expect(places.log).toContain("level=DEBUG")
    })
  )

  scenario("are not in `check --json` or its table, right or wrong", () =>
    Effect.gen(function* () {
      const wrong = "wrong-but-still-a-secret"
      for (const credentials of [`oneadmin:${cloudPassword}`, `oneadmin:${wrong}`]) {
        const site = yield* makeSite({
          cloud: { password: cloudPassword },
          vdcSettings: { credentials, proxy: undefined },
          vmSettings: { credentials },
          vmOffering: { waldur_api_token: wrong }
        })
        const memoMap = yield* Layer.makeMemoMap
        const rows = yield* checkAll(
          site.config,
          site.config.offerings.map((offering) => ({
            offering,
            waldur: connectWaldur(offering),
            backend: (components) => openBackend(offering, components, memoMap)
          }))
        )
        const text =
          JSON.stringify(asJson(rows)) + renderTable(rows, { colours: false }) + inspect(site.config, { depth: null })
        expect(rows.some(({ status }) => status === "failed")).toBe(true)
        for (const secret of [cloudPassword, wrong, site.world.agentToken]) expect(text).not.toContain(secret)
      }
    })
  )

  it.scopedLive("are not in what is printed of a bug in a call", () =>
    Effect.gen(function* () {
      const client = yield* makeClient(settingsFor(1))
      const exit = yield* Effect.exit(client.call("one.vm.info", [Number.NaN], document))
      if (Exit.isSuccess(exit)) throw new Error("it should have died")
      expect(Cause.isDie(exit.cause)).toBe(true)
      const dump =
        Cause.pretty(exit.cause, { renderErrorCause: true }) + inspect(exit, { depth: null, showHidden: true })
      expect(dump).toContain("UnsendableNumber")
      expect(dump).not.toContain(password)
      expect(inspect(client, { depth: null, showHidden: true })).not.toContain(password)
    })
  )

  it.scopedLive("are not taken from the command line, where every user of the machine could read them", () =>
    Effect.gen(function* () {
      const main = yield* buildAgent
      const run = promisify(execFile)
      const { stdout } = yield* Effect.promise(() => run(process.execPath, [main, "run", "--help"]))
      expect(stdout).toContain("--config")
      expect(stdout).not.toMatch(/--\S*(token|password|secret|credential)/i)
    })
  )
})

describe("what is kept of an order", () => {
  it("has no secrets, at any depth, and all the rest", () => {
    const kept = keepable({
      name: "web",
      ssh_public_key: sshKey,
      template_id: 2,
      nothing: null,
      password: "p",
      user_data: `#cloud-config\n${privateKey}`,
      settings: {
        user_data: "x",
        root_password: "p",
        api_token: "t",
        rows: [{ secret: "s", size: 1 }],
        text: `see\n${privateKey}`
      }
    })
    expect(Either.getOrThrow(kept)).toEqual({
      name: "web",
      ssh_public_key: sshKey,
      template_id: 2,
      nothing: null,
      // A handler is told that there is some.
      user_data: withheld,
      settings: { rows: [{ size: 1 }], text: removedKey }
    })
  })

  it("has a measure", () => {
    const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner], "x")
    expect(keepable({ deep })).toEqual(Either.left("nest deeper than 32 levels"))
    expect(keepable({ long: "x".repeat(70_000) })).toEqual(Either.left("are longer than 64 kB"))
    expect(keepable({ many: Array.from({ length: 20_000 }, () => 0) })).toEqual(Either.left("are longer than 64 kB"))
  })

  it("does not let names reach what all objects share", () => {
    const kept = Either.getOrThrow(keepable(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"x": 1}}')))
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype)
    expect("polluted" in {}).toBe(false)
  })
})

it("is Redacted wherever it is held", () => {
  expect(inspect(Redacted.make(cloudPassword), { showHidden: true, depth: null })).not.toContain(cloudPassword)
})

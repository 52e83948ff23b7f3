/** Sentences of commands, as an operator reads them, that were wrong once. */

import { execFileSync, spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { cloudPassword, orderOf } from "../../src/runtime/cli/commands/simulate.js"
import { dataDirOf, loadConfig, textOfFile } from "../../src/runtime/config/index.js"
import { striking } from "../../src/runtime/logging.js"
import { plugins } from "../../src/runtime/plugins.js"
import { makeSite, scenario, untilSettled } from "../support/agent.js"
import { typed } from "../support/commands.js"

describe("a command", () => {
  scenario("of one order has its last words as they are, and a plan of it what there would be to do", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const order = yield* site.place.vm("orphan", "4711")
      const agent = yield* site.start()
      yield* site.marketplace.awaitOrderEnd(order)
      yield* untilSettled(agent)
      yield* agent.stop
      const { out } = yield* typed("order", order, "--data-dir", site.dataDir)
      expect(out).toMatch(/^State {5}erred: "4711" is not a virtual data centre/m)
      // One uuid for the other is what people paste.
      const [, resource = ""] = /^Resource {2}(\w{32})/m.exec(out) ?? []
      expect((yield* typed("order", resource, "--data-dir", site.dataDir)).failure).toBe(
        `"${resource}" is a resource, "orphan", and no order: \`site-actors resource ${resource}\` has its orders.`
      )
      expect((yield* typed("resource", order, "--data-dir", site.dataDir)).failure).toContain(
        `"${order}" is an order, of the resource ${resource}: `
      )

      const at = ["plan", "-c", site.file, "--data-dir", site.dataDir]
      expect((yield* typed(...at, "--order", order)).out).toContain("\n  there would be nothing to do")
      expect(yield* typed(...at, "--order", order.slice(0, 8))).toMatchObject({
        ending: "failed",
        out: "",
        failure: expect.stringContaining(`"${order.slice(0, 8)}" is not the whole uuid of an order.`)
      })
      const unknown = "f".repeat(32)
      expect(yield* typed(...at, "--order", unknown)).toMatchObject({
        out: "",
        failure: `No offering of this configuration has the order ${unknown}.`
      })
      expect((yield* typed(...at)).out).toBe("No orders are open.")

      // With Waldur away nobody knows, and the components are not the fault.
      const away = `${site.file}.away.yaml`
      writeFileSync(away, readFileSync(site.file, "utf8").replaceAll(/127.0.0.1:\d+\/api/g, "127.0.0.1:9/api"))
      expect(yield* typed("plan", "-c", away, "--data-dir", site.dataDir)).toMatchObject({
        ending: "failed",
        out: "",
        failure: expect.stringContaining("could not be planned: Waldur cannot be reached")
      })
      expect((yield* typed("components", "-c", away)).failure).toContain("Not all components could be looked at")
    })
  )

  scenario("that checks a file names roles that are none, whose members would get no access", () =>
    Effect.gen(function* () {
      const vdc_roles = [{ name: "admin", one_group_suffix: "admins", default_view: "groupadmin", views: "groupadmin" }]
      const site = yield* makeSite({ vdcSettings: { vdc_roles, role_mapping: { manager: "admin", owner: "chief" } } })
      const { out } = yield* typed("check", "-c", site.file)
      expect(out.match(/warning {2}roles .*/g)).toEqual([
        expect.stringMatching(/default_user_role is "user", and vdc_roles has admin: .* get no access\. Correct it/),
        expect.stringContaining('role_mapping.owner is "chief"')
      ])
      const usual = yield* makeSite()
      expect((yield* typed("check", "-c", usual.file)).out).not.toContain(" roles ")
    })
  )

  it.effect("that takes a part's own log level away needs the part", () =>
    Effect.gen(function* () {
      const { ending, failure } = yield* typed("log-level", "reset", "--data-dir", "/nowhere")
      expect(ending).toBe("failed")
      expect(failure).toMatch(/name the part by --part \(orders, .*SIGHUP/)
    })
  )

  it("that simulates OpenNebula has a password that is in no name: the log would not have such a name any more", () => {
    const strike = striking([cloudPassword])
    for (const name of [...plugins.map(({ type }) => type), "opennebula", "waldur", "A simulated cloud"])
      expect(strike(name)).toBe(name)
  })

  scenario("that simulates Waldur prints an order that the agent carries out", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { plans, project, vdcOffering } = site.world
      const { limits } = orderOf({
        url: "",
        vdcOffering: vdcOffering.uuid,
        plans: { vdc: plans.vdc.uuid },
        project: project.uuid
      })
      const order = yield* site.place.vdc("acme", { limits })
      yield* site.start()
      expect(yield* site.marketplace.awaitOrderEnd(order)).toMatchObject({ state: "done" })
    })
  )
})

describe("a configuration that comes through a pipe", () => {
  scenario("is read once, however often a command looks, and its relative paths begin where that was started", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const pipe = `${site.file}.pipe`
      execFileSync("mkfifo", [pipe])
      const writer = spawn("sh", ["-c", 'cat "$0" > "$1"', site.file, pipe])
      yield* Effect.addFinalizer(() => Effect.sync(() => writer.kill()))
      // First where the journal is, then the file itself.
      expect((yield* typed("plan", "-c", pipe)).out).toBe("No orders are open.")
      expect((yield* typed("check", "-c", pipe)).out).toContain("0 failed")
      expect((yield* textOfFile(pipe)).from).toBe(join(process.cwd(), "pipe"))
      expect((yield* textOfFile(site.file)).from).toBe(site.file)
    })
  )
})

describe("a data directory that is a file", () => {
  it.effect("is told as such", () =>
    Effect.gen(function* () {
      for (const words of [["orders"], ["logs"], ["journal", "check"]])
        expect((yield* typed(...words, "--data-dir", "package.json")).failure, words.join(" ")).toContain(
          "package.json is no folder. Name the agent's data directory with --data-dir"
        )
    })
  )
})

describe("a configuration file that this user may not read", () => {
  it.effect("is told as such, by every command that reads it", () =>
    Effect.gen(function* () {
      const denied = new SystemError({
        reason: "PermissionDenied",
        module: "FileSystem",
        method: "readFile",
        pathOrDescriptor: "config.yaml"
      })
      const files = FileSystem.layerNoop({ readFileString: () => Effect.fail(denied) })
      for (const reading of [Effect.asVoid(loadConfig("config.yaml", [])), Effect.asVoid(dataDirOf("config.yaml"))])
        expect((yield* Effect.flip(Effect.provide(reading, files))).message).toMatch(
          /The file cannot be read: permission denied\. Let \S+ read it, or run this as the user whose it is \(sudo -u\)\.$/
        )
    })
  )
})

/** `site-actors report` and `site-actors components`, as they are typed, against both simulators. */
import { Command } from "@effect/cli"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect } from "@effect/vitest"
import { Cause, Effect, Exit, Option } from "effect"
import { components } from "../../../src/runtime/cli/commands/components.js"
import { report } from "../../../src/runtime/cli/commands/report.js"
import { makeSite, type Site, scenario } from "../../support/agent.js"
import { addComponent, addResource, reporting, sent, thisMonth, usageScenario, usages } from "../../support/usage.js"

const cli = Command.run(Command.make("site-actors").pipe(Command.withSubcommands([report, components])), {
  name: "Site Actors",
  version: "0"
})

/** What it printed, and the sentence that it failed with. */
const typed = (site: Site, ...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const print = (...texts: ReadonlyArray<unknown>) => Effect.sync(() => lines.push(texts.join(" ")))
    const own = yield* Effect.consoleWith(Effect.succeed)
    const exit = yield* cli(["node", "site-actors", ...words, "-c", site.file]).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole({ ...own, log: print, error: print }),
      Effect.exit
    )
    const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
    // Table cells apart by two spaces, whatever their width.
    const printed = lines.join("\n").replaceAll(/ {2,}/g, "  ")
    return { printed, failure: failure instanceof Error ? failure.message : undefined, ok: Exit.isSuccess(exit) }
  })

describe.concurrent("site-actors report", () => {
  usageScenario("shows what would be sent, sends it when told so, and remembers it", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vdcOffering: reporting })
      yield* site.cloud.call("one.group.allocate", ["home"])
      addResource(site, "home", "100")
      addResource(site, "lost", "4711")
      const dataDir = ["--data-dir", site.dataDir]
      const month = yield* thisMonth
      const shown = yield* typed(site, "report", ...dataDir, "--dry-run", "--offering", "VDC")
      expect(shown.printed).toContain(`home  ${month}  cpu  0  cores  would be sent`)
      expect(shown.printed).toContain("lost")
      expect(sent(site)).toEqual([])
      expect(yield* (yield* FileSystem.FileSystem).exists(site.dataDir)).toBe(false)

      const first = yield* typed(site, "report", ...dataDir)
      expect(first).toMatchObject({ ok: true })
      expect(first.printed).toContain(`lost  ${month}  ram  ?  MB  not read  There is no group 4711 in OpenNebula.`)
      expect(first.printed).toContain("4 sent, 4 not read.")
      expect(usages(site)).toEqual({ "home cpu": 0, "home ram": 0, "home storage": 0, "home floating_ip": 0 })
      const again = yield* typed(site, "report", ...dataDir)
      expect(again.printed).toContain("4 unchanged, 4 not read.")
      expect(sent(site)).toHaveLength(1)
    })
  )

  scenario("says what is not switched on, and what there is none of", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      expect((yield* typed(site, "report")).failure).toBe(
        'reporting_backend is empty for "VDC", "VM": set it to have usage reported. --dry-run shows what would be.'
      )
      expect((yield* typed(site, "report", "--offering", "VDX")).failure).toBe(
        'The configuration has no offering "VDX". It has: "VDC", "VM".'
      )
    })
  )

  usageScenario("of an offering whose cloud is away says so, and reports the others", () =>
    Effect.gen(function* () {
      const away = { api_url: "http://127.0.0.1:9/RPC2" }
      const site = yield* makeSite({ vdcOffering: reporting, vmOffering: reporting, vmSettings: away })
      yield* site.cloud.call("one.group.allocate", ["home"])
      addResource(site, "home", "100")
      addResource(site, "box", "7", site.world.vmOffering)
      const { printed, failure } = yield* typed(site, "report", "--data-dir", site.dataDir)
      expect(failure).toBe('Not everything could be reported of "VM".')
      expect(printed).toContain("4 sent.")
      expect(printed).toMatch(/box .* vcpu {2}\? {2}cores {2}not read {2}.*: unreachable, the call was not sent/)
      expect(usages(site)).toMatchObject({ "home cpu": 0 })
    })
  )
})

describe.concurrent("site-actors components", () => {
  scenario("shows what does not fit, and loads it into Waldur", () =>
    Effect.gen(function* () {
      const backend_components = {
        cpu: { accounting_type: "limit", label: "Cores" },
        cpu_hours: { accounting_type: "usage", label: "CPU hours", measured_unit: "core-hours" }
      }
      const site = yield* makeSite({ vdcOffering: { backend_components } })
      const before = yield* typed(site, "components", "--offering", "VDC")
      expect(before.ok).toBe(false)
      expect(before.printed).toContain("cpu_hours  usage, core-hours  adds up over the month, in core-hours")
      expect(before.printed).toContain(
        'backend_components.cpu_hours stands in the file, but the offering "VDC" in Waldur has floating_ip, ram, storage, cpu. Run `site-actors components --load` to have it made in Waldur, or remove it from the file.'
      )
      const loaded = yield* typed(site, "components", "--offering", "VDC", "--load")
      expect(loaded).toMatchObject({ ok: true })
      expect(loaded.printed).toContain("cpu  changed  name vCPU -> Cores")
      expect(loaded.printed).toContain("cpu_hours  made")
      expect(site.world.vdcOffering.components.find(({ type }) => type === "cpu_hours")).toMatchObject({
        name: "CPU hours",
        accountingType: "usage",
        measuredUnit: "core-hours"
      })
      const again = yield* typed(site, "components", "--offering", "VDC", "--load")
      expect(again.printed).toContain("cpu  as it is")
      expect(again.printed).toContain("cpu_hours  as it is")
    })
  )

  scenario("leaves what Waldur bills by plan billed by plan, whatever the Python agent's file has", () =>
    Effect.gen(function* () {
      const backend_components = { vcpu: { accounting_type: "limit", label: "Cores", measured_unit: "cores" } }
      const site = yield* makeSite({ vmOffering: { backend_components } })
      const loaded = yield* typed(site, "components", "--offering", "VM", "--load")
      expect(loaded).toMatchObject({ ok: true })
      expect(loaded.printed).toContain(
        "vcpu  changed  name vCPU -> Cores; billed by plan (fixed) in Waldur, and left so"
      )
      expect(site.world.vmOffering.components.find(({ type }) => type === "vcpu")).toMatchObject({
        name: "Cores",
        accountingType: "fixed"
      })
    })
  )

  scenario("prints Waldur's components for the file", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ world: { gigabytes: true } })
      const { printed } = yield* typed(site, "components", "--offering", "VDC", "--yaml")
      expect(printed).toContain(
        ["ram:", "label: RAM", "measured_unit: GB", "accounting_type: limit", "unit_factor: 1024"].join("\n  ")
      )
    })
  )

  scenario("that do not fit stop their offering at the start, until they do", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vdcOffering: { backend_components: { gpu: { accounting_type: "limit" } } } })
      addComponent(site, "gpu", "cards", "limit")
      yield* site.start()
      const fault =
        "Waldur sells the component gpu by limit, but orders for opennebula-vdc can only name cpu, ram, storage, floating_ip."
      yield* site.awaitActivity(
        (activity) =>
          activity._tag === "Offering" && activity.event === "closed" && (activity.detail ?? "").includes(fault)
      )
    })
  )
})

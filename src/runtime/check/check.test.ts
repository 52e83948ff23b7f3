import { readFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schema, TestClock } from "effect"
import type { Backend } from "../../core/backend.js"
import { OfferingFault, OrderRefused } from "../../core/errors.js"
import { present } from "../../core/observation.js"
import { opennebulaVdc } from "../../plugins/opennebula-vdc/index.js"
import {
  Offering,
  type ProbeResult,
  ProviderResource,
  type WaldurService,
  WaldurUnreachable
} from "../../waldur/index.js"
import { accepted, file } from "../config/harness.js"
import { type ComponentOverride, ConfigInvalid, type OfferingConfig } from "../config/index.js"
import { componentFindings } from "./components.js"
import { asJson, type CheckRow, checkAll, checkOffering, exitCode, fileRefused, renderTable } from "./index.js"

const recording = async (name: string): Promise<Offering> => {
  const text = await readFile(`${import.meta.dirname}/../../../test/fixtures/waldur-current/${name}.json`, "utf8")
  return Schema.decodeUnknownSync(Offering)(JSON.parse(text).response.json)
}

const unused = new OrderRefused({ customerMessage: "Not in these tests." })
const backendWith = (check: Backend<unknown>["check"]): Backend<unknown> => ({
  create: () => unused,
  update: () => unused,
  terminate: () => unused,
  usage: () => unused,
  observe: () => unused,
  ping: unused,
  check
})
const healthy = backendWith(Effect.succeed([{ subject: "OpenNebula", status: "ok", detail: "7.4.0" }]))

const no = Effect.dieMessage("Not in these tests.")
const waldurWith = (answers: Pick<WaldurService, "probe" | "offering"> & Partial<WaldurService>): WaldurService => ({
  apiUrl: "https://waldur.example.com/api/",
  version: no,
  me: no,
  offerings: no,
  plan: () => no,
  orders: () => no,
  queue: () => no,
  order: () => no,
  resource: () => no,
  resources: () => Effect.succeed({ items: [], malformed: [] }),
  reportedResources: () => no,
  team: () => no,
  sshKey: () => no,
  componentUsages: () => no,
  offeringUsages: () => no,
  approveByProvider: () => no,
  awaitExecuting: () => no,
  setStateDone: () => no,
  setStateErred: () => no,
  setStateExecuting: () => no,
  putBackendId: () => no,
  setBackendId: () => no,
  setsScope: () => no,
  keepBackendId: () => no,
  setScopeOk: () => no,
  setOrderBackendId: () => no,
  setLimits: () => no,
  agent: { register: () => no, service: () => no, processor: () => no, statistics: () => no, ship: () => no },
  imports: {
    requests: () => no,
    offered: () => no,
    offer: () => no,
    start: () => no,
    finish: () => no,
    fail: () => no
  },
  setBackendMetadata: () => no,
  setEndpoints: () => no,
  setAsOk: () => no,
  setAsErred: () => no,
  refreshLastSync: () => no,
  setUsage: () => no,
  createComponent: () => no,
  updateComponent: () => no,
  eventQueue: () => no,
  oneEventQueue: () => no,
  offeringUsers: () => no,
  sshKeys: () => no,
  setOfferingUsername: () => no,
  setOfferingUserState: () => no,
  ...answers
})

const passed: ProbeResult = { what: "Waldur accepts the credentials", ok: true, detail: "as agent" }
const reachable = (offering: Offering) =>
  waldurWith({ probe: () => Effect.succeed([passed]), offering: () => Effect.succeed(offering) })

const configured = async (): Promise<OfferingConfig> => {
  const [offering] = (await accepted(file())).offerings
  if (offering === undefined) throw new Error("the file of the tests has an offering")
  return offering
}
const lines = (rows: ReadonlyArray<CheckRow>) => rows.map((row) => `${row.status}: ${row.subject}: ${row.detail}`)

describe("Checking an offering", () => {
  it("has rows of the probe, the components, the billing and the backend", async () => {
    const offering = await configured()
    const found = await recording("008-provider-offering-vm")
    const rows = await Effect.runPromise(
      checkOffering({ offering, waldur: Effect.succeed(reachable(found)), backend: () => Effect.succeed(healthy) })
    )
    expect(lines(rows)).toEqual([
      "ok: Waldur accepts the credentials: as agent",
      "ok: component ram: billed by fixed, in MB",
      "ok: component storage: billed by fixed, in MB",
      "ok: component cpu: billed by fixed, in cores",
      "ok: billing: Billed by plan (fixed) are ram, storage, cpu: limits stay empty, as a server seen in practice could not finish a plan switch with them; actual sizes are in the metadata.",
      "ok: backend: Plugin opennebula-vdc.",
      "ok: OpenNebula: 7.4.0"
    ])
    expect(exitCode(rows)).toBe(0)
  })

  it("warns of rules for backend ids in Waldur that orders could fail at", async () => {
    const offering = await configured()
    const found = await recording("008-provider-offering-vm")
    const warnings = async (backendIdRules: Offering["backendIdRules"]) => {
      const waldur = Effect.succeed(reachable({ ...found, backendIdRules }))
      const rows = await Effect.runPromise(checkOffering({ offering, waldur, backend: () => Effect.succeed(healthy) }))
      return lines(rows).filter((line) => line.includes(": backend ids: "))
    }
    expect(await warnings({ format: null, uniqueness: { scope: "offering" } })).toEqual([])
    expect(await warnings({ format: { regex: "[A-Z]+" }, uniqueness: { scope: "service_provider" } })).toEqual([
      expect.stringContaining("does not match [A-Z]+"),
      expect.stringContaining('Set it to "offering"')
    ])
  })

  it("says where the backend finds none of the offering's resources, as with another one's uuid", async () => {
    const offering = await configured()
    const found = await recording("008-provider-offering-vm")
    const one = Schema.decodeUnknownSync(ProviderResource)({
      uuid: "a".repeat(32),
      state: "OK",
      name: "box",
      backend_id: "7"
    })
    const about = async (observe: Backend<unknown>["observe"], resources = [one]) => {
      const waldur = Effect.succeed({
        ...reachable(found),
        resources: () => Effect.succeed({ items: resources, malformed: [] })
      })
      const backend = () => Effect.succeed({ ...healthy, observe })
      const rows = await Effect.runPromise(checkOffering({ offering, waldur, backend }))
      return lines(rows).filter((line) => line.includes(": resources: "))
    }
    const missing: Backend<unknown>["observe"] = (sought) =>
      Effect.succeed(sought.map(({ id }) => ({ _tag: "Missing", resource: id })))
    const there: Backend<unknown>["observe"] = (sought) =>
      Effect.succeed(sought.map(({ id }) => present(id, { amounts: {} })))
    expect(await about(missing)).toEqual([
      expect.stringMatching(/^warning: resources: .*opennebula-vdc finds none of them.*"box"/)
    ])
    expect(await about(there)).toEqual([])
    expect(await about(missing, [])).toEqual([])
    expect(await about(() => unused)).toEqual([])
  })

  it("says where members are synchronised, and Waldur keeps no accounts for them", async () => {
    const configuredOnce = await configured()
    const offering = { ...configuredOnce, functions: { ...configuredOnce.functions, membership: true } }
    const found = await recording("008-provider-offering-vm")
    const about = async (options: Offering["pluginOptions"], offeringUsers: WaldurService["offeringUsers"]) => {
      const waldur = waldurWith({
        probe: () => Effect.succeed([passed]),
        offering: () => Effect.succeed({ ...found, pluginOptions: options }),
        offeringUsers
      })
      const rows = await Effect.runPromise(
        checkOffering({ offering, waldur: Effect.succeed(waldur), backend: () => Effect.succeed(healthy) })
      )
      return lines(rows).filter((line) => line.includes(": members: "))
    }
    const none = () => Effect.succeed({ items: [], malformed: [] })
    expect(await about({}, none)).toEqual([
      expect.stringMatching(/^warning: members: Waldur keeps no accounts .* service_provider_can_create_offering_user/)
    ])
    expect(await about({ service_provider_can_create_offering_user: true }, none)).toEqual([
      expect.stringMatching(/^ok: members: .* has none yet/)
    ])
    const error = new WaldurUnreachable({ call: "GET marketplace-offering-users/", reason: "ECONNREFUSED" })
    expect(await about({}, () => error)).toEqual([expect.stringMatching(/^warning: members: .*ECONNREFUSED/)])
  })

  it("says when a personal access token expires", async () => {
    const offering = await configured()
    const found = await recording("008-provider-offering-vm")
    const about = async (token: string) => {
      const waldur = { ...offering.waldur, credentials: { _tag: "Token", token: Redacted.make(token) } as const }
      const rows = await Effect.runPromise(
        checkOffering({
          offering: { ...offering, waldur },
          waldur: Effect.succeed(reachable(found)),
          backend: () => Effect.succeed(healthy)
        })
      )
      return lines(rows).filter((line) => line.includes(": API token: "))
    }
    const inDays = (days: number) => `w_${Math.floor(Date.now() / 1000) + days * 86_400}_secret`
    expect(await about("65b4c4f5e25f0cadb3e11c181be4ffa3881741f8")).toEqual([])
    expect(await about(inDays(90))).toEqual([expect.stringMatching(/^ok: .* expires on \d{4}-\d\d-\d\d\.$/)])
    expect(await about(inDays(9))).toEqual([expect.stringMatching(/^warning: .* expires on .* all orders wait/)])
    expect(await about(inDays(-9))).toEqual([expect.stringMatching(/^warning: .* expired on /)])
  })

  it("gives the backend the components that Waldur has", async () => {
    const found = await recording("008-provider-offering-vm")
    const given: Array<string> = []
    const backend = (components: ReadonlyArray<{ readonly type: string }>) => {
      given.push(...components.map(({ type }) => type))
      return Effect.succeed(healthy)
    }
    await Effect.runPromise(
      checkOffering({ offering: await configured(), waldur: Effect.succeed(reachable(found)), backend })
    )
    expect(given).toEqual(["ram", "storage", "cpu"])
  })

  it("says once that Waldur cannot be reached, and looks at the backend all the same", async () => {
    const error = new WaldurUnreachable({ call: "GET users/me/", reason: "ECONNREFUSED" })
    const waldur = waldurWith({
      probe: () => Effect.succeed([{ what: "Waldur accepts the credentials", ok: false, detail: error.message }]),
      offering: () => error
    })
    const rows = await Effect.runPromise(
      checkOffering({
        offering: await configured(),
        waldur: Effect.succeed(waldur),
        backend: () => Effect.succeed(healthy)
      })
    )
    expect(lines(rows)).toEqual([
      "failed: Waldur accepts the credentials: Waldur cannot be reached: ECONNREFUSED (GET users/me/).",
      "ok: backend: Plugin opennebula-vdc.",
      "ok: OpenNebula: 7.4.0"
    ])
    expect(exitCode(rows)).toBe(1)
  })

  it("says why the backend does not open, and what Waldur has all the same", async () => {
    const found = await recording("008-provider-offering-vm")
    const fault = new OfferingFault({ reason: "OpenNebula refuses the password.", hint: "Check credentials." })
    const rows = await Effect.runPromise(
      checkOffering({ offering: await configured(), waldur: Effect.succeed(reachable(found)), backend: () => fault })
    )
    expect(lines(rows).at(0)).toBe("ok: Waldur accepts the credentials: as agent")
    expect(lines(rows).at(-1)).toBe("failed: backend: OpenNebula refuses the password. Check credentials.")
  })

  it("does not print what a bug's message may hold", async () => {
    const broken = backendWith(Effect.dieMessage("Cannot read oneadmin:swordfish"))
    const found = await recording("008-provider-offering-vm")
    const rows = await Effect.runPromise(
      checkOffering({
        offering: await configured(),
        waldur: Effect.succeed(reachable(found)),
        backend: () => Effect.succeed(broken)
      })
    )
    expect(lines(rows).at(-1)).toBe("failed: backend: The look at it broke off, because of a bug.")
  })

  it.effect("gives up on what hangs after 30 seconds, and has the rows of all others", () =>
    Effect.gen(function* () {
      const config = yield* Effect.promise(() => accepted(file()))
      const offering = yield* Effect.promise(configured)
      const found = yield* Effect.promise(() => recording("008-provider-offering-vm"))
      const hanging = waldurWith({ probe: () => Effect.never, offering: () => Effect.never })
      const fiber = yield* Effect.fork(
        checkAll(config, [
          { offering, waldur: Effect.succeed(hanging), backend: () => Effect.uninterruptible(Effect.never) },
          {
            offering: { ...offering, name: "Other" },
            waldur: Effect.succeed(reachable(found)),
            backend: () => Effect.succeed(healthy)
          }
        ])
      )
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("20 seconds")
      const rows = yield* Fiber.join(fiber)
      expect(lines(rows.filter((row) => row.about === "Private cloud" && row.status === "failed"))).toEqual([
        "failed: Waldur: No answer within 30 seconds.",
        "failed: backend: No answer within 30 seconds."
      ])
      expect(lines(rows.filter((row) => row.about === "Other")).at(-1)).toBe("ok: OpenNebula: 7.4.0")
    })
  )
})

describe("Comparing components", () => {
  const findings = async (overrides: Readonly<Record<string, ComponentOverride>>, settings = {}) => {
    const found = await recording("007-provider-offering-vdc")
    const all = componentFindings(
      { name: "Cloud", components: overrides, backendSettings: Redacted.make(settings) },
      found.components
    )
    return all.map(({ status, subject, detail }) => `${status}: ${subject}: ${detail}`)
  }

  it("says that sizes are written back where the offering bills by limit", async () => {
    expect((await findings({})).at(-1)).toMatch(
      /^ok: billing: Actual sizes of .* are written back as limits; the offering bills by limit\.$/
    )
  })

  it("fails where the file and Waldur bill differently", async () => {
    expect(await findings({ cpu: { accountingType: "fixed", keys: {} } })).toContain(
      "failed: components: backend_components.cpu.accounting_type is fixed, but Waldur bills the component by limit. Write limit into the file, or run `site-actors components --load` to change Waldur."
    )
  })

  it("warns where Waldur bills by plan and the file says otherwise, as that of the Python agent must", async () => {
    const vm = await recording("008-provider-offering-vm")
    const overrides = { ram: { accountingType: "limit" as const, keys: {} } }
    const offering = { name: "Cloud", components: overrides, backendSettings: Redacted.make({}) }
    const all = componentFindings(offering, vm.components).map(({ status, detail }) => `${status}: ${detail}`)
    expect(all.filter((line) => !line.startsWith("ok"))).toEqual([
      "warning: backend_components.ram.accounting_type is limit, but Waldur bills the component by plan (fixed), and that is used. The Python agent's files cannot say fixed: write it once that agent reads the file no more."
    ])
  })

  it("fails for components that Waldur does not have", async () => {
    expect(await findings({ gpu: { keys: {} } })).toContainEqual(
      expect.stringMatching(/^failed: components: backend_components\.gpu stands in the file, but .* in Waldur has /)
    )
  })

  it("warns of what is billed by usage and not measured here", async () => {
    const vdc = await recording("007-provider-offering-vdc")
    const [first] = vdc.components
    if (first === undefined) throw new Error("the recorded offering has components")
    const offering = { name: "Cloud", components: {}, backendSettings: Redacted.make({}), plugin: opennebulaVdc }
    const traffic = { ...first, type: "traffic", accountingType: "usage" as const }
    const warnings = componentFindings(offering, [...vdc.components, traffic]).filter(
      ({ status }) => status === "warning"
    )
    expect(warnings).toEqual([
      {
        subject: "component traffic",
        status: "warning",
        detail:
          "Billed by usage, but not measured here: set backend_components.traffic.usage_from to one of cpu, ram, storage, floating_ip, cpu_hours, vcpu_hours, ram_hours, storage_hours, vm_hours, or report it in another way."
      }
    ])
  })

  it("warns of other units", async () => {
    const found = await findings({ ram: { measuredUnit: "TB", keys: {} } })
    expect(found.filter((line) => line.startsWith("warning"))).toEqual([
      expect.stringMatching(
        /^warning: component ram: measured_unit is TB in the file and \w+ in Waldur: customers order in Waldur's\. Check unit_factor\.$/
      )
    ])
  })

  it("warns of factors that differ, and of one that the Python agent took for 1", async () => {
    const vdc = await recording("007-provider-offering-vdc")
    const inWaldur = vdc.components.map((component) => ({ ...component, unitFactor: 1024 }))
    const details = (own: ComponentOverride) =>
      componentFindings({ name: "Cloud", components: { ram: own }, backendSettings: Redacted.make({}) }, inWaldur)
        .filter(({ status }) => status === "warning")
        .map(({ detail }) => detail)
    expect(details({ unitFactor: 1000, keys: {} })).toEqual([
      "unit_factor is 1000 in the file and 1024 in Waldur; the file's is used."
    ])
    expect(details({ keys: {} })).toEqual([
      "backend_components.ram has no unit_factor, so Waldur's 1024 is used. The Python agent used 1: write down which it is."
    ])
    expect(details({ unitFactor: 1024, keys: {} })).toEqual([])
  })

  it("warns where limits are asked for on components that are billed by plan", async () => {
    const vm = await recording("008-provider-offering-vm")
    const offering = { name: "Cloud", components: {}, backendSettings: Redacted.make({ report_fixed_limits: true }) }
    expect(componentFindings(offering, vm.components).at(-1)).toEqual({
      subject: "billing",
      status: "warning",
      detail:
        "Limits are written for ram, storage, cpu too, although they are billed by plan (report_fixed_limits): a server seen in practice can then never finish another plan switch."
    })
  })
})

describe("The report", () => {
  const rows: ReadonlyArray<CheckRow> = [
    { about: "config.yaml", subject: "file", status: "ok", detail: "It is valid, and has 1 offering." },
    { about: "Cloud", subject: "Waldur", status: "ok", detail: "fine" },
    { about: "Cloud", subject: "template 7", status: "failed", detail: "It is\nnot \u001b[31mthere." },
    { about: "Cloud", subject: "network", status: "warning", detail: "It is small." }
  ]

  it("is a table with aligned columns, and nothing that a server wrote moves the cursor", () => {
    expect(renderTable(rows, { colours: false })).toBe(
      [
        "config.yaml",
        "  ok       file        It is valid, and has 1 offering.",
        "",
        "Cloud",
        "  ok       Waldur      fine",
        "  FAILED   template 7  It is not ?[31mthere.",
        "  warning  network     It is small.",
        "",
        "2 ok, 1 warning, 1 failed",
        ""
      ].join("\n")
    )
  })

  it("has colours only where asked for", () => {
    expect(renderTable(rows, { colours: true })).toContain("\u001b[31mFAILED \u001b[0m")
    expect(renderTable(rows.slice(0, 1), { colours: false })).not.toContain("\u001b")
  })

  it("is data for programs, and fails as a whole if a row does", () => {
    expect(asJson(rows)).toEqual({ ok: false, rows })
    expect(exitCode(rows)).toBe(1)
    expect(exitCode(rows.filter((row) => row.status !== "failed"))).toBe(0)
  })

  it("has a row for each error of a file that is wrong", () => {
    const problem = { path: "offerings[0].name", position: { line: 2, column: 5 }, what: "is missing" }
    expect(lines(fileRefused(new ConfigInvalid({ file: "c.yaml", problems: [problem] })))).toEqual([
      "failed: line 2: offerings[0].name is missing."
    ])
  })

  it("names what is odd about a file that is right", async () => {
    const config = await accepted(file((all) => [...all, "    verify_ssl: off"]))
    const found = await Effect.runPromise(checkAll(config, []))
    expect(lines(found)).toEqual([
      "ok: file: It is valid, and has 1 offering.",
      "warning: line 11: offerings[0].verify_ssl is off: anybody on the way can read the token. Set ca_file instead."
    ])
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schema, TestClock } from "effect"
import type { Backend } from "../../core/backend.js"
import { OfferingFault, OrderRefused } from "../../core/errors.js"
import { present } from "../../core/observation.js"
import {
  type Offering,
  type ProbeResult,
  ProviderResource,
  type WaldurService,
  WaldurUnreachable
} from "../../waldur/index.js"
import { accepted, file } from "../config/harness.js"
import type { OfferingConfig } from "../config/index.js"
import { lines, recording } from "./harness.js"
import { checkAll, checkOffering, exitCode } from "./index.js"

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

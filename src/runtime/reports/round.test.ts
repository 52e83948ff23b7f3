import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, TestClock } from "effect"
import { component, cpu, hours, makeReported, ram, resourceOf, uuid } from "../../../test/support/reports.js"
import { type Component, NotYet, ResourceId } from "../../core/index.js"
import { WaldurInvalid, WaldurServerError } from "../../waldur/index.js"
import * as Database from "../journal/database.js"
import { type UsageMemory, layer as usageMemory } from "./memory.js"
import { type ReportOptions, report, reportEnding } from "./round.js"

const invalid = (message: string) =>
  new WaldurInvalid({ call: "POST set_usage", messages: [message], disposition: "fail-order" })

const options: ReportOptions = { timezone: "UTC", periods: 2, omitAnomalous: false, dryRun: false }
const makeSite = (components: ReadonlyArray<Component>) => {
  const { site, reporter } = makeReported(components)
  return {
    site,
    ending: (resource: string) => reportEnding(reporter, options, [ResourceId.make(resource)]),
    round: (more: Partial<ReportOptions> = {}) =>
      Effect.map(report(reporter, { ...options, ...more }), (made) => ({
        ...made,
        lines: made.rows.map((row) =>
          [row.resourceName, row.period.slice(0, 7), row.component, row.amount ?? "?", row.outcome].join(" ")
        )
      }))
  }
}

/** The 25th of November 2026. `restarted`: with the same memory, opened anew. */
const scenario = (
  name: string,
  test: (
    restarted: <A, E>(use: Effect.Effect<A, E, UsageMemory>) => Effect.Effect<A, unknown>
  ) => Effect.Effect<void, unknown>
) =>
  it.scoped(name, () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-25T12:00:00Z"))
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const memory = usageMemory.pipe(Layer.provide(Database.layer(directory)), Layer.provide(NodeContext.layer))
      yield* test((use) => Effect.provide(use, memory))
    }).pipe(Effect.provide(NodeContext.layer))
  )

describe("a usage report", () => {
  scenario("tells what is allocated now, in Waldur's units, for the current month alone", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram])
      const { lines } = yield* restarted(round())
      expect(lines).toEqual(["resource 1 2026-11 cpu 2 sent", "resource 1 2026-11 ram 1.5 sent"])
      expect(site.told).toEqual([
        {
          resource: uuid(1),
          usages: [
            { type: "cpu", amount: 2 },
            { type: "ram", amount: 1.5 }
          ]
        }
      ])
    })
  )

  scenario("reads the backend once for all resources", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram, hours])
      site.resources = Array.from({ length: 50 }, (_, n) => resourceOf(n))
      for (let n = 0; n < 50; n++) site.now.set(String(100 + n), { cpu: n, ram: 1024 })
      yield* restarted(round())
      expect(site.asked.filter((what) => what.startsWith("backend")).toSorted()).toEqual([
        "backend accounting",
        "backend usage"
      ])
      expect(site.told).toHaveLength(50)
    })
  )

  scenario(
    "asks Waldur once a period for what it has of many resources, and tells what is another's not again",
    (restarted) =>
      Effect.gen(function* () {
        const { site, round } = makeSite([cpu, hours])
        site.resources = Array.from({ length: 20 }, (_, n) => resourceOf(n))
        for (let n = 0; n < 20; n++) {
          site.now.set(String(100 + n), { cpu: 2 })
          site.usages.set(`${uuid(n)} 2026-11-01 cpu`, n < 15 ? 2 : 1)
        }
        const { lines } = yield* restarted(round())
        const asked = site.asked.filter((what) => what.startsWith("usages"))
        expect(asked.filter((what) => what.startsWith("usages of all"))).toEqual(asked)
        expect(new Set(asked).size).toBe(asked.length)
        expect(lines.filter((line) => line.endsWith("cpu 2 unchanged"))).toHaveLength(15)
        expect(lines.filter((line) => line.endsWith("cpu 2 sent"))).toHaveLength(5)
      })
  )

  scenario("tells only what has changed, and after a restart nothing twice", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram])
      yield* restarted(round())
      const asked = site.asked.length
      const { lines } = yield* restarted(round())
      expect(lines).toEqual(["resource 1 2026-11 cpu 2 unchanged", "resource 1 2026-11 ram 1.5 unchanged"])
      expect(site.told).toHaveLength(1)
      // Nor is Waldur asked what it has.
      expect(site.asked.slice(asked)).toEqual(["backend usage"])
      site.now.set("101", { cpu: 3, ram: 1536 })
      yield* restarted(round())
      expect(site.told.at(-1)?.usages).toEqual([{ type: "cpu", amount: 3 }])
    })
  )

  scenario("does not tell again what another agent has told before there was a memory", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram])
      site.usages.set(`${uuid(1)} 2026-11-01 cpu`, 2)
      const { lines } = yield* restarted(round())
      expect(lines).toEqual(["resource 1 2026-11 cpu 2 unchanged", "resource 1 2026-11 ram 1.5 sent"])
    })
  )

  scenario("begins a new month with everything, and leaves the old one's allocation alone", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu])
      yield* restarted(round())
      yield* TestClock.setTime(Date.parse("2026-11-30T22:30:00Z"))
      const tallinn = restarted(round({ timezone: "Europe/Tallinn" }))
      // It has begun there, and not yet everywhere: today's Waldur refuses a date that is to come.
      expect(yield* tallinn).toMatchObject({
        lines: [],
        notices: [expect.stringContaining("2026-12 is told from noon")]
      })
      yield* TestClock.setTime(Date.parse("2026-12-01T12:00:00Z"))
      expect((yield* tallinn).lines).toEqual(["resource 1 2026-12 cpu 2 sent"])
      expect(site.told).toHaveLength(2)
    })
  )

  scenario("never takes what cannot be read for nothing, and tells the rest", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram])
      site.resources = [resourceOf(1), resourceOf(2), resourceOf(3, { backend_id: "" })]
      site.now.set("101", { cpu: 2 })
      const { rows } = yield* restarted(round())
      expect(
        rows.map(({ resourceName, component, outcome, detail }) => [resourceName, component, outcome, detail])
      ).toEqual([
        ["resource 1", "cpu", "sent", ""],
        ["resource 1", "ram", "not read", "The backend said nothing of it."],
        ["resource 2", "cpu", "not read", "It is not there."],
        ["resource 2", "ram", "not read", "It is not there."],
        ["resource 3", "cpu", "not read", "Waldur has no backend id of it."],
        ["resource 3", "ram", "not read", "Waldur has no backend id of it."]
      ])
      expect(site.told.flatMap(({ usages }) => usages)).toEqual([{ type: "cpu", amount: 2 }])
    })
  )

  scenario("tells nothing of what is allocated while the backend is away, and hours all the same", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, hours])
      site.accounts.set("101 2026-11", { cpu_hours: 5 })
      site.backendError = new NotYet({ reason: "OpenNebula is away." })
      const { lines, failure } = yield* restarted(round())
      expect(lines).toEqual(["resource 1 2026-11 cpu ? not read", "resource 1 2026-11 cpu_hours 5 sent"])
      expect(failure?.message).toBe("OpenNebula is away.")
      site.backendError = undefined
      expect((yield* restarted(round())).lines[0]).toBe("resource 1 2026-11 cpu 2 sent")
    })
  )

  scenario("sends nothing and remembers nothing when it is only asked what it would do", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu])
      expect((yield* restarted(round({ dryRun: true }))).lines).toEqual(["resource 1 2026-11 cpu 2 would be sent"])
      expect(site.told).toEqual([])
      expect((yield* restarted(round())).lines).toEqual(["resource 1 2026-11 cpu 2 sent"])
    })
  )

  scenario("says which components are billed by usage and measured by nobody", (restarted) =>
    Effect.gen(function* () {
      const { round } = makeSite([cpu, component("traffic", 1, "usage"), component("licence", 1, "fixed")])
      const { lines, notices } = yield* restarted(round())
      expect(lines).toHaveLength(1)
      expect(notices).toEqual([
        "The component traffic is billed by usage, but not measured here: set backend_components.traffic.usage_from to one of cpu, ram, cpu_hours, or report it in another way."
      ])
    })
  )
})

describe("what Waldur does not take", () => {
  scenario("holds up no other component, and is not sent again and again", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, ram])
      site.refuse = ({ usages }) =>
        usages.some(({ type }) => type === "ram") ? invalid("Type ram is not valid.") : undefined
      const first = yield* restarted(round())
      expect(first.rows.map(({ component, outcome, detail }) => [component, outcome, detail])).toEqual([
        ["cpu", "sent", ""],
        ["ram", "refused", "Type ram is not valid."]
      ])
      let tried = 0
      site.refuse = () => {
        tried += 1
        return undefined
      }
      expect((yield* restarted(round())).rows.at(1)?.outcome).toBe("refused")
      expect(tried).toBe(0)
      yield* TestClock.adjust("25 hours")
      expect((yield* restarted(round())).rows.at(1)?.outcome).toBe("sent")
    })
  )

  scenario("as it is billed by plan is tried of a few resources, said once, and not sent again", (restarted) =>
    Effect.gen(function* () {
      const plan = ["vcpu", "vm_ram"].map((type) => component(type, 1, "fixed"))
      const { site, round } = makeSite([cpu, ...plan.map((one) => ({ ...one, usageFrom: "cpu" }))])
      site.resources = Array.from({ length: 40 }, (_, n) => resourceOf(n + 1))
      for (const { backendId } of site.resources) {
        site.now.set(Option.getOrThrow(backendId), { cpu: 2, vcpu: 2, vm_ram: 2 })
      }
      let refused = 0
      site.refuse = ({ usages }) => {
        const invalids = usages.map(({ type }) => type).filter((type) => type !== "cpu")
        refused += Math.min(1, invalids.length)
        return invalids.length === 0 ? undefined : invalid(`These components are invalid: ${invalids.join(", ")}.`)
      }
      const first = yield* restarted(round())
      const notice = "Waldur takes no usage of vcpu, vm_ram, billed by plan (fixed): it is not reported."
      expect(first.notices).toEqual([notice])
      expect(first.lines.filter((line) => !/ cpu 2 sent$/.test(line))).toEqual([])
      expect(first.lines).toHaveLength(40)
      // Of those that were at it together: all of theirs in one call, and then each alone.
      expect(refused).toBeLessThanOrEqual(4 * 3)
      const before = refused
      expect((yield* restarted(round())).notices).toEqual([notice])
      expect(refused).toBe(before)
    })
  )

  scenario("because it is away is sent when it is back", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu])
      site.refuse = () => new WaldurServerError({ call: "POST set_usage", status: 503, excerpt: "" })
      const { lines, failure } = yield* restarted(round())
      expect(lines).toEqual(["resource 1 2026-11 cpu 2 failed"])
      expect(failure?._tag).toBe("WaldurServerError")
      site.refuse = () => undefined
      expect((yield* restarted(round())).lines).toEqual(["resource 1 2026-11 cpu 2 sent"])
    })
  )
})

describe("hours", () => {
  scenario("of the month before are told with its last day, when late records have changed them", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([hours])
      site.accounts.set("101 2026-10", { cpu_hours: 700 })
      site.accounts.set("101 2026-11", { cpu_hours: 100 })
      yield* restarted(round())
      expect(site.told.map(({ date, usages }) => [date, usages[0]?.amount])).toEqual([
        ["2026-10-31T09:00:00.000Z", 700],
        [undefined, 100]
      ])
      site.accounts.set("101 2026-10", { cpu_hours: 701 })
      expect((yield* restarted(round())).lines).toEqual([
        "resource 1 2026-10 cpu_hours 701 sent",
        "resource 1 2026-11 cpu_hours 100 unchanged"
      ])
      // The month before only as far as reporting_periods goes.
      site.accounts.set("101 2026-10", { cpu_hours: 702 })
      expect((yield* restarted(round({ periods: 1 }))).lines).toEqual(["resource 1 2026-11 cpu_hours 100 unchanged"])
    })
  )

  scenario("of a month in which there were none are no news", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([hours])
      site.accounts.set("101 2026-10", { cpu_hours: 0 })
      site.accounts.set("101 2026-11", { cpu_hours: 0 })
      expect((yield* restarted(round())).lines).toEqual(["resource 1 2026-11 cpu_hours 0 sent"])
    })
  )

  scenario("that accounts have lost are not taken back", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([hours, cpu])
      site.accounts.set("101 2026-11", { cpu_hours: 100 })
      yield* restarted(round())
      site.accounts.set("101 2026-11", { cpu_hours: 40 })
      site.now.set("101", { cpu: 4 })
      const told = site.told.length
      expect((yield* restarted(round())).lines).toEqual([
        "resource 1 2026-11 cpu 4 left out",
        "resource 1 2026-11 cpu_hours 40 left out"
      ])
      expect(site.told).toHaveLength(told)
      expect((yield* restarted(round({ omitAnomalous: true }))).lines[0]).toBe("resource 1 2026-11 cpu 4 sent")
    })
  )

  scenario("of a resource that is about to end are told before it does, and not looked for after it", (restarted) =>
    Effect.gen(function* () {
      const { site, round, ending } = makeSite([cpu, hours])
      site.resources = [resourceOf(1), resourceOf(2)]
      site.accounts.set("101 2026-11", { cpu_hours: 10 })
      site.accounts.set("102 2026-11", { cpu_hours: 7 })
      yield* restarted(round())
      // Waldur takes none of a resource that has ended.
      site.refuse = ({ resource }) =>
        site.resources.some(({ state, uuid: id }) => id === resource && state === "Terminated")
          ? invalid("Resource is not in valid state.")
          : undefined
      site.resources = [resourceOf(1, { state: "Terminating" }), resourceOf(2)]
      site.accounts.set("101 2026-11", { cpu_hours: 10.4 })
      const told = site.told.length
      yield* restarted(ending(uuid(1)))
      expect(site.told.slice(told).map(({ resource, usages }) => [resource, usages])).toEqual([
        [uuid(1), [{ type: "cpu_hours", amount: 10.4 }]]
      ])
      site.resources = [resourceOf(1, { state: "Terminated" }), resourceOf(2)]
      const asked = site.asked.length
      const { rows } = yield* restarted(round())
      expect(rows.filter(({ resource }) => resource === uuid(1))).toEqual([])
      expect(site.asked.slice(asked).filter((one) => one.startsWith("resource"))).toEqual([])
    })
  )

  scenario("that a resource had until its end are told once, and then it is not looked at any more", (restarted) =>
    Effect.gen(function* () {
      const { site, round } = makeSite([cpu, hours])
      site.accounts.set("101 2026-11", { cpu_hours: 10 })
      yield* restarted(round())
      site.resources = [resourceOf(1, { state: "Terminated" })]
      site.accounts.set("101 2026-11", { cpu_hours: 10.4 })
      expect((yield* restarted(round())).lines).toEqual(["resource 1 2026-11 cpu_hours 10.4 sent"])
      const asked = site.asked.length
      expect((yield* restarted(round())).lines).toEqual([])
      expect(site.asked.slice(asked)).toEqual([])
    })
  )
})

/** A marketplace and a backend without wires, for usage reports: what they hold may be changed, and what they were asked and told is noted. */
import { Effect, Option, Schema } from "effect"
import { type Component, OfferingId, type SiteError, type Usage } from "../../src/core/index.js"
import type { Reporter } from "../../src/runtime/reports/index.js"
import { ProviderResource, type UsageReport, type WaldurError } from "../../src/waldur/index.js"

export const offering = OfferingId.make("f".repeat(32))
export const uuid = (n: number) => n.toString(16).padStart(32, "0")
export const component = (
  type: string,
  unitFactor: number,
  accountingType: Component["accountingType"]
): Component => ({
  type,
  name: type,
  measuredUnit: "",
  unitFactor,
  accountingType
})
export const cpu = component("cpu", 1, "limit")
export const ram = component("ram", 1024, "limit")
export const hours = component("cpu_hours", 1, "usage")

export const resourceOf = (n: number, more: Readonly<Record<string, unknown>> = {}) =>
  Schema.decodeUnknownSync(ProviderResource)({
    uuid: uuid(n),
    name: `resource ${n}`,
    state: "OK",
    backend_id: String(100 + n),
    ...more
  })

type Amounts = Usage["amounts"]

export const makeReported = (components: ReadonlyArray<Component>) => {
  const site = {
    resources: [resourceOf(1)],
    /** What Waldur has of usage: "resource period component" -> amount. */
    usages: new Map<string, number>(),
    /** What the backend measures, by backend id. */
    now: new Map<string, Amounts>([["101", { cpu: 2, ram: 1536 }]]),
    /** Hours, by backend id and month. */
    accounts: new Map<string, Amounts>(),
    bug: false,
    backendError: undefined as SiteError | undefined,
    /** What Waldur answers instead of taking a report. */
    refuse: (_report: UsageReport): WaldurError | undefined => undefined,
    told: [] as Array<UsageReport>,
    asked: [] as Array<string>
  }
  const usageOf = (resource: Usage["resource"], found: Amounts | undefined): Usage =>
    found === undefined ? { resource, amounts: {}, problem: "It is not there." } : { resource, amounts: found }
  const month = (at: number) => new Date(at).toISOString().slice(0, 7)
  const usagesWhere = (wanted: (resource: string, billingPeriod: string) => boolean) => ({
    items: [...site.usages].flatMap(([key, usage], index) => {
      const [resource = "", billingPeriod = "", type = ""] = key.split(" ")
      if (!wanted(resource, billingPeriod)) return []
      return [
        {
          uuid: uuid(index),
          type,
          usage: Option.some(usage),
          measuredUnit: "",
          resourceUuid: Option.some(resource),
          billingPeriod: Option.some(billingPeriod),
          date: Option.none()
        }
      ]
    }),
    malformed: []
  })
  const reporter: Reporter = {
    id: offering,
    name: "Cloud",
    components,
    quantities: [
      { name: "cpu", unit: "cores", ordered: true, measured: "now" },
      { name: "ram", unit: "MB", ordered: true, measured: "now" },
      { name: "cpu_hours", unit: "hours", ordered: false, measured: "period" }
    ],
    pluginOptions: Effect.succeed({}),
    waldur: {
      reportedResources: () =>
        Effect.sync(() => ({ items: site.resources.filter(({ state }) => state !== "Terminated"), malformed: [] })),
      resource: (wanted) => {
        site.asked.push(`resource ${wanted}`)
        return Effect.orDie(Effect.fromNullable(site.resources.find((one) => one.uuid === wanted)))
      },
      componentUsages: (resource, period) =>
        Effect.sync(() => {
          site.asked.push(`usages ${resource} ${period}`)
          return usagesWhere((of, billingPeriod) => of === resource && billingPeriod === period)
        }),
      offeringUsages: (_, period) =>
        Effect.sync(() => {
          site.asked.push(`usages of all ${period}`)
          return usagesWhere((_, billingPeriod) => billingPeriod === period)
        }),
      setUsage: (given) =>
        Effect.suspend(() => {
          const refusal = site.refuse(given)
          if (refusal !== undefined) return Effect.fail(refusal)
          site.told.push(given)
          for (const { type, amount } of given.usages)
            site.usages.set(`${given.resource} ${given.date?.slice(0, 7)}-01 ${type}`, amount)
          return Effect.void
        })
    },
    backend: {
      usage: (resources) => {
        if (site.bug) return Effect.dieMessage("a bug")
        site.asked.push("backend usage")
        return site.backendError === undefined
          ? Effect.succeed(resources.map(({ id, backendId }) => usageOf(id, site.now.get(backendId))))
          : Effect.fail(site.backendError)
      },
      accounting: (resources, spans) => {
        site.asked.push("backend accounting")
        return Effect.succeed(
          spans.map(({ from }) =>
            resources.map(({ id, backendId }) => {
              const nothing = site.now.has(backendId) ? { cpu_hours: 0 } : undefined
              return usageOf(id, site.accounts.get(`${backendId} ${month(from)}`) ?? nothing)
            })
          )
        )
      }
    }
  }
  return { site, reporter }
}

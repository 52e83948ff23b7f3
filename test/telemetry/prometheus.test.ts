/** What Prometheus reads at `/metrics` of a running agent, over HTTP. */
import { readFileSync } from "node:fs"
import { describe, expect } from "@effect/vitest"
import { Array, Effect, Record } from "effect"
import { fault } from "../../src/simulator/waldur/index.js"
import { scenario } from "../support/agent.js"
import { alerts, dashboard } from "./deploy.js"
import { readsOf } from "./promql.js"
import { eventfulSite, fetchText, type Scrape, scrapeUntil } from "./scrape.js"

/** Prometheus' conventions: https://prometheus.io/docs/practices/naming/ */
const expectWellNamed = ({ families, samples, text }: Scrape) => {
  for (const { help, name, type } of families.values()) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect(help, name).not.toBe("")
    expect(type, name).not.toBe("UNTYPED")
    // Node's own, of the library, are not all so.
    if (name.startsWith("site_actors_")) expect(name.endsWith("_total"), name).toBe(type === "COUNTER")
    if (type !== "HISTOGRAM") continue
    // The buckets of a series grow, and the last one has all.
    const series = Array.groupBy(samples.get(`${name}_bucket`) ?? [], ({ labels }) =>
      JSON.stringify({ ...labels, le: "" })
    )
    const counts = Record.map(series, (buckets) => buckets.map(({ value }) => Number(value)))
    for (const [of, own] of Object.entries(counts)) {
      expect(own, `${name} ${of}`).toEqual(own.toSorted((one, other) => one - other))
    }
    const all = (samples.get(`${name}_count`) ?? []).map(({ value }) => Number(value))
    expect(
      Object.values(counts).map((own) => own.at(-1)),
      name
    ).toEqual(all)
  }
  // One family of a name, one sample of a name and its labels.
  const lines = text.split("\n").filter((line) => line !== "")
  const declared = lines.filter((line) => line.startsWith("# TYPE"))
  expect(new Set(declared).size).toBe(declared.length)
  const series = lines.filter((line) => !line.startsWith("#")).map((line) => line.replace(/ \S+$/, ""))
  expect(new Set(series).size).toBe(series.length)
  expect(text.endsWith("\n")).toBe(true)
}

/** What Prometheus adds to every series. */
const ofPrometheus = new Set(["job", "instance"])

/** Every metric, every label and every value of a label that rules and panels ask for is in a scrape. */
const expectReadable = (scrapes: ReadonlyArray<Scrape>) => {
  const expressions = [
    ...alerts().map(({ expr }) => expr),
    ...dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard().templating.list.flatMap(
      ({ definition = "" }) => /^label_values\((\w+), \w+\)$/.exec(definition)?.[1] ?? []
    )
  ]
  for (const expression of expressions) {
    const { grouping, selectors } = readsOf(expression)
    const read = selectors.filter(({ metric }) => metric !== "up")
    const samples = read.map(({ metric }) => scrapes.flatMap((one) => one.samples.get(metric) ?? []))
    for (const [index, { matchers, metric }] of read.entries()) {
      const own = samples[index] ?? []
      const declared = scrapes.some(({ families }) => families.get(metric)?.metrics.length === 0)
      expect(own.length > 0 || declared, `${metric} of ${expression}`).toBe(true)
      for (const { label, operator, value } of matchers) {
        if (ofPrometheus.has(label)) continue
        const wanted = new RegExp(operator === "=~" ? `^(?:${value})$` : `^${value.replace(/\W/g, "\\$&")}$`)
        const found = own.some(({ labels }) => wanted.test(labels?.[label] ?? "-"))
        expect(found, `${label}${operator}${value} of ${metric}`).toBe(true)
      }
    }
    for (const label of grouping) {
      expect(
        samples.flat().some(({ labels }) => labels?.[label] !== undefined),
        `${label} in ${expression}`
      ).toBe(true)
    }
  }
}

/** Names in the table of docs/monitoring.md. */
const documented = () =>
  [...readFileSync("docs/monitoring.md", "utf8").matchAll(/^\| `(site_actors_\w+)`/gm)].map(([, name]) => name ?? "")

describe("Prometheus", () => {
  scenario("reads what the agent did, under names by its conventions, with bounded labels and no secret", () =>
    Effect.gen(function* () {
      const { site, url, worked } = yield* eventfulSite
      const answer = yield* fetchText(`${url}/metrics`)
      expect(answer).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" })
      expectWellNamed(worked)

      const { value } = worked
      const vdc = { offering: "VDC" }
      expect(value("site_actors_orders_accepted_total", { ...vdc, type: "Create" })).toBe(2)
      expect(value("site_actors_orders_ended_total", { ...vdc, type: "Create", outcome: "done" })).toBe(1)
      expect(value("site_actors_orders_ended_total", { ...vdc, type: "Create", outcome: "erred" })).toBe(1)
      expect(value("site_actors_order_duration_seconds", { ...vdc, type: "Terminate", outcome: "done" })).toBe(1)
      expect(value("site_actors_order_retries_total", vdc)).toBeGreaterThanOrEqual(1)
      expect(value("site_actors_orders_at_work", vdc)).toBeUndefined()
      expect(
        value("site_actors_call_duration_seconds", { system: "opennebula", call: "one.group.allocate" })
      ).toBeGreaterThanOrEqual(1)
      expect(value("site_actors_call_errors_total", { system: "opennebula", call: "one.vdc.allocate" })).toBe(1)
      expect(
        value("site_actors_call_duration_seconds", {
          system: "waldur",
          call: "POST marketplace-orders/{uuid}/set_state_done/"
        })
      ).toBe(2)
      expect(value("site_actors_journal_write_duration_seconds")).toBeGreaterThan(20)
      expect(value("site_actors_offering_ready", vdc)).toBe(1)
      expect(value("site_actors_offering_state", { ...vdc, state: "ok" })).toBe(1)
      expect(value("site_actors_endpoint_away", { endpoint: site.config.offerings[0]?.waldur.apiUrl ?? "" })).toBe(0)
      expect(value("site_actors_leftovers")).toBe(0)
      expect(value("site_actors_quarantined_resources")).toBe(0)
      expect(value("site_actors_last_success_timestamp_seconds", { ...vdc, work: "orders" })).toBeGreaterThan(
        Date.now() / 1000 - 60
      )
      expect(value("process_resident_memory_bytes")).toBeGreaterThan(1_000_000)
      expect(value("process_cpu_seconds_total")).toBeGreaterThan(0)
      expect(value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0)

      // An order's or a resource's uuid as a label would be a series for each of them.
      const uuids = [...site.marketplace.orders.keys(), ...site.marketplace.resources.keys()]
      expect(uuids.length).toBeGreaterThan(3)
      for (const hidden of [...uuids, site.world.agentToken, site.cloud.session, "counted"]) {
        expect(worked.text).not.toContain(hidden)
      }

      site.cloud.intercept(() => ({ _tag: "HttpError", when: "before", status: 503 }))
      // Several, so that the five failures in a row come soon.
      for (const name of ["one", "two", "three", "four"]) yield* site.place.vdc(name)
      const away = yield* scrapeUntil(
        url,
        (now) =>
          now.value("site_actors_endpoint_away", { endpoint: endpointOf(now) }) === 1 &&
          now.value("site_actors_orders_at_work", { ...vdc, type: "Create", state: "waiting" }) === 4
      )
      site.marketplace.intercept(() => fault.status(502))
      const blind = yield* scrapeUntil(
        url,
        (now) => now.value("site_actors_rounds_total", { work: "orders", outcome: "failed" }) !== undefined
      )
      expectReadable([worked, away, blind])
      const own = [...worked.families.keys()].filter((name) => name.startsWith("site_actors_"))
      expect(documented().toSorted()).toEqual(own.toSorted())
      expect(away.value("site_actors_offering_ready", vdc)).toBe(0)
      expect(away.value("site_actors_offering_state", { ...vdc, state: "degraded" })).toBe(1)
      expect(away.value("site_actors_breaker_openings_total", { endpoint: endpointOf(away) })).toBe(1)
    })
  )
})

/** The front-end's, as its series has it. */
const endpointOf = ({ families }: Scrape): string =>
  families
    .get("site_actors_endpoint_away")
    ?.metrics.map(({ labels }) => labels?.endpoint ?? "")
    .find((endpoint) => endpoint.endsWith("/RPC2")) ?? ""

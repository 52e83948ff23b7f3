/** A running agent with something of everything behind it, and what Prometheus reads of it then, by a parser that is not ours. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import parse, { type Family, type Sample } from "parse-prometheus-text-format"
import { listen } from "../../src/runtime/http/serve.js"
import { fault } from "../../src/simulator/waldur/index.js"
import { eventTiming } from "../../src/waldur/index.js"
import { quick } from "../events/support.js"
import { makeSite } from "../support/agent.js"

export const fetchText = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() }
  })

export type Labels = Readonly<Record<string, string>>

export interface Scrape {
  readonly text: string
  readonly families: ReadonlyMap<string, Family>
  /** Name -> samples; of histograms `..._bucket`, `..._sum` and `..._count`. */
  readonly samples: ReadonlyMap<string, ReadonlyArray<Sample>>
  /** Value of the sample with these labels, or the count of the histogram; `undefined`: there is none. */
  readonly value: (name: string, labels?: Labels) => number | undefined
}

/** The parser throws the labels of histograms together; without their types it gives their parts, sample by sample. */
const withoutHistograms = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !/^# TYPE \S+ histogram$/.test(line))
    .join("\n")

export const scrapeOf = (text: string): Scrape => {
  const families = new Map(parse(text).map((family) => [family.name, family]))
  // Their parts take turns, so each of these names comes several times.
  const samples = new Map<string, ReadonlyArray<Sample>>()
  for (const { metrics, name } of parse(withoutHistograms(text))) {
    samples.set(name, [...(samples.get(name) ?? []), ...metrics])
  }
  const hasLabels = (sample: Sample, labels: Labels) =>
    Object.entries(labels).every(([key, value]) => sample.labels?.[key] === value)
  return {
    text,
    families,
    samples,
    value: (name, labels = {}) => {
      const known = samples.get(families.get(name)?.type === "HISTOGRAM" ? `${name}_count` : name)
      const found = known?.find((sample) => hasLabels(sample, labels))?.value
      return found === undefined ? undefined : Number(found)
    }
  }
}

export const scrape = (url: string): Effect.Effect<Scrape> =>
  Effect.map(fetchText(`${url}/metrics`), ({ text }) => scrapeOf(text))

/** Completes with the first answer that fulfils the condition. */
export const scrapeUntil = (url: string, condition: (scrape: Scrape) => boolean) =>
  scrape(url).pipe(Effect.delay("50 millis"), Effect.repeat({ until: condition }), Effect.timeout("60 seconds"))

/**
 * Two orders that are done, one of them after a lost answer; one that errs; usage and members that were told of; events; and a front-end
 * that is away at the end.
 */
export const eventfulSite = Effect.gen(function* () {
  const site = yield* makeSite({
    vdcOffering: {
      stomp_enabled: true,
      websocket_use_tls: false,
      reporting_backend: "opennebula",
      membership_sync_backend: "opennebula"
    },
    root: { observation_interval: 1 }
  })
  let lost = false
  site.cloud.intercept(({ method }) => {
    if (method !== "one.vdc.allocate" || lost) return undefined
    lost = true
    return { _tag: "Drop", when: "after" }
  })
  // Read again at once.
  site.marketplace.intercept(({ earlier, method, path }) =>
    method === "GET" && path === "/api/marketplace-orders/" && earlier === 3 ? fault.status(502) : undefined
  )
  const agent = yield* Effect.locally(site.start(), eventTiming, quick)
  const url = yield* listen(site.config, "127.0.0.1", 0).pipe(Effect.provide(agent.services))
  const { resource, ...order } = yield* site.order.vdc("counted")
  expect(order.state).toBe("done")
  const refused = yield* site.order.vdc("refused", { attributes: { subnet_cidr: "no network" } })
  expect(refused.state).toBe("erred")
  expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
  const worked = yield* scrapeUntil(
    url,
    ({ value }) =>
      ["orders", "observation", "usage", "membership"].every(
        (work) => value("site_actors_rounds_total", { work, outcome: "ok" }) !== undefined
      ) &&
      value("site_actors_orders_ended_total", { type: "Terminate" }) === 1 &&
      // Its actor leaves it a moment after that.
      value("site_actors_orders_at_work") === undefined &&
      value("site_actors_events_connected") === 1
  )
  return { site, agent, url, worked }
})

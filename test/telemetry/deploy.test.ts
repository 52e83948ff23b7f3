/** Each alert has its page, and says who is to be woken. That its metrics exist is shown by `prometheus.test.ts`. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { alerts, dashboard } from "./deploy.js"
import { readsOf } from "./promql.js"

describe("deploy/", () => {
  it("has a page for each alert, with what it means, what to look at and what to do, and no page for none", () => {
    const text = readFileSync("docs/alerts.md", "utf8")
    const pages = new Map(
      text
        .split(/^## /m)
        .slice(1)
        .map((page) => [page.split("\n")[0] ?? "", page])
    )
    expect([...pages.keys()].toSorted()).toEqual(
      alerts()
        .map(({ alert }) => alert)
        .toSorted()
    )
    for (const { alert, annotations, labels } of alerts()) {
      expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`)
      const page = pages.get(alert)
      expect(page, alert).toContain(`**${labels.severity}.**`)
      expect(page, alert).toContain("- Look: ")
    }
  })

  it("has a dashboard whose panels do not repeat an id and whose expressions are PromQL", () => {
    const { panels } = dashboard()
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    expect(expressions.length).toBeGreaterThan(20)
    for (const expression of expressions) expect(readsOf(expression).selectors, expression).not.toEqual([])
  })

  it("shows on its dashboard what each alert rests on, and everything that concerns several processes", () => {
    const metricsOf = (expressions: ReadonlyArray<string>) =>
      new Set(expressions.flatMap((one) => readsOf(one).selectors.map(({ metric }) => metric)))
    const shown = metricsOf(dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)))
    // `up` is Prometheus' own; the state is shown as being ready or not.
    const others = new Set(["up", "site_actors_offering_state"])
    const alerted = [...metricsOf(alerts().map(({ expr }) => expr))].filter((metric) => !others.has(metric))
    for (const metric of [...alerted, "site_actors_left_out"]) expect(shown, metric).toContain(metric)
  })

  it("is held to what a parser finds", () => {
    expect(readsOf('sum by (le, offering) (rate(a_total{b="c", d=~"$offering"}[$__rate_interval]))')).toEqual({
      selectors: [
        {
          metric: "a_total",
          matchers: [
            { label: "b", operator: "=", value: "c" },
            { label: "d", operator: "=~", value: ".*" }
          ]
        }
      ],
      grouping: ["le", "offering"]
    })
    expect(() => readsOf("sum(a")).toThrow("not PromQL")
  })
})

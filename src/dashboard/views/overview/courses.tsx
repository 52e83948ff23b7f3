/** How it has been going: orders, how long they took, and how the servers answered. */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import type { Series, Span } from "../../../api/index.js"
import { Chart, type Line } from "../../parts/chart.js"
import { Switch } from "../../parts/filters.js"
import { number, span } from "../../parts/format.js"
import { Shown } from "../../parts/states.js"
import { systemLine, systemName } from "../../parts/systems.js"
import { useAsked } from "../../state/asked.js"

const spans = [
  ["hour", "Last hour"],
  ["day", "Last day"]
] as const

const ofSystems = (series: Series, figures: "p95" | "errors"): ReadonlyArray<Line> =>
  series.systems.map((system) => ({
    name: systemName(system.system),
    ...systemLine(system.system),
    figures: system[figures]
  }))

const Charts = ({ series }: { readonly series: Series }) => {
  const { at, orders, step } = series
  const per = step < 120_000 ? "a minute" : `in ${span(step)}`
  return (
    <div class="charts">
      <Chart
        title={`Orders ${per}`}
        at={at}
        written={number}
        lines={[
          { name: "accepted", colour: "--muted", dash: [2, 3], figures: orders.accepted },
          { name: "done", colour: "--accent", filled: true, figures: orders.done },
          { name: "erred", colour: "--bad", dash: [6, 3], figures: orders.erred }
        ]}
      />
      <Chart
        title="How long orders took"
        at={at}
        written={span}
        lines={[
          { name: "median", colour: "--accent", figures: orders.p50 },
          { name: "95 %", colour: "--second", dash: [6, 3], figures: orders.p95 }
        ]}
      />
      <Chart title="Time to answer, 95 %" at={at} written={span} lines={ofSystems(series, "p95")} />
      <Chart
        title={`Calls that failed, and retries, ${per}`}
        at={at}
        written={number}
        lines={[
          ...ofSystems(series, "errors"),
          { name: "retries", colour: "--waits", dash: [1, 2], figures: series.retries }
        ]}
      />
    </div>
  )
}

export const Courses = () => {
  const chosen = useSignal<Span>("hour")
  const asked = useAsked("overview.series", { query: { span: chosen.value } }, () => false)
  useEffect(() => {
    const timer = setInterval(asked.again, 15_000)
    return () => clearInterval(timer)
  }, [])
  return (
    <section class="panel" aria-labelledby="courses">
      <div class="panel-head">
        <h2 id="courses">How it has been going</h2>
        <Switch
          label="How far back"
          options={spans}
          chosen={chosen.value}
          choose={(value) => {
            chosen.value = value
          }}
        />
      </div>
      <Shown asked={asked} what="the charts" rows={8}>
        {(series) => <Charts series={series} />}
      </Shown>
    </section>
  )
}

/** What lies in `deploy/` for Grafana and Prometheus, as far as it can be held against a scrape. */
import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { parse } from "yaml"

const Dashboard = Schema.parseJson(
  Schema.Struct({
    panels: Schema.Array(
      Schema.Struct({
        id: Schema.Number,
        type: Schema.String,
        title: Schema.String,
        targets: Schema.optionalWith(
          Schema.Array(Schema.Struct({ expr: Schema.String, legendFormat: Schema.String })),
          { default: () => [] }
        )
      })
    ),
    templating: Schema.Struct({ list: Schema.Array(Schema.Struct({ definition: Schema.optional(Schema.String) })) })
  })
)
export const dashboard = () => Schema.decodeSync(Dashboard)(readFileSync("deploy/grafana/site-actors.json", "utf8"))

const Alerts = Schema.Struct({
  groups: Schema.Array(
    Schema.Struct({
      rules: Schema.Array(
        Schema.Struct({
          alert: Schema.String,
          expr: Schema.String,
          for: Schema.String,
          labels: Schema.Struct({ severity: Schema.Literal("page", "ticket") }),
          annotations: Schema.Struct({
            summary: Schema.String,
            description: Schema.String,
            runbook_url: Schema.String
          })
        })
      )
    })
  )
})
export const alerts = () =>
  Schema.decodeUnknownSync(Alerts)(parse(readFileSync("deploy/prometheus/alerts.yaml", "utf8"))).groups.flatMap(
    ({ rules }) => rules
  )

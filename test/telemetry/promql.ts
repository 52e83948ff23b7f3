/** What a PromQL expression reads, by the parser of Prometheus' own page. */
import { parser } from "@prometheus-io/lezer-promql"

export interface Selector {
  readonly metric: string
  /** `state=~"stopped|closed"`: label, operator and value. */
  readonly matchers: ReadonlyArray<{ readonly label: string; readonly operator: string; readonly value: string }>
}

export interface Reads {
  readonly selectors: ReadonlyArray<Selector>
  /** `sum by (offering)`. */
  readonly grouping: ReadonlyArray<string>
}

/** Throws if it is not PromQL. Grafana's own variables are put in before. */
export const readsOf = (expression: string): Reads => {
  const text = expression.replaceAll("$__rate_interval", "5m").replace(/\$[a-z_]+/g, ".*")
  const at = (node: { readonly from: number; readonly to: number }) => text.slice(node.from, node.to)
  const selectors: Array<Selector> = []
  const grouping: Array<string> = []
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${text}`)
      if (node.name === "GroupingLabels") grouping.push(...node.node.getChildren("LabelName").map(at))
      if (node.name !== "VectorSelector") return
      const name = node.node.getChild("Identifier")
      const matchers = node.node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []
      selectors.push({
        metric: name === null ? "" : at(name),
        matchers: matchers.map((matcher) => {
          const [, label = "", operator = "", value = ""] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(at(matcher)) ?? []
          return { label, operator, value }
        })
      })
    }
  })
  return { selectors, grouping }
}

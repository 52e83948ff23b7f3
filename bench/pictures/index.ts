/** Pictures of the figures, as SVG. */
import type { Figure } from "../figures.js"
import { bars } from "./bars.js"
import { lines } from "./lines.js"

export interface Picture {
  readonly file: string
  readonly text: string
}

const valueOf = (figures: ReadonlyArray<Figure>, what: string) => figures.find((figure) => figure.what === what)?.value

const kinds = ["VDC create", "VM create", "VM resize", "VM terminate", "VDC terminate"]

/** Only those whose figures there are. */
export const pictures = (figures: ReadonlyArray<Figure>): ReadonlyArray<Picture> => {
  const groups = kinds.flatMap((kind) => {
    const of = (what: string) => valueOf(figures, `${kind}: ${what}`)
    const [least, backend, total] = [of("what can be reached"), of("first backend call to last"), of("event to done")]
    return least === undefined || backend === undefined || total === undefined
      ? []
      : [{ name: kind, values: [least, backend, total] }]
  })
  const grown = figures.flatMap(({ value, what }) => {
    const [, orders, name] = /^growth, (\d+) orders: (.+)$/.exec(what) ?? []
    return orders === undefined || name === undefined ? [] : [{ orders: Number(orders), name, value }]
  })
  const units = {
    "orders a second": "orders/s",
    "processor time": "ms an order",
    calls: "calls an order",
    "memory at most": "MB"
  }
  return [
    ...(groups.length === 0
      ? []
      : [
          {
            file: "docs/img/latency.svg",
            text: bars({
              title: "One order, in ms: what can be reached, the backend's part, event to done",
              series: ["what can be reached of the backend", "first backend call to last", "event to done"],
              groups
            })
          }
        ]),
    ...(grown.length === 0
      ? []
      : [
          {
            file: "docs/img/growth.svg",
            text: lines({
              title: "As orders at once grow",
              panels: Object.entries(units).map(([name, unit]) => ({
                title: `${name} (${unit})`,
                points: grown
                  .filter((point) => point.name === name)
                  .map(({ orders, value }) => ({ x: orders, y: value }))
              }))
            })
          }
        ])
  ]
}

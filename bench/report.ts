/** Figures as text, and ratios against those that are kept. */
import { Schema } from "effect"
import { table } from "../src/runtime/terminal/table.js"
import { type Figure, isReached } from "./figures.js"

export const kept = "bench/ratios.json"
const Ratios = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Number }))

/** A ratio may be so many times worse than the one that was kept. */
const tolerance = 1.25

const shown = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)))

const reachOf = ({ reach }: Figure): string =>
  reach === undefined ? "" : "atMost" in reach ? `<= ${shown(reach.atMost)}` : `>= ${shown(reach.atLeast)}`

const verdictOf = (figure: Figure): string => {
  const reached = isReached(figure)
  return reached === undefined ? "" : reached ? "reached" : "NOT reached"
}

export const report = (name: string, figures: ReadonlyArray<Figure>): string =>
  table(
    [
      { title: name },
      { title: "figure", align: "right" },
      { title: "unit" },
      { title: "to reach" },
      { title: "" },
      { title: "ratio" }
    ],
    figures.map((figure) => [
      figure.note === undefined ? figure.what : `${figure.what} (${figure.note})`,
      shown(figure.value),
      figure.unit,
      reachOf(figure),
      verdictOf(figure),
      figure.ratio === undefined ? "" : `${shown(figure.ratio.value)} times ${figure.ratio.of}`
    ])
  )

const ratiosOf = (figures: ReadonlyArray<Figure>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    figures.flatMap(({ ratio, what }) => (ratio === undefined ? [] : [[what, Number(ratio.value.toPrecision(4))]]))
  )

/** What was kept, with these figures' ratios in place of the old ones. */
export const keptRatios = (before: string, figures: ReadonlyArray<Figure>): string =>
  `${JSON.stringify({ ...Schema.decodeUnknownSync(Ratios)(before), ...ratiosOf(figures) }, undefined, 2)}\n`

/** Of two runs of one benchmark, each figure as it was where its ratio is better. */
export const better = (one: ReadonlyArray<Figure>, other: ReadonlyArray<Figure>): ReadonlyArray<Figure> =>
  one.map((figure) => {
    const again = other.find(({ what }) => what === figure.what)
    return again?.ratio !== undefined && figure.ratio !== undefined && again.ratio.value < figure.ratio.value
      ? again
      : figure
  })

/** One sentence for each ratio that is worse than it may be. */
export const regressions = (before: string, figures: ReadonlyArray<Figure>): ReadonlyArray<string> => {
  const allowed = Schema.decodeUnknownSync(Ratios)(before)
  return Object.entries(ratiosOf(figures)).flatMap(([what, now]) => {
    const was = allowed[what]
    return was !== undefined && now > was * tolerance
      ? [`${what}: the ratio is ${shown(now)}, kept is ${shown(was)}, more than 25 % worse.`]
      : []
  })
}

/** Groups of bars, one under the other. */
import { colours, frame, label, rounded } from "./svg.js"

export interface Bars {
  readonly title: string
  readonly series: ReadonlyArray<string>
  readonly groups: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<number> }>
}

const bar = 18
const left = 130
const width = 760

export const bars = ({ groups, series, title }: Bars): string => {
  const most = Math.max(...groups.flatMap(({ values }) => values))
  const groupHeight = series.length * bar + 16
  const scale = (width - left - 90) / most
  const legend = series.map((name, at) => {
    const x = 20 + at * 240
    return `<rect x="${x}" y="42" width="12" height="12" fill="${colours[at]}"/>${label(x + 18, 53, name)}`
  })
  const drawn = groups.flatMap(({ name, values }, group) => {
    const top = 72 + group * groupHeight
    return [
      label(left - 10, top + (series.length * bar) / 2 + 4, name, "end"),
      ...values.map(
        (value, at) =>
          `<rect x="${left}" y="${top + at * bar}" width="${(value * scale).toFixed(1)}" height="${bar - 3}" fill="${colours[at]}"/>${label(left + value * scale + 6, top + at * bar + 12, rounded(value))}`
      )
    ]
  })
  return frame(width, 72 + groups.length * groupHeight, title, [...legend, ...drawn])
}

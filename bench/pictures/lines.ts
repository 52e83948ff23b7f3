/** Panels with one line each; the x axis is logarithmic, y begins at 0. */
import { colours, frame, label, rounded } from "./svg.js"

interface Point {
  readonly x: number
  readonly y: number
}
export interface Lines {
  readonly title: string
  readonly panels: ReadonlyArray<{ readonly title: string; readonly points: ReadonlyArray<Point> }>
}

const size = { width: 350, height: 190 }

const panel = (at: number, title: string, points: ReadonlyArray<Point>): ReadonlyArray<string> => {
  const left = 30 + (at % 2) * (size.width + 20)
  const top = 60 + Math.floor(at / 2) * (size.height + 60)
  const logs = points.map(({ x }) => Math.log10(x))
  const [first, last] = [Math.min(...logs), Math.max(...logs)]
  const most = Math.max(...points.map(({ y }) => y)) * 1.15
  const place = ({ x, y }: Point): readonly [number, number] => [
    left + 20 + ((Math.log10(x) - first) / Math.max(last - first, 0.01)) * (size.width - 60),
    top + size.height - (y / most) * size.height
  ]
  const path = points
    .map((point) =>
      place(point)
        .map((value) => value.toFixed(1))
        .join(",")
    )
    .join(" ")
  return [
    label(left, top - 8, title, "start", 13),
    `<line x1="${left}" y1="${top + size.height}" x2="${left + size.width}" y2="${top + size.height}" stroke="#999"/>`,
    `<polyline points="${path}" fill="none" stroke="${colours[1]}" stroke-width="2"/>`,
    ...points.flatMap((point) => {
      const [x, y] = place(point)
      return [
        `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" fill="${colours[1]}"/>`,
        label(x, y - 8, rounded(point.y), "middle", 11),
        label(x, top + size.height + 16, point.x.toLocaleString("en"), "middle", 11)
      ]
    })
  ]
}

export const lines = ({ panels, title }: Lines): string =>
  frame(
    2 * size.width + 80,
    60 + Math.ceil(panels.length / 2) * (size.height + 60),
    title,
    panels.flatMap(({ points, title: name }, at) => (points.length === 0 ? [] : panel(at, name, points)))
  )

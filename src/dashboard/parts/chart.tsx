/** A line chart over time (uplot). Its legend says the latest figures in words, for whoever cannot see the lines. */
import { useEffect, useRef } from "preact/hooks"
import UPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { dark } from "../state/theme.js"
import { clockTime } from "./format.js"

export interface Line {
  readonly name: string
  /** A custom property of `tokens.css`. */
  readonly colour: string
  readonly dash?: ReadonlyArray<number>
  readonly filled?: boolean
  readonly figures: ReadonlyArray<number | null>
}

interface ChartProps {
  readonly title: string
  /** ms since 1970 */
  readonly at: ReadonlyArray<number>
  readonly lines: ReadonlyArray<Line>
  readonly written: (figure: number) => string
}

const height = 132

const options = (props: ChartProps, width: number, colourOf: (name: string) => string): UPlot.Options => {
  const font = "11.5px 'Plex Sans', system-ui, sans-serif"
  const grid = { stroke: colourOf("--line"), width: 1 }
  return {
    width,
    height,
    // On the right for the half of a label that stands at the end.
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { time: true },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] }
    },
    axes: [
      {
        stroke: colourOf("--muted"),
        font,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        size: 28,
        space: 70,
        values: (_, ticks) => ticks.map((tick) => clockTime(tick * 1000).slice(0, 5))
      },
      {
        stroke: colourOf("--muted"),
        font,
        grid,
        ticks: { show: false },
        // "1 min 40 s" needs more than most.
        size: (_, ticks) => Math.max(56, 14 + 6.5 * Math.max(0, ...(ticks ?? []).map(({ length }) => length))),
        space: 32,
        values: (_, ticks) => ticks.map(props.written)
      }
    ],
    series: [
      {},
      ...props.lines.map(({ name, colour, dash, filled }) => ({
        label: name,
        stroke: colourOf(colour),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
        ...(dash === undefined ? {} : { dash: [...dash] }),
        ...(filled === true ? { fill: `color-mix(in srgb, ${colourOf(colour)} 14%, transparent)` } : {})
      }))
    ]
  }
}

const data = ({ at, lines }: ChartProps): UPlot.AlignedData => [
  at.map((time) => time / 1000),
  ...lines.map(({ figures }) => [...figures])
]

export const Chart = (props: ChartProps) => {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const shape = JSON.stringify([dark.value, props.lines.map(({ name }) => name)])

  useEffect(() => {
    const element = place.current
    if (element === null) return
    const style = getComputedStyle(element)
    // `light-dark()` is resolved by asking for a colour that is in use, not by reading the property's text.
    const colourOf = (name: string): string => {
      element.style.color = `var(${name})`
      const resolved = style.color
      element.style.color = ""
      return resolved
    }
    const made = new UPlot(options(props, element.clientWidth, colourOf), data(props), element)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
    }
  }, [shape])

  useEffect(() => {
    plot.current?.setData(data(props))
  }, [props.at, props.lines])

  const latest = (figures: ReadonlyArray<number | null>) => figures.findLast((figure) => figure !== null)
  return (
    <figure class="chart">
      <figcaption>
        <h3>{props.title}</h3>
        <ul class="legend">
          {props.lines.map((line) => {
            const last = latest(line.figures)
            return (
              <li key={line.name}>
                <svg viewBox="0 0 18 8" aria-hidden="true">
                  <path
                    d="M1 4h16"
                    stroke={`var(${line.colour})`}
                    stroke-width="2.5"
                    stroke-dasharray={line.dash?.join(" ") ?? "none"}
                  />
                </svg>
                {line.name}
                <strong>{last === undefined || last === null ? "none" : props.written(last)}</strong>
              </li>
            )
          })}
        </ul>
      </figcaption>
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  )
}

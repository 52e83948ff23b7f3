/** The steps as bars over the order's time: done, waited, tried again, undone. A step opens to show what it did in detail. */
import { useSignal } from "@preact/signals"
import type { Bar, OrderDetail, Step } from "../../../api/index.js"
import { span } from "../../parts/format.js"
import { Empty } from "../../parts/states.js"
import { Status, stepLooks } from "../../parts/status.js"
import { now } from "../../state/clock.js"
import { StepDetail } from "./step-detail.js"
import { barWords } from "./words.js"

export interface Frame {
  readonly from: number
  readonly to: number
}

const share = ({ from, to }: Frame, at: number): number =>
  to <= from ? 0 : Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100))

const barClass = ({ kind, outcome, to }: Bar): string => {
  if (kind === "waiting") return "waiting"
  if (kind === "undoing") return outcome === "undo-failed" ? "undoing failed" : "undoing"
  if (to === null) return "doing running"
  return outcome === "failed" ? "failed" : outcome === "interrupted" ? "broke" : "doing"
}

const Track = ({
  step,
  frame,
  turned
}: {
  readonly step: Step
  readonly frame: Frame
  readonly turned: number | undefined
}) => (
  <div class="track">
    {turned === undefined ? null : <i class="turn" style={{ left: `${share(frame, turned)}%` }} />}
    {step.bars.map((bar) => {
      const left = share(frame, bar.from)
      const width = share(frame, bar.to ?? frame.to) - left
      return (
        <i
          key={`${bar.kind} ${bar.from}`}
          class={`bar ${barClass(bar)}`}
          style={{ left: `${left}%`, width: `${width}%` }}
          title={`${barWords(bar, frame.to)}${bar.error === "" ? "" : `\n${bar.error}`}`}
        />
      )
    })}
    <span class="heard">{step.bars.map((bar) => barWords(bar, frame.to)).join("; ")}</span>
  </div>
)

const Axis = ({ frame }: { readonly frame: Frame }) => (
  <div class="axis" aria-hidden="true">
    {[0, 0.25, 0.5, 0.75, 1].map((part) => (
      <span key={part} style={{ left: `${part * 100}%` }} class={part === 0 ? "first" : part === 1 ? "last" : ""}>
        {part === 0 ? "0" : span((frame.to - frame.from) * part)}
      </span>
    ))}
  </div>
)

/** Until it was done, with its waits; what undoing took is another thing. */
const took = ({ bars }: Step, at: number): number => {
  const done = bars.filter(({ kind }) => kind !== "undoing")
  const [first] = done
  const last = done.at(-1)
  return first === undefined || last === undefined ? 0 : (last.to ?? at) - first.from
}

const Row = ({
  order,
  step,
  frame,
  turned
}: {
  readonly order: OrderDetail
  readonly step: Step
  readonly frame: Frame
  readonly turned: number | undefined
}) => {
  const open = useSignal(false)
  const tries = step.bars.filter(({ kind }) => kind === "doing").length
  const detail = `step-${step.name.replaceAll(/\W/g, "-")}`
  return (
    <>
      <tr class={open.value ? "opened" : ""}>
        <th scope="row">
          <div class="named">
            <button
              type="button"
              class="opener"
              aria-expanded={open.value}
              aria-controls={detail}
              onClick={() => {
                open.value = !open.value
              }}
            >
              {step.name}
            </button>
            {/^\{|^$|^true$|^false$/.test(step.result) ? null : (
              <span class="muted small mono clip">{step.result}</span>
            )}
          </div>
        </th>
        <td class="bars">
          <Track step={step} frame={frame} turned={turned} />
        </td>
        <td class="figure nowrap">
          {span(took(step, frame.to))}
          {tries > 1 ? <span class="muted small reason">{tries} tries</span> : null}
        </td>
        <td class="nowrap">
          <Status look={stepLooks[step.status]} />
        </td>
      </tr>
      <tr id={detail} class="detail" hidden={!open.value}>
        <td colSpan={4}>{open.value ? <StepDetail order={order} step={step} at={frame.to} /> : null}</td>
      </tr>
    </>
  )
}

const legend = [
  ["doing", "done"],
  ["broke", "broke off"],
  ["waiting", "waited"],
  ["failed", "refused"],
  ["undoing", "undone"]
] as const

export const Timeline = ({ order }: { readonly order: OrderDetail }) => {
  const { steps, ended } = order
  if (steps.length === 0) {
    return (
      <Empty title="No step has begun yet">The first one will be here as soon as it is written into the journal.</Empty>
    )
  }
  const frame: Frame = { from: order.accepted, to: ended ?? Math.max(now.value, order.now) }
  // From here it went back.
  const turned = order.marks.findLast(({ event }) => event === "failed" || event === "cancel")?.at
  return (
    <>
      <table class="timeline">
        <caption class="heard">Steps in the order in which they began</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="bars">
              <span class="heard">Course</span>
              <Axis frame={frame} />
            </th>
            <th scope="col" class="figure">
              Took
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <Row key={step.name} order={order} step={step} frame={frame} turned={turned} />
          ))}
        </tbody>
      </table>
      <ul class="keys" aria-hidden="true">
        {legend.map(([kind, word]) => (
          <li key={kind}>
            <i class={`bar ${kind}`} />
            {word}
          </li>
        ))}
        {turned === undefined ? null : (
          <li>
            <i class="turn" />
            from here it went back
          </li>
        )}
      </ul>
    </>
  )
}

/** An order's entries as a timeline: each step's bars, and what concerns the order as a whole. Pure. */
import { Schema } from "effect"
import type { Bar, Call, Mark, Step } from "../../api/index.js"
import { type JournalEntry, wholeOrder } from "../../core/index.js"
import { textOf } from "../journal/history.js"

type Outcome = Exclude<Bar["outcome"], null>

/** What ends which kind of bar. */
const endings: Readonly<Record<string, { readonly kind: Bar["kind"]; readonly outcome: Outcome }>> = {
  finished: { kind: "doing", outcome: "finished" },
  adopted: { kind: "doing", outcome: "adopted" },
  failed: { kind: "doing", outcome: "failed" },
  interrupted: { kind: "doing", outcome: "interrupted" },
  undone: { kind: "undoing", outcome: "undone" },
  "undo-failed": { kind: "undoing", outcome: "undo-failed" }
}
const withError = new Set(["failed", "interrupted", "undo-failed"])

/** The bars of one step, from its entries, oldest first. `over`: when the order ended. */
export const barsOf = (entries: ReadonlyArray<JournalEntry>, over: number | null): ReadonlyArray<Bar> => {
  const bars: Array<Bar> = []
  const close = (at: number, outcome: Bar["outcome"], error: string) => {
    const last = bars.pop()
    if (last !== undefined) bars.push({ ...last, to: at, outcome, error })
  }
  const isOpen = () => bars.at(-1)?.to === null
  const begin = (kind: Bar["kind"], at: number) => {
    // Begun, and nothing was written of its end: the process died in between.
    if (isOpen()) close(at, "interrupted", "Nothing was written of its end: the agent stopped in between.")
    const last = bars.at(-1)
    if (kind === "doing" && last?.outcome === "interrupted" && last.to !== null && last.to < at) {
      bars.push({ kind: "waiting", from: last.to, to: at, outcome: null, error: "" })
    }
    bars.push({ kind, from: at, to: null, outcome: null, error: "" })
  }
  for (const { at, data, event } of entries) {
    if (event === "started") begin("doing", at)
    if (event === "undoing") begin("undoing", at)
    const ending = endings[event]
    if (ending === undefined) continue
    // Found as an earlier attempt had left it, without a call of its own.
    if (!isOpen()) begin(ending.kind, at)
    close(at, ending.outcome, withError.has(event) ? textOf(data) : "")
  }
  const last = bars.at(-1)
  if (last === undefined) return bars
  if (over !== null && last.to === null) close(Math.max(over, last.from), null, "")
  if (over === null && last.kind === "doing" && last.outcome === "interrupted" && last.to !== null) {
    bars.push({ kind: "waiting", from: last.to, to: null, outcome: null, error: "" })
  }
  return bars
}

const statusOf = (bars: ReadonlyArray<Bar>): Step["status"] => {
  const last = bars.at(-1)
  switch (last?.outcome) {
    case "finished":
    case "adopted":
    case "failed":
    case "undone":
      return last.outcome
    case "undo-failed":
      return "left over"
    case "interrupted":
      return last.kind === "undoing" ? "undoing" : "waits"
    default:
      return last?.kind === "waiting" ? "waits" : last?.kind === "undoing" ? "undoing" : "in work"
  }
}

const resultOf = (entries: ReadonlyArray<JournalEntry>): string => {
  const result = entries.findLast(({ event }) => event === "finished" || event === "adopted")?.data
  return textOf(result).slice(0, 1_000)
}

/** In the order in which they began. `entries`: since the order was last accepted. */
export const stepsOf = (
  entries: ReadonlyArray<JournalEntry>,
  calls: ReadonlyArray<Call>,
  over: number | null
): ReadonlyArray<Step> => {
  const names = [...new Set(entries.map(({ step }) => step))].filter((step) => step !== wholeOrder)
  return names.map((name) => {
    const own = entries.filter(({ step }) => step === name)
    const bars = barsOf(own, over)
    return {
      name,
      status: statusOf(bars),
      bars,
      result: resultOf(own),
      calls: calls.filter(({ step }) => step === name).length
    }
  })
}

const Failure = Schema.Struct({ customerMessage: Schema.String })
const isFailure = Schema.is(Failure)

const wordOf = ({ data, event }: JournalEntry): string =>
  event === "accepted" ? "" : isFailure(data) ? data.customerMessage : textOf(data)

export const marksOf = (entries: ReadonlyArray<JournalEntry>): ReadonlyArray<Mark> =>
  entries
    .filter(({ step }) => step === wholeOrder)
    .map((entry) => ({ at: entry.at, event: entry.event, text: wordOf(entry) }))

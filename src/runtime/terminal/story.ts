/** An order's entries as lines: the beginning of a step and its outcome are one. */
import type { JournalEntry } from "../../core/index.js"
import { wholeOrder } from "../../core/index.js"
import { textOf } from "../journal/history.js"

export interface StoryLine {
  /** When it began, in ms since 1970. */
  readonly at: number
  readonly step: string
  /** Absent for what takes no time, and for a step without an outcome. */
  readonly millis: number | undefined
  readonly event: string
  readonly detail: string
}

/** Of lines whose outcome is still to come. */
export const beginnings: ReadonlySet<string> = new Set(["started", "undoing"])

export const storyLines = (story: ReadonlyArray<JournalEntry>): ReadonlyArray<StoryLine> => {
  const lines: Array<StoryLine> = []
  for (const entry of story) {
    const begun = lines.findLastIndex((line) => line.step === entry.step && beginnings.has(line.event))
    const line = lines[begun]
    if (entry.step === wholeOrder || beginnings.has(entry.event) || line === undefined) {
      lines.push({ at: entry.at, step: entry.step, millis: undefined, event: entry.event, detail: detailOf(entry) })
    } else {
      lines[begun] = { ...line, millis: entry.at - line.at, event: entry.event, detail: detailOf(entry) }
    }
  }
  return lines
}

/** What the order was accepted with is long, and shown by `--json`. */
const detailOf = ({ step, event, data }: JournalEntry): string => {
  if (step === wholeOrder && event === "accepted") return ""
  if (step === wholeOrder && event === "failed" && typeof data === "object" && data !== null) {
    return Object.values(data).map(textOf).join(" - ")
  }
  return textOf(data)
}

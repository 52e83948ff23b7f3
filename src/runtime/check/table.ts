/** Rows as text: aligned columns, one paragraph for the file and for each offering. */
import { countOf } from "../../core/index.js"
import { oneLine, padded, widthOf } from "../terminal/cells.js"
import type { CheckRow } from "./row.js"

export interface TableOptions {
  /** Whether the reader is a terminal. */
  readonly colours: boolean
}

const words: Readonly<Record<CheckRow["status"], string>> = { ok: "ok", warning: "warning", failed: "FAILED" }
const colours: Readonly<Record<CheckRow["status"], number>> = { ok: 32, warning: 33, failed: 31 }

export const renderTable = (rows: ReadonlyArray<CheckRow>, options: TableOptions): string => {
  const paint = (code: number, text: string): string => (options.colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  const widest = Math.max(0, ...rows.map((row) => widthOf(oneLine(row.subject))))
  const line = (row: CheckRow): string => {
    const status = paint(colours[row.status], words[row.status].padEnd("warning".length))
    return `  ${status}  ${padded(oneLine(row.subject), widest)}  ${oneLine(row.detail)}`
  }
  const paragraphs = runs(rows).map(([name, own]) => [paint(1, oneLine(name)), ...own.map(line)].join("\n"))
  return `${[...paragraphs, summary(rows)].join("\n\n")}\n`
}

/** Rows that follow each other and are about the same. */
const runs = (rows: ReadonlyArray<CheckRow>): ReadonlyArray<readonly [string, ReadonlyArray<CheckRow>]> => {
  const starts = rows.flatMap((row, index) => (rows[index - 1]?.about === row.about ? [] : [index]))
  return starts.map((start, index) => [rows[start]?.about ?? "", rows.slice(start, starts[index + 1])])
}

const summary = (rows: ReadonlyArray<CheckRow>): string => {
  const count = (status: CheckRow["status"]) => rows.filter((row) => row.status === status).length
  return `${count("ok")} ok, ${countOf(count("warning"), "warning")}, ${count("failed")} failed`
}

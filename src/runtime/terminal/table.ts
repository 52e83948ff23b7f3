/** Plain text tables for terminals: columns as wide as their widest cell, numbers to the right. One line a row, whatever a name holds. */
import { cut, oneLine, padded, widthOf } from "./cells.js"

export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** How wide it may be; what is longer is cut. */
  readonly most?: number
}

/** A column of names that people chose, in a list of many: a row should fit a screen. `--json` has them whole. */
export const nameColumn = (title: string): Column => ({ title, most: 40 })

export const table = (columns: ReadonlyArray<Column>, given: ReadonlyArray<ReadonlyArray<string>>): string => {
  const rows = given.map((row) =>
    columns.map(({ most = Number.POSITIVE_INFINITY }, index) => cut(oneLine(row[index] ?? ""), most))
  )
  const widths = columns.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? "")), widthOf(column.title))
  )
  const line = (cells: ReadonlyArray<string>) =>
    columns
      .map((column, index) => padded(cells[index] ?? "", widths[index] ?? 0, column.align))
      .join("  ")
      .trimEnd()
  return [
    line(columns.map((column) => column.title)),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.map(line)
  ].join("\n")
}

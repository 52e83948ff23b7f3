/** Plain text tables for terminals: columns as wide as their widest cell, numbers to the right. One line a row, whatever a name holds. */
export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
}

/** Without control characters: a customer's name must neither break a line nor move the cursor. */
const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "?")
    .trim()

export const table = (columns: ReadonlyArray<Column>, given: ReadonlyArray<ReadonlyArray<string>>): string => {
  const rows = given.map((row) => row.map(oneLine))
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => (row[index] ?? "").length))
  )
  const line = (cells: ReadonlyArray<string>) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? ""
        const width = widths[index] ?? 0
        return column.align === "right" ? cell.padStart(width) : cell.padEnd(width)
      })
      .join("  ")
      .trimEnd()
  return [
    line(columns.map((column) => column.title)),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.map(line)
  ].join("\n")
}

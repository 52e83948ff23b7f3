/** The report as text: a table like that of the crash matrix, and one line for each promise. */
import { table } from "../runtime/terminal/table.js"
import { type Cell, type KitReport, moments, type Operation, type ProblemKind } from "./model.js"

const operations: ReadonlyArray<Operation> = ["create", "update", "terminate"]

const count = (cells: ReadonlyArray<Cell>, kind: ProblemKind): string =>
  String(cells.flatMap(({ problems }) => problems).filter((one) => one.kind === kind).length)

const rowsOf = (cells: ReadonlyArray<Cell>, operation: Operation): ReadonlyArray<ReadonlyArray<string>> => {
  const own = cells.filter((cell) => cell.operation === operation)
  return [...new Set(own.map(({ step }) => step))].map((step) => {
    const here = own.filter((cell) => cell.step === step)
    const tried = moments.filter((moment) => here.some((cell) => cell.moment === moment))
    return [operation, step, tried.join(", "), count(here, "duplicate"), count(here, "leftover"), count(here, "wrong")]
  })
}

export const renderReport = (report: KitReport): string => {
  const { backend, cells, checks, milliseconds, possibleCells, problems } = report
  const matrix = table(
    [
      { title: "order" },
      { title: "step" },
      { title: "moments" },
      { title: "duplicates", align: "right" },
      { title: "leftovers", align: "right" },
      { title: "wrong", align: "right" }
    ],
    operations.flatMap((operation) => rowsOf(cells, operation))
  )
  const promises = checks.map(
    ({ detail, name, status }) => `${status.padEnd(9)}  ${name}${detail === "" ? "" : ` (${detail})`}`
  )
  const sum = `${cells.length} of ${possibleCells} cells, ${count(cells, "duplicate")} duplicates, ${count(cells, "leftover")} leftovers, ${count(cells, "wrong")} otherwise wrong, ${(milliseconds / 1000).toFixed(1)} s`
  return [
    `${backend}: the plugin contract is ${problems.length === 0 ? "kept" : "broken"}`,
    "",
    matrix,
    "",
    ...promises,
    "",
    sum,
    ...(problems.length === 0 ? [] : ["", ...problems.map((line) => `- ${line}`)])
  ].join("\n")
}

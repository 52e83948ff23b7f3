/** No secret in the log or the journal; where there is one, in what, so that whoever wrote the plugin need not search. The secret itself is not printed. */
import { Effect, Option, Schema } from "effect"
import { verdict } from "./checks.js"
import type { Ground } from "./ground.js"
import type { JournalRow } from "./stage.js"

const JsonText = Schema.parseJson()

/** Where in a value a text with the secret stands: `["result", "token"]`. */
const pathsIn = (value: unknown, secret: string): ReadonlyArray<ReadonlyArray<string>> => {
  if (typeof value === "string") return value.includes(secret) ? [[]] : []
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key.includes(secret) ? [["the name of a field"]] : []),
    ...pathsIn(inner, secret).map((path) => [key, ...path])
  ])
}

/** A column's text, or what is written in it as JSON: there a secret may have other letters than it has. */
const inColumn = (column: string, value: unknown, secret: string): ReadonlyArray<string> => {
  if (typeof value !== "string") return []
  const json = Option.getOrElse(Schema.decodeUnknownOption(JsonText)(value), () => value)
  return pathsIn(json, secret).map((path) => [column, ...path].join("."))
}

const inRow = ({ table, values }: JournalRow, secret: string): ReadonlyArray<string> => {
  const fields = Object.entries(values).flatMap(([column, value]) => inColumn(column, value, secret))
  const entry = table === "journal" ? `step "${values.step}", entry "${values.event}"` : `the table ${table}`
  return fields.map((field) => `a secret is in the journal: ${entry}, at ${field}`)
}

const inJournal = (text: string, rows: ReadonlyArray<JournalRow>, secret: string): ReadonlyArray<string> => {
  const found = rows.flatMap((row) => inRow(row, secret))
  return found.length > 0 || !text.includes(secret)
    ? found
    : ["a secret is in the journal's files, in no row (any more)"]
}

const longest = 300

export const secretsCheck = ({ backend, stage, strikes }: Ground) =>
  Effect.gen(function* () {
    const secrets = [...(backend.secrets ?? []), ...strikes.issued].filter((secret) => secret.length > 3)
    const struck = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "<secret>"), text)
    const text = yield* Effect.orDie(stage.journalText)
    const rows = yield* stage.journalRows
    const inLog = stage.logged.find((line) => secrets.some((secret) => line.includes(secret)))
    const where = [
      ...(inLog === undefined ? [] : [`a secret is in the log: ${struck(inLog).slice(0, longest)}`]),
      ...secrets.flatMap((secret) => inJournal(text, rows, secret)).map(struck)
    ]
    return verdict(
      "no secret in log or journal",
      [...new Set(where)],
      `${secrets.length} secrets, ${stage.logged.length} lines`
    )
  })

/** For the tests beside: an offering as Waldur was recorded with it, and a report's rows as sentences. */
import { readFile } from "node:fs/promises"
import { Schema } from "effect"
import { Offering } from "../../waldur/index.js"
import type { CheckRow } from "./index.js"

export const recording = async (name: string): Promise<Offering> => {
  const text = await readFile(`${import.meta.dirname}/../../../test/fixtures/waldur-current/${name}.json`, "utf8")
  return Schema.decodeUnknownSync(Offering)(JSON.parse(text).response.json)
}

export const lines = (rows: ReadonlyArray<Omit<CheckRow, "about">>): ReadonlyArray<string> =>
  rows.map((row) => `${row.status}: ${row.subject}: ${row.detail}`)

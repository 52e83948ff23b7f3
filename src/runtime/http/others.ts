/** What other processes have written into the journal since the last look: their orders tell nobody here. */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import { unavailable } from "../database/sql.js"

export interface Written {
  readonly id: number
  readonly order: string
  readonly resource: string
  readonly step: string
}

/** Entries that were begun earlier may come to be seen later: so many before the newest one are looked at again. */
const again = 200
const most = 1_000

/** What is new with each look; nothing with the first. */
export const makeLookAtOthers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  let seen = new Set<number>()
  let newest: number | undefined
  return Effect.gen(function* () {
    if (newest === undefined) {
      const [last] = yield* unavailable(sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM journal`)
      newest = last?.id ?? 0
      seen = new Set(Array.from({ length: again }, (_, back) => (newest ?? 0) - back))
      return []
    }
    const from = newest - again
    const rows = yield* unavailable(sql<Written>`
      SELECT id, order_id AS "order", resource_id AS resource, step FROM journal WHERE id > ${from} ORDER BY id LIMIT ${most}`)
    const fresh = rows.filter(({ id }) => !seen.has(id))
    newest = Math.max(newest, ...rows.map(({ id }) => id))
    seen = new Set(rows.map(({ id }) => id))
    return fresh
  })
})

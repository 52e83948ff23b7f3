/** A copy of what orders rest on, in a file of its own, to try on it what must not be done for good. The original is only read. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { SqlClient } from "@effect/sql"
import { Context, Effect, Layer } from "effect"
import * as Connection from "./connection.js"
import * as Database from "./database.js"
import { each } from "./dialect.js"
import { atOneMoment } from "./history.js"
import type { Place, Postgres } from "./place.js"
import * as PostgresConnection from "./postgres.js"
import { asking, unavailable } from "./sql.js"

/** A directory with a copy of the journal, as of one moment, also while an agent writes; empty if there is none. Goes with the scope. */
export const copyOf = (place: Place, there: boolean) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    const copy = yield* fs.makeTempDirectoryScoped({ prefix: "site-actors-copy-" })
    if (!there) return copy
    if (typeof place !== "string") yield* fromPostgres(place, copy)
    else {
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`VACUUM INTO ${join(copy, "journal.db")}`).pipe(
        Effect.provide(Connection.layer(`file:${join(place, "journal.db")}`))
      )
    }
    return copy
  })

/** What an attempt at an order reads; the rest follows from the journal by its triggers. Sorted by these columns, which no two rows share. */
const tables = {
  journal: { key: ["id"], columns: ["order_id", "resource_id", "epoch", "step", "event", "at", "data"] },
  lease: { key: ["resource_id"], columns: ["epoch", "owner", "at"] },
  reservation: { key: ["pool", "resource_id"], columns: ["first", "last"] },
  leftover: { key: ["order_id", "step"], columns: ["resource_id", "reason", "at"] },
  pause: { key: ["id"], columns: ["scope", "reason", "since", "until", "owner"] },
  backup: { key: ["taken"], columns: ["started"] }
} as const

const atOnce = 2_000

type Row = Readonly<Record<string, unknown>>

const fromPostgres = (place: Postgres, copy: string) =>
  Effect.gen(function* () {
    const original = yield* Layer.build(PostgresConnection.layer(place))
    const target = yield* Layer.build(Database.layer(copy))
    const copied = Context.get(target, SqlClient.SqlClient)
    // Of a statement within a transaction `@effect/sql` thinks that it is one of it, whichever client it is of.
    const write = asking(copied)
    const into = (name: string, names: ReadonlyArray<string>, rows: ReadonlyArray<Row>) => {
      const values = copied.literal(
        `(${names.join(", ")}) SELECT ${names.map((column) => `value ->> '${column}'`).join(", ")}`
      )
      return write(copied`INSERT INTO ${copied(name)} ${values} FROM ${each(copied, rows)}`)
    }
    yield* atOneMoment(
      Effect.forEach(
        Object.entries(tables),
        ([name, { columns, key }]) =>
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            const names = [...key, ...columns]
            const keys = sql.literal(key.join(", "))
            let after: Row | undefined
            do {
              const behind: Row | undefined = after
              const from =
                behind === undefined
                  ? sql``
                  : sql`WHERE (${keys}) > (${sql.csv(key.map((column) => sql`${behind[column]}`))})`
              const rows: ReadonlyArray<Row> = yield* unavailable(sql<Row>`
                SELECT ${sql.literal(names.join(", "))} FROM ${sql(name)} ${from} ORDER BY ${keys} LIMIT ${atOnce}`)
              if (rows.length > 0) yield* into(name, names, rows)
              after = rows.length < atOnce ? undefined : rows.at(-1)
            } while (after !== undefined)
          }),
        { discard: true }
      )
    ).pipe(Effect.provide(original))
  }).pipe(Effect.scoped)

/**
 * Copies from one kind of database into the other: of what orders rest on into a file, to try on it what must not be done for good; and of a
 * whole journal from its file into PostgreSQL, when an agent moves there.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { SqlClient, type SqlError, type Statement } from "@effect/sql"
import { Context, Data, Effect, Layer, Option } from "effect"
import { rowsInto } from "../database/dialect.js"
import * as Connection from "../database/file/connection.js"
import { fileOf, movedFrom, nameOf, type Place, type Postgres } from "../database/place.js"
import * as PostgresConnection from "../database/postgres.js"
import { straight, together, unavailable } from "../database/sql.js"
import { synced } from "../new-file.js"
import { alone } from "./alone.js"
import { startFromBackup } from "./backup.js"
import * as Database from "./database.js"
import { atOneMoment, signOfLife } from "./history.js"

/** What an attempt at an order reads; the rest follows from the journal by its triggers. Sorted by `key`, which no two rows share. */
const orders = {
  journal: { key: ["id"], columns: ["order_id", "resource_id", "epoch", "step", "event", "at", "data"] },
  lease: { key: ["resource_id"], columns: ["epoch", "owner", "at"] },
  reservation: { key: ["pool", "resource_id"], columns: ["first", "last"] },
  leftover: { key: ["order_id", "step"], columns: ["resource_id", "reason", "at"] },
  pause: { key: ["id"], columns: ["scope", "reason", "since", "until", "owner"] },
  backup: { key: ["taken"], columns: ["started"] }
} as const

const others = {
  observation: {
    key: ["resource_id"],
    columns: [
      ...["offering", "name", "backend_id", "marketplace_state", "state", "healthy", "standing", "facts", "at"],
      ...["misses", "erred"]
    ]
  },
  difference: {
    key: ["resource_id", "kind", "subject"],
    columns: ["expected", "found", "sentence", "policy", "since", "outcome"]
  },
  reconciliation: { key: ["id"], columns: ["job", "resource_id", "epoch", "step", "event", "at", "data"] },
  offered: { key: ["offering", "backend_id"], columns: ["at"] },
  usage_told: {
    key: ["resource_id", "period", "component"],
    columns: ["offering_id", "amount", "refusal", "at", "final"]
  },
  request: { key: ["id"], columns: ["kind", "subject", "at", "handled", "ok", "outcome"] },
  audit: {
    key: ["id"],
    columns: ["at", "owner", "who", "role", "by_way", "kind", "subject", "detail", "ok", "outcome"]
  },
  agent: { key: ["owner"], columns: ["started", "seen"] },
  cancellation: { key: ["order_id"], columns: ["who", "reason", "at"] },
  offering_pause: { key: ["offering"], columns: ["who", "reason", "since"] },
  // The sessions that they began stay behind: whoever looks signs in anew.
  page_token: { key: ["role"], columns: ["sha256", "made"] }
} as const

/** What the triggers keep: mostly it follows from the rest, but not that somebody has ended a resource by hand. */
const inShort = {
  known_order: {
    key: ["order_id"],
    columns: [
      ...[
        "seq",
        "resource_id",
        "offering",
        "project",
        "type",
        "name",
        "state",
        "refusal",
        "accepted",
        "ended",
        "last_at"
      ],
      ...["last", "retries"]
    ]
  },
  known_resource: { key: ["resource_id"], columns: ["offering", "name", "life"] }
} as const

interface Table {
  readonly key: ReadonlyArray<string>
  readonly columns: ReadonlyArray<string>
}
type Tables = Readonly<Record<string, Table>>
type Row = Readonly<Record<string, unknown>>

/** A client, and how its statements are run. */
interface End {
  readonly sql: SqlClient.SqlClient
  readonly run: (statement: Statement.Statement<Row>) => Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
}

/** Of a statement within a transaction `@effect/sql` thinks that it is one of it, whichever client it is of: the other end goes straight. */
const within = (sql: SqlClient.SqlClient): End => ({ sql, run: (statement) => statement })
const beside = (sql: SqlClient.SqlClient): End => ({ sql, run: straight(sql) })

const atOnce = 2_000

const copyTables = (from: End, to: End, tables: Tables): Effect.Effect<void, SqlError.SqlError> =>
  Effect.forEach(
    Object.entries(tables),
    ([name, { columns, key }]) =>
      Effect.gen(function* () {
        const { sql } = from
        const names = [...key, ...columns]
        const keys = sql.literal(key.join(", "))
        let after: Row | undefined
        do {
          const behind: Row | undefined = after
          const start =
            behind === undefined
              ? sql``
              : sql`WHERE (${keys}) > (${sql.csv(key.map((column) => sql`${behind[column]}`))})`
          const rows: ReadonlyArray<Row> = yield* from.run(sql<Row>`
            SELECT ${sql.literal(names.join(", "))} FROM ${sql(name)} ${start} ORDER BY ${keys} LIMIT ${atOnce}`)
          if (rows.length > 0) yield* to.run(to.sql<Row>`${rowsInto(to.sql, name, names, rows)}`)
          after = rows.length < atOnce ? undefined : rows.at(-1)
        } while (after !== undefined)
      }),
    { discard: true }
  )

/** A directory with a copy of the journal, as of one moment, also while an agent writes; empty if there is none. Goes with the scope. */
export const copyOf = (place: Place, there: boolean) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const copy = yield* fs.makeTempDirectoryScoped({ prefix: "site-actors-copy-" })
    if (!there) return copy
    if (typeof place === "string") {
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`VACUUM INTO ${fileOf(copy)}`).pipe(
        Effect.provide(Connection.layer(`file:${fileOf(place)}`))
      )
    } else {
      yield* Effect.gen(function* () {
        const to = yield* clientOf(Database.layer(copy))
        const original = yield* Layer.build(PostgresConnection.layer(place))
        yield* atOneMoment(
          unavailable(copyTables(within(Context.get(original, SqlClient.SqlClient)), beside(to), orders))
        ).pipe(Effect.provide(original))
      }).pipe(Effect.scoped)
    }
    return copy
  })

const clientOf = <E, R>(layer: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Effect.map(Layer.build(layer), (built) => Context.get(built, SqlClient.SqlClient))

/** The journal stays where it is; the message says why, and what to do. */
export class CannotMove extends Data.TaggedError("CannotMove")<{ readonly reason: string }> {
  override get message(): string {
    return `The journal stays where it is: ${this.reason}`
  }
}

/**
 * Copies all that is in the file into a PostgreSQL that has no journal yet, and gives the file another name, so that no agent starts on it again.
 * All of it or nothing. Returns how many entries the journal has, and the file's new name.
 */
export const moveInto = (dataDir: string, place: Postgres) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = fileOf(dataDir)
    const moved = movedFrom(file)
    if (yield* fs.exists(moved)) {
      return yield* new CannotMove({ reason: `${moved} is there already. Give it another name, or see what is in it.` })
    }
    // No agent begins on it before it has its new name; and one that stands still gives no sign of life.
    yield* Layer.build(alone(dataDir)).pipe(
      Effect.catchIf(
        ({ passing }) => passing === true,
        () => new CannotMove({ reason: runs })
      )
    )
    const entries = yield* Effect.gen(function* () {
      const original = yield* clientOf(Database.layer(dataDir))
      const sign = yield* Effect.provideService(signOfLife, SqlClient.SqlClient, original)
      if (Option.exists(sign, ({ runs }) => runs)) {
        return yield* new CannotMove({ reason: runs })
      }
      // Of a backup that had no start yet: in PostgreSQL nothing would tell any more that it does not know of the last entries.
      yield* Effect.provideService(startFromBackup(file), SqlClient.SqlClient, original)
      const sql = yield* clientOf(Database.layer(place))
      return yield* together(
        sql,
        Effect.gen(function* () {
          const written = yield* sql`SELECT 1 FROM lease UNION ALL SELECT 1 FROM journal LIMIT 1`
          if (written.length > 0) {
            const there = yield* copiedBefore(original, sql)
            if (Option.isSome(there)) return there.value
            return yield* new CannotMove({
              reason: `there is a journal in ${nameOf(place)} already, and two do not make one. If the agent has worked there since a move that was cut off, that one is right: give the file another name. Else name another database.`
            })
          }
          const used = yield* tablesInUse(sql)
          if (used.length > 0) {
            return yield* new CannotMove({
              reason: `the tables in ${nameOf(place)} are not empty (${used.join(", ")}): an agent or a command has been at work there. It has begun no order: end it, and make the database anew (dropdb, createdb), or name another.`
            })
          }
          yield* copyTables(beside(original), within(sql), { ...orders, ...others })
          for (const name of Object.keys(inShort)) yield* sql`DELETE FROM ${sql(name)}`
          yield* copyTables(beside(original), within(sql), inShort)
          for (const [name, { key }] of Object.entries({ ...orders, ...others })) {
            if (key[0] !== "id") continue
            yield* sql`SELECT setval(pg_get_serial_sequence(${name}, 'id'), coalesce(max(id), 0) + 1, false) FROM ${sql(name)}`
          }
          const [row] = yield* sql<{ readonly count: number }>`SELECT count(*) AS count FROM journal`
          return row?.count ?? 0
        })
      ).pipe(Effect.catchTag("SqlError", (error) => unavailable(Effect.fail(error))))
    }).pipe(Effect.scoped)
    // Closed by now, so that mostly nothing is beside it any more. What somebody who reads has kept there belongs to it.
    yield* fs.rename(file, moved)
    yield* Effect.forEach(["-wal", "-shm"], (beside) =>
      Effect.ignore(fs.rename(`${file}${beside}`, `${moved}${beside}`))
    )
    yield* synced(dataDir)
    return { entries, moved }
  }).pipe(Effect.scoped)

/** Tables of those that are copied in which there is something. */
const tablesInUse = (sql: SqlClient.SqlClient) =>
  Effect.filter(Object.keys({ ...orders, ...others }), (name) =>
    Effect.map(sql`SELECT 1 FROM ${sql(name)} LIMIT 1`, (rows) => rows.length > 0)
  )

const runs = "an agent runs on it. Stop it first; its orders go on in PostgreSQL."

/**
 * A move that was cut off when all was copied, and the file not yet put aside, is only brought to its end. The file's entries have their numbers
 * there, too: if the first, the last and as many between are the same, nobody has worked on the file since. Returns how many entries there are now.
 */
const copiedBefore = (original: SqlClient.SqlClient, sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    interface Ends {
      readonly count: number
      readonly first: string | null
      readonly last: string | null
    }
    const ends = (client: SqlClient.SqlClient, upTo: number) => {
      const entry = client.literal("order_id || ' ' || step || ' ' || event || ' ' || at")
      return client<Ends>`SELECT count(*) AS count,
        (SELECT ${entry} FROM journal ORDER BY id LIMIT 1) AS first,
        (SELECT ${entry} FROM journal WHERE id = ${upTo}) AS last FROM journal WHERE id <= ${upTo}`
    }
    const [newest] = yield* straight(original)(
      original<{ readonly id: number | null }>`SELECT max(id) AS id FROM journal`
    )
    const upTo = newest?.id
    if (upTo === undefined || upTo === null) return Option.none<number>()
    const [here] = yield* straight(original)(ends(original, upTo))
    const [there] = yield* ends(sql, upTo)
    const isSame = here?.count === there?.count && here?.first === there?.first && here?.last === there?.last
    if (!isSame) return Option.none<number>()
    const [all] = yield* sql<{ readonly count: number }>`SELECT count(*) AS count FROM journal`
    return Option.some(all?.count ?? 0)
  })

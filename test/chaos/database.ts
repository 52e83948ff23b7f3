/**
 * The agent's own database, in memory: libSQL and the real tables, shared by all processes of a run, as a file would be. What goes through
 * is mirrored, refused while the disk is full, and cut off for a process that is dead. A power cut takes what has not been waited for: that stands in
 * a savepoint, until something that is waited for takes it along.
 *
 * The driver is called without its promises, and each statement is prepared once: a statement costs half of the time, and half of the steps of its
 * fiber.
 */
import { SqlClient, SqlError } from "@effect/sql"
import { Effect, Layer } from "effect"
import Libsql from "libsql"
import { clientOver, type Run } from "../../src/runtime/database/file/connection.js"
import type { Commit } from "../../src/runtime/database/sql.js"
import { prepareFile } from "../../src/runtime/journal/tables/in-file.js"
import type { Bench } from "./bench.js"
import type { Entry } from "./mirror.js"
import type { Process } from "./process.js"

type Row = Readonly<Record<string, unknown>>
type Arguments = ReadonlyArray<unknown>

/** A statement, and what is to be known of its text. */
interface Prepared {
  readonly text: string
  readonly isRead: boolean
  readonly isWrite: boolean
  /** Of a row of the journal; none if it writes none. */
  readonly columns: ReadonlyArray<string>
  readonly run: (args: Arguments) => ReadonlyArray<Row>
}

export interface Database {
  readonly prepared: (text: string) => Prepared
  readonly run: (statement: Prepared, args: Arguments, commit: Commit) => ReadonlyArray<Row>
  /** Takes what the disk does not have. Gives the entries of the journal that it has. */
  readonly losePower: () => ReadonlyArray<Entry>
  /** How often. */
  readonly cuts: () => number
  readonly close: () => void
}

/**
 * Made once for all runs of this process: its tables, and what was prepared, are the same for each. All that a run writes stands in a savepoint
 * around it, which is rolled back when it closes. (A transaction of the agent's own could not begin within it, and would fail: what runs here has
 * none.)
 */
const emptyOne: Effect.Effect<(text: string) => Prepared> = Effect.gen(function* () {
  const sdk = new Libsql(":memory:")
  const statements = new Map<string, Prepared>()
  const prepared = (text: string): Prepared => {
    const found = statements.get(text) ?? prepareOn(sdk, text)
    statements.set(text, found)
    return found
  }
  yield* Effect.orDie(
    Effect.provide(
      prepareFile("memory"),
      layerOver((text, args) => Effect.sync(() => prepareOn(sdk, text).run(args)))
    )
  )
  prepared("SAVEPOINT empty").run([])
  return prepared
})

let made: Promise<(text: string) => Prepared> | undefined

/** Outside of virtual time: before a run begins. One at a time. */
export const openDatabase = async (): Promise<Database> => {
  made ??= Effect.runPromise(emptyOne)
  const prepared = await made
  let mayBeLost = false
  let cuts = 0
  const takeAlong = (): void => {
    if (mayBeLost) prepared("RELEASE unsure").run([])
    mayBeLost = false
  }
  return {
    prepared,
    run: (statement: Prepared, args: Arguments, commit: Commit) => {
      if (commit === "synchronous" && !statement.isRead) takeAlong()
      if (commit === "asynchronous" && !mayBeLost) {
        prepared("SAVEPOINT unsure").run([])
        mayBeLost = true
      }
      return statement.run(args)
    },
    losePower: () => {
      cuts += 1
      if (mayBeLost) prepared("ROLLBACK TO unsure").run([])
      takeAlong()
      return prepared("SELECT * FROM journal ORDER BY id").run([]).map(entryOf)
    },
    cuts: () => cuts,
    close: () => void prepared("ROLLBACK TO empty").run([])
  }
}

const entryOf = (row: Row): Entry => ({
  order: String(row.order_id),
  resource: String(row.resource_id),
  epoch: Number(row.epoch),
  step: String(row.step),
  event: String(row.event),
  data: typeof row.data === "string" ? row.data : null,
  at: Number(row.at)
})

const prepareOn = (sdk: Libsql.Database, text: string): Prepared => {
  const statement = sdk.prepare(text)
  const { reader } = statement
  return {
    text,
    isRead: /^\s*SELECT/i.test(text),
    isWrite: /^\s*(INSERT|UPDATE|DELETE)/i.test(text),
    columns:
      /INSERT INTO journal\s*\(([^)]*)\)/i
        .exec(text)?.[1]
        ?.split(",")
        .map((name) => name.trim()) ?? [],
    run: (args) => {
      if (reader) return rowsOf(statement.all([...args]))
      statement.run([...args])
      return []
    }
  }
}

const isRow = (row: unknown): row is Row => typeof row === "object" && row !== null
const rowsOf = (found: ReadonlyArray<unknown>): ReadonlyArray<Row> => found.filter(isRow)

const layerOver = (run: Run): Layer.Layer<SqlClient.SqlClient> => Layer.effect(SqlClient.SqlClient, clientOver(run))

/** What may keep the agent from removing what it made. */
const hindrances = /driver|stuck|lease|stranger's VM|somebody (deletes|powers)/

export class DiskFull extends Error {
  constructor() {
    super("SQLITE_FULL: database or disk is full")
  }
}

/** The database as one process sees it: it answers within the moment, but not before everything else of that moment has had its turn. */
export const asSeenBy = (bench: Bench, database: Database, process: Process): Layer.Layer<SqlClient.SqlClient> => {
  const { mirror, story, timeline } = bench
  const mirrored = (names: ReadonlyArray<string>, args: Arguments) => {
    const entry = entryOf({ ...Object.fromEntries(names.map((name, at) => [name, args[at]])), at: timeline.now })
    mirror.append(entry)
    const said = ["failed", "undo-failed", "interrupted"].includes(entry.event) ? ` ${entry.data ?? ""}` : ""
    story.tell("step", process.name, `${entry.order.slice(26)} ${entry.step}: ${entry.event}${said}`)
    bench.expect(mirror.overlap === undefined, "one resource never runs two orders at once", () => mirror.overlap ?? "")
    bench.expect(mirror.late === undefined, "a process that was replaced writes nothing more", () => mirror.late ?? "")
    if (entry.event === "undo-failed") {
      bench.expect(
        bench.ledger.excusesOf(entry.resource).some((why) => hindrances.test(why)),
        "an undo fails only if something is in its way",
        () => `order ${entry.order}, ${entry.step}: ${entry.data}`
      )
    }
    const secret = entry.data === null ? undefined : bench.secrets.in(entry.data)
    bench.expect(secret === undefined, "no secret in the journal", () => `${entry.step} ${entry.event}`)
  }
  const refused = (text: string): DiskFull | undefined => {
    if (!bench.diskIsFull && !bench.faults.happens("journal write refused")) return undefined
    story.tell("fault", process.name, `disk full: ${text.trim().split(/\s+/).slice(0, 3).join(" ")}`)
    return new DiskFull()
  }
  return layerOver((text, args, commit) =>
    Effect.async((resume) => {
      const fail = (cause: unknown) => resume(new SqlError.SqlError({ cause, message: "Failed to execute statement" }))
      // Nobody asks anything at the command line here, though the agent would look every second: its first look lasts for ever.
      if (/^\s*SELECT[\s\S]*FROM request\b/i.test(text)) return
      const statement = database.prepared(text)
      const { columns, isWrite } = statement
      if (isWrite && !process.atCall("before a journal write")) return
      const full = isWrite ? refused(text) : undefined
      if (full !== undefined) return timeline.atTheEndOfThisMoment(() => fail(full))
      const cuts = database.cuts()
      const rows = database.run(statement, args, commit)
      timeline.atTheEndOfThisMoment(() => {
        if (isWrite && cuts === database.cuts()) {
          // Several entries at a time, one after the other.
          for (const at of rows.keys()) {
            if (columns.length > 0) mirrored(columns, args.slice(at * columns.length, (at + 1) * columns.length))
          }
          process.atCall("after a journal write")
        }
        resume(Effect.succeed(rows))
      })
    })
  )
}

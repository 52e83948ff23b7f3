/**
 * The database file over libSQL's own driver, called without its promises, each statement prepared once: with the promises of `@libsql/client`
 * around it, and a statement prepared for each entry, an entry cost more than twice the processor time.
 */
import { SqlError } from "@effect/sql"
import Libsql from "libsql"

export type Row = Readonly<Record<string, unknown>>

export interface File {
  /** Runs one statement; throws what the driver throws. */
  readonly run: (text: string, params: ReadonlyArray<unknown>) => ReadonlyArray<Row>
  readonly inTransaction: () => boolean
  readonly close: () => void
}

/** A statement of which the driver says that it returns nothing must not be asked for rows, and one that returns some must be. */
interface Prepared {
  readonly statement: Libsql.Statement
  readonly returnsRows: boolean
}

/** Beyond this it is assumed that texts are being made up, with values in them. */
const mostPrepared = 200

const isRow = (row: unknown): row is Row => typeof row === "object" && row !== null

/** SQLite has no booleans. */
const valueOf = (param: unknown): unknown => (typeof param === "boolean" ? Number(param) : (param ?? null))

export const openFile = (path: string): File => {
  const database = new Libsql(path)
  const statements = new Map<string, Prepared>()
  const prepare = (text: string): Prepared => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text)
    const prepared = { statement, returnsRows: statement.reader }
    if (statements.size < mostPrepared) statements.set(text, prepared)
    return prepared
  }
  return {
    run: (text, params) => {
      const { returnsRows, statement } = prepare(text)
      const values = params.map(valueOf)
      if (returnsRows) return statement.all(values).filter(isRow)
      statement.run(values)
      return []
    },
    inTransaction: () => database.inTransaction,
    close: () => {
      // Into the file itself: what is prepared keeps SQLite from doing so at its end, and whoever then copies `journal.db` alone would copy nothing.
      try {
        database.prepare("PRAGMA wal_checkpoint(PASSIVE)").all()
      } catch {
        // Read only, no room, or somebody else is at it: it is all beside it, in the -wal.
      }
      database.close()
    }
  }
}

export const asSqlError = (cause: unknown): SqlError.SqlError =>
  new SqlError.SqlError({ cause, message: "Failed to execute statement" })

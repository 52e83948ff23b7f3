/**
 * A copy of the journal, taken while the agent works, and the start from one that was put back.
 *
 * A backup does not know what happened after it was taken. So the copy is marked, and the first start on it writes `restored` into every
 * order that was open then: from there on each of its steps looks for what it would make before it makes it, whether or not it was begun
 * (`core/saga/perform.ts`), and an order that Waldur calls done is done (`orders/attempt.ts`). Orders that the backup has never heard of, and that
 * Waldur says are executing, are treated alike. Put back without the mark, an old journal would make things twice.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { SqlClient } from "@effect/sql"
import { Clock, Data, Effect, Option } from "effect"
import { countOf } from "../../core/index.js"
import { isShared, orderAsAWhole } from "../database/dialect.js"
import { damaged, isDamage, openFile } from "../database/file/file.js"
import { reasonOf as sqlReason, together } from "../database/sql.js"
import { synced, wordsOf } from "../new-file.js"
import { backupTable } from "./tables/migrations.js"
import { DatabaseUnusable } from "./unusable.js"

/** The copy cannot be made; nothing is left of it. */
export class BackupImpossible extends Data.TaggedError("BackupImpossible")<{
  readonly file: string
  readonly reason: string
  readonly hint: string
}> {
  override get message(): string {
    return `The backup ${this.file} cannot be made: ${this.reason}. ${this.hint}`
  }
}

/**
 * Copies the database `journal` into the new file `target` (mode 0600), while others write to it: the copy is of one moment. It is checked, on
 * the disk, and only then gets its name, so that a file of that name is a whole one. Returns its size in bytes.
 */
export const backUp = (
  journal: string,
  target: string
): Effect.Effect<number, BackupImpossible, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const whole = path.resolve(target)
    const part = `${whole}.part`
    const impossible =
      (hint: string) =>
      (cause: unknown): BackupImpossible =>
        new BackupImpossible({ file: target, reason: wordsOf(cause), hint })
    const choose = impossible("Choose a place where this user may write, with room for the journal.")
    if (yield* Effect.mapError(fs.exists(whole), choose)) {
      return yield* new BackupImpossible({
        file: target,
        reason: "there is such a file already",
        hint: "Choose another name: a backup replaces nothing."
      })
    }
    const begun = yield* Effect.mapError(lastWritten(part), choose)
    if (Option.isSome(begun)) {
      if ((yield* Clock.currentTimeMillis) - begun.value < stillMaking) {
        return yield* new BackupImpossible({
          file: target,
          reason: `${part} is there, of one that is being made, or was broken off minutes ago`,
          hint: "Remove it if none is being made, or choose another name."
        })
      }
      yield* removed(part).pipe(Effect.mapError(choose))
    }
    yield* Effect.mapError(fs.writeFile(part, new Uint8Array(), { flag: "wx", mode: 0o600 }), choose)
    return yield* Effect.gen(function* () {
      const taken = yield* Clock.currentTimeMillis
      yield* Effect.try({
        try: () => copy(journal, part, taken),
        catch: (cause) =>
          isDamage(reasonOf(cause))
            ? new BackupImpossible({ file: target, reason: `${journal}: ${reasonOf(cause)}`, hint: damaged })
            : choose(cause)
      })
      yield* Effect.mapError(Effect.zipRight(synced(part), fs.rename(part, whole)), choose)
      yield* Effect.mapError(synced(path.dirname(whole)), choose)
      return Number((yield* Effect.mapError(fs.stat(whole), choose)).size)
    }).pipe(Effect.onError(() => Effect.ignore(removed(part))))
  })

/** ms. A part of a backup that nobody has written to for so long is of one that was killed. */
const stillMaking = 10 * 60_000

/** When it was last written to, ms since 1970; none if it is not there. */
const lastWritten = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.if(fs.exists(path), {
      onTrue: () => Effect.map(fs.stat(path), ({ mtime }) => Option.map(mtime, (at) => at.getTime())),
      onFalse: () => Effect.succeedNone
    })
  )

/** With what SQLite may have left beside it. */
const removed = (part: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.forEach(["", "-journal", "-wal", "-shm"], (ending) => fs.remove(`${part}${ending}`, { force: true }), {
      discard: true
    })
  )

const copy = (journal: string, target: string, taken: number): void => {
  const source = openFile(journal)
  try {
    source.run("PRAGMA busy_timeout = 10000", [])
    source.run("VACUUM INTO ?", [target])
  } finally {
    source.close()
  }
  const made = openFile(target)
  try {
    // Without files beside it: this one is carried away by itself.
    made.run("PRAGMA journal_mode = DELETE", [])
    const damage = made.run("PRAGMA quick_check(3)", []).map((row) => String(row.quick_check))
    if (damage.some((verdict) => verdict !== "ok")) throw new Error(`the journal is damaged: ${damage.join("; ")}`)
    // It may be a journal of before an upgrade, which a start has not brought up to date yet.
    made.run(backupTable, [])
    made.run("INSERT INTO backup (taken) VALUES (?)", [taken])
  } finally {
    made.close()
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/**
 * Marks what was in work when this journal was copied, if it is a copy and this is its first start. Once, and all of it. `path`: for
 * the message. In PostgreSQL this is done by each connection (`database/postgres.ts`).
 */
export const startFromBackup = (path: string): Effect.Effect<void, DatabaseUnusable, SqlClient.SqlClient> =>
  Effect.mapError(
    marked,
    (error) =>
      new DatabaseUnusable({
        path,
        reason: sqlReason(error),
        hint: "It is a backup that cannot be made ready for work: check that the disk has room."
      })
  )

const marked = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  if (isShared(sql)) return
  const [copied] = yield* sql<{ readonly taken: number }>`SELECT max(taken) AS taken FROM backup WHERE started IS NULL`
  const taken = copied?.taken
  if (taken === undefined || taken === null) return
  const now = yield* Clock.currentTimeMillis
  const open = yield* together(
    sql,
    Effect.zipLeft(
      sql`
    INSERT INTO journal (order_id, resource_id, epoch, step, event, at)
    SELECT order_id, resource_id, epoch, ${orderAsAWhole(sql)}, 'restored', ${now} FROM journal AS accepted
    WHERE step = ${orderAsAWhole(sql)} AND event = 'accepted' AND NOT EXISTS (
      SELECT 1 FROM journal AS later WHERE later.order_id = accepted.order_id AND later.step = ${orderAsAWhole(sql)}
        AND later.id > accepted.id AND later.event IN ('done', 'erred', 'accepted'))
    RETURNING id`,
      sql`UPDATE backup SET started = ${now} WHERE started IS NULL`
    )
  )
  yield* Effect.logWarning(
    `This journal is a backup of ${new Date(taken).toISOString()}. ${countOf(open.length, "order was", "orders were")} in work then: whatever they would make is looked for first`
  )
})

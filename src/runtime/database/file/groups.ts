/**
 * Group commit: statements that are asked for in the same moment share one transaction, and all that is written while the disk is busy shares the
 * next wait for it. Each is still answered only when the disk has it; what only reads, and what need not be on the disk (`Commit`), is answered at
 * once.
 *
 * A moment is one turn of Node's event loop: answers that came in together, of many orders. The process does not stand still while the disk
 * writes (docs/decisions/0068-the-disk-is-waited-for-beside-the-work.md).
 *
 * Each statement stays one by itself: what it says of the lease it says in its own text, and it sees what those before it in the group wrote.
 */
import type { SqlError } from "@effect/sql"
import { Effect, Exit } from "effect"
import type { Commit } from "../sql.js"
import { asSqlError, type File, isFull, type Pending, type Row } from "./file.js"
import { makeTerm } from "./term.js"

type Answer = Exit.Exit<ReadonlyArray<Row>, SqlError.SqlError>

interface Asked {
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  readonly commit: Commit
  readonly answer: (answer: Answer) => void
}

/**
 * ms until the disk is asked for what was committed asynchronously, if nothing else has taken it along. So much of that a power cut takes at most.
 */
const atLatest = 1_000

/** ms. Until a disk takes longer than this, what it has to be waited for takes along what it need not. */
const slow = 20

/** What cannot stand inside a transaction, or makes one itself. */
const standsAlone = ({ text }: Asked): boolean =>
  /^\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|VACUUM|ATTACH|DETACH)\b/i.test(text)
/** Settings by themselves write nothing into the log; a new file may not even have one then. */
const writes = ({ text }: Asked): boolean => !/^\s*(SELECT|PRAGMA)\b/i.test(text)
const changes = (one: Asked): boolean => writes(one) || standsAlone(one)
const waits = (one: Asked): boolean => (writes(one) && one.commit === "synchronous") || standsAlone(one)

export interface Groups {
  readonly run: (
    text: string,
    params: ReadonlyArray<unknown>,
    /** `synchronous` unless it is said. */
    commit?: Commit
  ) => Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
  /** Runs what is still asked for, and closes the file. */
  readonly close: () => void
}

/**
 * `open` opens the file anew. That is done after each error: a statement that libSQL's driver (0.4) has answered with SQLITE_BUSY is never
 * reset, SQLite counts it as still writing, and whatever is written after it on that connection stays in a transaction that never ends.
 */
export const makeGroups = (open: () => File): Groups => {
  let file: File | undefined
  let asked: Array<Asked> = []
  let isDue = false

  /** Committed, and to be answered when the disk has it. */
  let committed: Array<{ readonly answer: Asked["answer"]; readonly exit: Answer }> = []
  let isSyncing = false

  /** Begun while the disk is busy and something is kept that need not wait for it. */
  const patience = makeTerm(slow, () => due())
  /** Begun while there is something that was answered before the disk has it. */
  const owed = makeTerm(atLatest, () => sync())

  /** The disk has refused this: nothing more is written until it has taken it. */
  let refused: { readonly pending: Pending } | undefined

  /** There was no room for something. */
  let wasFull = false

  const use = <A>(work: (opened: File) => A, isToWrite = true): Exit.Exit<A, SqlError.SqlError> => {
    try {
      file ??= open()
      if (isToWrite && wasFull) {
        file.assertRoom()
        wasFull = false
      }
      if (isToWrite && refused !== undefined) {
        file.writeAgain(refused.pending)
        refused = undefined
      }
      return Exit.succeed(work(file))
    } catch (cause) {
      wasFull ||= isFull(cause)
      drop()
      return Exit.fail(asSqlError(cause))
    }
  }

  /** The first one has the most of it: what it had may have left the system's memory since. */
  const refuse = (by: File | undefined): void => {
    if (refused !== undefined) return
    try {
      refused = { pending: by?.pending() }
    } catch {
      // No descriptor, or nothing is to be read there: it is written again as it is found.
      refused = { pending: undefined }
    }
  }
  const drop = (): void => {
    const dropped = file
    if (dropped === undefined) return
    syncNow(dropped)
    file = undefined
    try {
      // The driver may keep the file open until its statements are collected: without its lock.
      if (dropped.inTransaction()) dropped.run("ROLLBACK", [])
      dropped.close()
    } catch {
      // It is given up because it cannot be trusted any more.
    }
  }

  /** What was committed before the file is given up is on the disk, or unknown to be. */
  const syncNow = (opened: File): void => {
    const all = committed
    committed = []
    // What nobody waits for is not worth a second one at a time: it goes with the next.
    if (all.length === 0 && (isSyncing || !owed.isBegun())) return
    owed.end()
    try {
      // Of what is refused only one of the two would hear.
      if (isSyncing) opened.writeAgain(undefined)
      else opened.syncNow()
      for (const { answer, exit } of all) answer(exit)
    } catch (cause) {
      refuse(opened)
      for (const { answer } of all) answer(Exit.fail(asSqlError(cause)))
    }
  }

  const sync = (): void => {
    if (isSyncing || file === undefined || (committed.length === 0 && !owed.isOver())) return
    const all = committed
    committed = []
    owed.end()
    isSyncing = true
    const opened = file
    opened.sync((error) => {
      isSyncing = false
      patience.end()
      if (error !== null) refuse(opened)
      for (const { answer, exit } of all) answer(error === null ? exit : Exit.fail(asSqlError(error)))
      if (error !== null) drop()
      if (asked.length > 0 || owed.isOver()) due()
    })
  }

  /** Once the disk has it, if it has written something that must be there and that has been committed. */
  const answerTo = (one: Asked, exit: Answer): void => {
    if (Exit.isFailure(exit) || !writes(one) || file?.inTransaction() !== false) one.answer(exit)
    else if (one.commit === "synchronous") committed.push({ answer: one.answer, exit })
    else {
      owed.begin()
      one.answer(exit)
    }
  }

  const alone = (one: Asked): void =>
    answerTo(
      one,
      use((opened) => opened.run(one.text, one.params), changes(one))
    )

  /** All of them written, or none, and then each by itself: so that one that cannot be written takes no other along. */
  const together = (group: ReadonlyArray<Asked>): void => {
    const begun = use((opened) => opened.run("BEGIN IMMEDIATE", []))
    if (Exit.isFailure(begun)) {
      for (const one of group) {
        if (writes(one)) one.answer(begun)
        else alone(one)
      }
      return
    }
    const answers = use((opened) => group.map(({ params, text }) => opened.run(text, params)))
    if (Exit.isFailure(answers)) {
      for (const one of group) alone(one)
      return
    }
    const ended = use((opened) => opened.run("COMMIT", []))
    for (const [at, one] of group.entries())
      answerTo(
        one,
        Exit.map(ended, () => answers.value[at] ?? [])
      )
  }

  const run = (all: ReadonlyArray<Asked>): void => {
    let group: Array<Asked> = []
    const end = () => {
      const [first] = group
      if (group.filter(writes).length > 1 && file?.inTransaction() !== true) together(group)
      else if (first !== undefined) for (const one of group) alone(one)
      group = []
    }
    for (const one of all) {
      if (standsAlone(one)) {
        end()
        alone(one)
      } else group.push(one)
    }
    end()
  }

  /** While the disk is busy what would wait for it anyway is kept, and written together: each commit costs some pages of the log. */
  const turn = (): void => {
    isDue = false
    const all = asked
    const isKept = patience.isOver() ? waits : changes
    asked = isSyncing ? all.filter(isKept) : []
    run(isSyncing ? all.filter((one) => !isKept(one)) : all)
    sync()
    if (isSyncing && asked.some((one) => !waits(one))) patience.begin()
  }
  const due = (): void => {
    if (isDue) return
    isDue = true
    setImmediate(turn)
  }

  return {
    run: (text, params, commit = "synchronous") =>
      Effect.async<ReadonlyArray<Row>, SqlError.SqlError>((resume) => {
        asked.push({ text, params, commit, answer: resume })
        due()
      }).pipe(Effect.uninterruptible),
    close: () => {
      const all = asked
      asked = []
      run(all)
      drop()
    }
  }
}

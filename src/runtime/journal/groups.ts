/**
 * Group commit: statements that are asked for in the same moment share one transaction, and so one wait for the disk. Each is still answered
 * only when the disk has it.
 *
 * A moment is one turn of Node's event loop: answers that came in together, of many orders. An order by itself waits no longer than before;
 * with hundreds in work, the disk is waited for some hundred times a second rather than some thousand.
 *
 * Each statement stays one by itself: what it says of the lease it says in its own text, and it sees what those before it in the group wrote.
 */
import type { SqlError } from "@effect/sql"
import { Effect, Exit } from "effect"
import { asSqlError, type File, type Row } from "./file.js"

type Answer = Exit.Exit<ReadonlyArray<Row>, SqlError.SqlError>

interface Asked {
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  readonly answer: (answer: Answer) => void
}

/** What cannot stand inside a transaction, or makes one itself. */
const standsAlone = ({ text }: Asked): boolean =>
  /^\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|VACUUM|ATTACH|DETACH)\b/i.test(text)
const writes = ({ text }: Asked): boolean => !/^\s*SELECT\b/i.test(text)

export interface Groups {
  readonly run: (text: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
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

  const use = <A>(work: (opened: File) => A): Exit.Exit<A, SqlError.SqlError> => {
    try {
      file ??= open()
      return Exit.succeed(work(file))
    } catch (cause) {
      drop()
      return Exit.fail(asSqlError(cause))
    }
  }
  const drop = (): void => {
    const dropped = file
    file = undefined
    try {
      // The driver may keep the file open until its statements are collected: without its lock.
      if (dropped?.inTransaction() === true) dropped.run("ROLLBACK", [])
      dropped?.close()
    } catch {
      // It is given up because it cannot be trusted any more.
    }
  }

  const alone = ({ answer, params, text }: Asked): void => answer(use((opened) => opened.run(text, params)))

  /** All of them written, or none, and then each by itself: so that one that cannot be written takes no other along. */
  const together = (group: ReadonlyArray<Asked>): void => {
    const begun = use((opened) => opened.run("BEGIN IMMEDIATE", []))
    if (Exit.isFailure(begun)) {
      for (const { answer } of group) answer(begun)
      return
    }
    const answers = use((opened) => group.map(({ params, text }) => opened.run(text, params)))
    if (Exit.isFailure(answers)) {
      for (const one of group) alone(one)
      return
    }
    const committed = use((opened) => opened.run("COMMIT", []))
    for (const [at, { answer }] of group.entries()) {
      answer(Exit.map(committed, () => answers.value[at] ?? []))
    }
  }

  const runAll = (): void => {
    isDue = false
    const all = asked
    asked = []
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

  return {
    run: (text, params) =>
      Effect.async<ReadonlyArray<Row>, SqlError.SqlError>((resume) => {
        asked.push({ text, params, answer: resume })
        if (isDue) return
        isDue = true
        setImmediate(runAll)
      }).pipe(Effect.uninterruptible),
    close: () => {
      runAll()
      drop()
    }
  }
}

/**
 * Entries of one order, or of one job between orders, under the lease of whoever writes them.
 *
 * Each statement inserts only while that lease is the newest. What came of a step need not be waited for: it goes with whatever is written next, in
 * the same statement (docs/decisions/0067-a-result-goes-with-what-comes-next.md). The disk is waited for where a power cut could take what matters
 * (docs/decisions/0083-what-a-power-cut-may-take.md).
 */
import type { SqlClient } from "@effect/sql"
import { Cause, Deferred, Effect, Exit, FiberId, FiberRef, Option, Runtime } from "effect"
import {
  type JournalEntry,
  type JournalError,
  JournalUnavailable,
  LeaseLost,
  momentBy,
  type OrderId,
  type OrderJournal,
  wholeOrder
} from "../../core/index.js"
import { orderAsAWhole } from "../database/dialect.js"
import { asking, type Commit } from "../database/sql.js"
import { type Lease, leaseHolds } from "./lease.js"

/** Tables of entries, each with its column of what an entry is about. */
const aboutIn = { journal: "order_id", reconciliation: "job" } as const

export interface Writing {
  readonly table: keyof typeof aboutIn
  /** The order's uuid, or the job's. */
  readonly id: OrderId
  readonly lease: Lease
  /** Written before, oldest first. */
  readonly before: ReadonlyArray<JournalEntry>
  /** And what was written before the order was last accepted. */
  readonly past?: ReadonlyArray<JournalEntry>
  /** How often the order has been accepted and ended by then (`turnsIn`); a job is written once. */
  readonly turns?: number
  /** Told of each entry, once it is written or is about to be. */
  readonly tell: (entry: JournalEntry) => Effect.Effect<void>
  /** Told of each statement: how long it took, in ms. */
  readonly measure: (millis: number, failed: boolean) => void
}

/** An entry, and its data as it is stored. */
interface Row {
  readonly entry: JournalEntry
  readonly json: string | null
}

/** What cannot be stored is a bug of whoever says it, and dies there. */
const rowOf = (at: number, step: string, event: string, data: unknown): Row => ({
  entry: { step, event, at, ...(data === undefined ? {} : { data }) },
  json: data === undefined ? null : JSON.stringify(data)
})

const turning = ["accepted", "done", "erred"]
const isTurn = ({ event, step }: JournalEntry): boolean => step === wholeOrder && turning.includes(event)

export const turnsIn = (entries: ReadonlyArray<JournalEntry>): number => entries.filter(isTurn).length

/**
 * Whoever accepts an order knows all of its turns. A statement that was given up may still be carried out, when its connection comes back to life: an
 * acceptance behind what a later attempt has done would hide all of that, and it would be done again.
 */
const knowsTurns = (sql: SqlClient.SqlClient, id: OrderId, turns: number) => sql`
  AND (SELECT count(*) FROM journal WHERE order_id = ${id} AND step = ${orderAsAWhole(sql)} AND event IN ${sql.in(turning)}) = ${turns}`

/** In the one statement that asks for the lease: no row comes back where that has passed on. */
const insert = (
  sql: SqlClient.SqlClient,
  { id, lease, table }: Writing,
  written: ReadonlyArray<Row>,
  turns: number | undefined
) => {
  // Of the first row PostgreSQL takes the types.
  const rows = written.map(
    ({ entry: { at, event, step }, json }) => sql`(CAST(${id} AS TEXT), CAST(${lease.resource} AS TEXT),
      CAST(${lease.epoch} AS BIGINT), CAST(${step} AS TEXT), CAST(${event} AS TEXT), CAST(${at} AS BIGINT), CAST(${json} AS TEXT))`
  )
  const accepts = written.some(({ entry }) => entry.event === "accepted" && isTurn(entry))
  return sql`
    INSERT INTO ${sql.literal(table)} (${sql.literal(aboutIn[table])}, resource_id, epoch, step, event, at, data)
    SELECT * FROM (VALUES ${sql.join(", ", false)(rows)}) AS entry
    WHERE ${leaseHolds(sql, lease)}
      ${accepts && turns !== undefined ? knowsTurns(sql, id, turns) : sql``}
    RETURNING id`
}

/** Once this fiber stands still, within the same moment: fibers that have work to do take their turns through the scheduler. */
const soon = (task: () => void): Effect.Effect<void> =>
  Effect.map(FiberRef.get(FiberRef.currentScheduler), (scheduler) => scheduler.scheduleTask(task, 0))

export const entriesUnder = (
  sql: SqlClient.SqlClient,
  writing: Writing
): Effect.Effect<
  Pick<OrderJournal, "entries" | "append" | "announce" | "note"> & Required<Pick<OrderJournal, "past">>
> =>
  Effect.map(Effect.zip(Effect.runtime(), Effect.clock), ([runtime, clock]) => {
    const { lease, measure, tell } = writing
    const ask = asking(sql)
    let entries = writing.before
    let past = writing.past ?? []
    let turns = writing.turns
    /** Noted, and not on its way to the database yet. */
    let noted: Array<Row> = []
    /** What was noted and could not be written: from then on this is not what the database has, and nothing may rest on it. */
    let missed: Option.Option<JournalError> = Option.none()
    /** What was noted is on its way. Whatever is written next rests on it, also where steps go side by side: so it waits for what becomes of that. */
    let carried: Option.Option<Deferred.Deferred<void>> = Option.none()

    const known = ({ entry }: Row): void => {
      if (turns !== undefined && isTurn(entry)) turns += 1
      const begins = entry.step === wholeOrder && entry.event === "accepted"
      if (begins) past = [...past, ...entries]
      entries = begins ? [entry] : [...entries, entry]
    }

    const write = (rows: ReadonlyArray<Row>, commit: Commit): Effect.Effect<void, JournalError> =>
      Effect.suspend(() => {
        const asked = momentBy(clock)
        const began = performance.now()
        return Effect.matchEffect(ask(insert(sql, writing, rows, turns), commit), {
          onFailure: (error) => {
            measure(performance.now() - began, true)
            return Effect.fail(error)
          },
          onSuccess: (inserted) => {
            measure(performance.now() - began, false)
            if (inserted.length === 0) return new LeaseLost({ resource: lease.resource, epoch: lease.epoch })
            lease.confirmed.at = asked
            return Effect.void
          }
        })
      })

    /** It may have been written all the same: known is that nobody has heard so. */
    const miss = (cause: Cause.Cause<JournalError>): void => {
      missed = Option.some(
        Option.getOrElse(
          Cause.failureOption(cause),
          () => new JournalUnavailable({ reason: "what had come of a step was given up on its way to the database" })
        )
      )
    }

    const carry = (rows: ReadonlyArray<Row>, commit: Commit): Effect.Effect<void, JournalError> =>
      Effect.suspend(() => {
        const arrived = Deferred.unsafeMake<void>(FiberId.none)
        carried = Option.some(arrived)
        return Effect.onExit(write(rows, commit), (exit) =>
          Effect.sync(() => {
            if (Exit.isFailure(exit)) miss(exit.cause)
            carried = Option.none()
            Deferred.unsafeDone(arrived, Effect.void)
          })
        )
      })

    /** With what was noted before it. */
    const writeWith = (own: ReadonlyArray<Row>, commit: Commit): Effect.Effect<void, JournalError> =>
      Effect.suspend(() => {
        if (Option.isSome(missed)) return Effect.fail(missed.value)
        if (Option.isSome(carried)) return Effect.zipRight(Deferred.await(carried.value), writeWith(own, commit))
        const rows = [...noted, ...own]
        const takesNotes = noted.length > 0
        noted = []
        if (rows.length === 0) return Effect.void
        return takesNotes ? carry(rows, commit) : write(rows, commit)
      })

    /** Nothing else may come for long. */
    const writeRest = Effect.ignore(writeWith([], "asynchronous"))

    const add = (step: string, event: string, data: unknown, commit: Commit): Effect.Effect<void, JournalError> =>
      Effect.clockWith((here) => {
        const one = rowOf(here.unsafeCurrentTimeMillis(), step, event, data)
        return Effect.flatMap(writeWith([one], commit), () => {
          known(one)
          return tell(one.entry)
        })
      })

    return {
      entries: Effect.sync(() => entries),
      past: Effect.sync(() => past),
      append: (step, event, data) => add(step, event, data, "synchronous"),
      announce: (step) => add(step, "started", undefined, "asynchronous"),
      note: (step, event, data) =>
        Effect.clockWith((here) => {
          if (Option.isSome(missed)) return Effect.fail(missed.value)
          const one = rowOf(here.unsafeCurrentTimeMillis(), step, event, data)
          known(one)
          noted.push(one)
          return noted.length === 1
            ? Effect.zipRight(
                soon(() => Runtime.runFork(runtime)(writeRest)),
                tell(one.entry)
              )
            : tell(one.entry)
        })
    }
  })

/** What was done by hand, and by whom: written down before it is done, and what came of it after. */
import { SqlClient } from "@effect/sql"
import { Clock, Effect, Schema } from "effect"
import { AuditRow, type Outcome } from "../../api/index.js"
import { publish } from "../activity.js"
import { unavailable } from "../database/sql.js"
import { Pauses } from "../journal/pauses.js"
import { cursorOf, pageOf, readCursor, usualPage } from "../views/paging.js"

export interface Deed {
  readonly who: string
  readonly role: AuditRow["role"]
  readonly by: AuditRow["by"]
  readonly kind: string
  /** The uuid of what it is done to; empty: all. */
  readonly subject: string
  readonly detail: string
}

/** What came of something that the agent's end has cut off. What was asked for at the command line stays written down until it is answered (`requests.ts`). */
const cutOff = {
  atCommandLine: "The agent ended before it was over: its next start does it again.",
  elsewhere: "The agent ended before it was over. Look at what it is about, and ask again if it was not done."
}
const commandLine = "command line" satisfies Deed["by"]

/**
 * What is not over, and was cut off by the end of a process that could not say so. For a start of the only one: all of it. Where there are several: what a
 * process has begun that is not known to live any more (`journal/pauses.ts`), or was started anew since; of an earlier version's, which does not say whose it
 * is, what was begun before any of those that live. Each writes its start and its deeds by one and the same clock.
 */
export const settleCutOff = (several: boolean) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    unavailable(sql`UPDATE audit SET ok = 0, outcome = CASE by_way
      WHEN ${commandLine} THEN ${cutOff.atCommandLine} ELSE ${cutOff.elsewhere} END
      WHERE ok IS NULL ${
        several
          ? sql`AND NOT EXISTS (SELECT 1 FROM agent
              WHERE agent.started <= audit.at AND (audit.owner IS NULL OR agent.owner = audit.owner))`
          : sql``
      }`)
  )

/** Written down around `work`. What cannot be written down is not done. */
export const audited = <E, R>(deed: Deed, work: Effect.Effect<Outcome, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { owner } = yield* Pauses
    const at = yield* Clock.currentTimeMillis
    const [row] = yield* unavailable(sql<{ readonly id: number }>`
      INSERT INTO audit (at, owner, who, role, by_way, kind, subject, detail, ok, outcome)
      VALUES (${at}, ${owner}, ${deed.who}, ${deed.role}, ${deed.by}, ${deed.kind}, ${deed.subject}, ${deed.detail}, NULL, '')
      RETURNING id`)
    const settle = (ok: boolean, outcome: string) =>
      unavailable(sql`UPDATE audit SET ok = ${ok ? 1 : 0}, outcome = ${outcome} WHERE id = ${row?.id ?? 0}`)
    const who = deed.who === deed.by ? deed.who : `${deed.who} (${deed.by})`
    yield* Effect.logInfo(
      `By ${who}: ${deed.kind} ${deed.subject}${deed.detail === "" ? "" : `: ${deed.detail}`}`.trim()
    )
    const outcome = yield* work.pipe(
      Effect.tapErrorCause(() => Effect.ignore(settle(false, "It failed: see the log."))),
      Effect.onInterrupt(() =>
        Effect.ignore(settle(false, deed.by === commandLine ? cutOff.atCommandLine : cutOff.elsewhere))
      )
    )
    yield* settle(outcome.ok, outcome.outcome)
    return outcome
  }).pipe(Effect.ensuring(publish({ _tag: "Deed", kind: deed.kind })))

export interface AuditQuestion {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly subject?: string | undefined
  readonly kind?: string | undefined
}

const isRow = Schema.is(AuditRow)

/** The newest first. */
export const auditList = (question: AuditQuestion) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const limit = question.limit ?? usualPage
    const wanted = [
      ...(question.subject === undefined ? [] : [sql`subject = ${question.subject}`]),
      ...(question.kind === undefined ? [] : [sql`kind = ${question.kind}`])
    ]
    const before =
      question.cursor === undefined
        ? []
        : [sql`id < ${(yield* readCursor(Schema.Tuple(Schema.Int), question.cursor))[0]}`]
    const rows = yield* unavailable(sql<Omit<AuditRow, "ok"> & { readonly id: number; readonly ok: number | null }>`
      SELECT id, at, who, role, by_way AS by, kind, subject, detail, ok, outcome FROM audit
      WHERE ${sql.and([...wanted, ...before])} ORDER BY id DESC LIMIT ${limit + 1}`)
    const [count] = yield* unavailable(
      sql<{ readonly total: number }>`SELECT count(*) AS total FROM audit WHERE ${sql.and(wanted)}`
    )
    const page = pageOf(rows, limit, count?.total ?? 0, ({ id }) => cursorOf(id))
    return {
      ...page,
      rows: page.rows.map(({ id: _id, ok, ...row }) => ({ ...row, ok: ok === null ? null : ok === 1 })).filter(isRow)
    }
  })

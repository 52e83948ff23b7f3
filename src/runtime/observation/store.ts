/** What the looks found, kept: how resources are, and in what they differ since when. Read by the commands, also while no agent runs. */
import { SqlClient } from "@effect/sql"
import { Effect, Option } from "effect"
import type { Difference, JournalUnavailable, OfferingId, ResourceId } from "../../core/index.js"
import { each, eachText } from "../database/dialect.js"
import { unavailable } from "../database/sql.js"

type Result<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

/** A resource at the last look. */
export interface Observed {
  readonly resource: ResourceId
  readonly offering: string
  /** The customer's label. */
  readonly name: string
  readonly backendId: string
  /** Waldur's word. */
  readonly marketplaceState: string
  /** The backend's word; `missing`. */
  readonly state: string
  readonly healthy: boolean
  /** What Waldur wants of it. */
  readonly standing: string
  readonly facts: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. */
  readonly at: number
  /** In how many looks in a row it was not there. */
  readonly misses: number
  /** Whether this agent called it erred in Waldur for that. */
  readonly erred: boolean
}

/** What is done about a difference. */
export type Policy = "report" | "repair"

export interface KnownDifference extends Omit<Difference, "mendable"> {
  readonly resource: ResourceId
  readonly policy: Policy
  /** Milliseconds since 1970. */
  readonly since: number
  /** What came of the last try to put it right; `null`: none yet. */
  readonly outcome: string | null
}

interface ObservedRow extends Omit<Observed, "healthy" | "erred" | "facts"> {
  readonly healthy: number
  readonly erred: number
  readonly facts: string
}
const observedOf = (row: ObservedRow): Observed => ({
  ...row,
  healthy: row.healthy === 1,
  erred: row.erred === 1,
  facts: JSON.parse(row.facts)
})

const observedColumns = `resource_id AS resource, offering, name, backend_id AS "backendId", marketplace_state AS "marketplaceState",
  state, healthy, standing, facts, at, misses, erred`
const differenceColumns = "resource_id AS resource, kind, subject, expected, found, sentence, policy, since, outcome"

/** Of an element of `each`. */
const textOf = (name: string) => `value ->> '${name}'`
const numberOf = (name: string) => `CAST(value ->> '${name}' AS BIGINT)`

/** Of one offering, or of all; by name. */
export const all = (offering?: OfferingId): Result<ReadonlyArray<Observed>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<ObservedRow>`SELECT ${sql.literal(observedColumns)} FROM observation
      ${offering === undefined ? sql`` : sql`WHERE offering = ${offering}`} ORDER BY name, resource_id`
    return rows.map(observedOf)
  }).pipe(unavailable)

export const one = (resource: ResourceId): Result<Option.Option<Observed>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<ObservedRow>`
      SELECT ${sql.literal(observedColumns)} FROM observation WHERE resource_id = ${resource}`
    return Option.map(Option.fromNullable(rows[0]), observedOf)
  }).pipe(unavailable)

/** Oldest first. */
export const differences = (offering?: OfferingId): Result<ReadonlyArray<KnownDifference>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<KnownDifference>`SELECT ${sql.literal(differenceColumns)} FROM difference
      ${
        offering === undefined
          ? sql``
          : sql`WHERE resource_id IN (SELECT resource_id FROM observation WHERE offering = ${offering})`
      }
      ORDER BY since, resource_id, kind, subject`
  }).pipe(unavailable)

/** These resources as they are now; `erred` of those that are known stays as it is. One statement, however many. */
export const keep = (resources: ReadonlyArray<Omit<Observed, "erred">>): Result<void> =>
  Effect.gen(function* () {
    if (resources.length === 0) return
    const sql = yield* SqlClient.SqlClient
    const rows = resources.map((row) => ({ ...row, healthy: row.healthy ? 1 : 0 }))
    const columns = [
      ...["resource", "offering", "name", "backendId", "marketplaceState", "state"].map(textOf),
      numberOf("healthy"),
      textOf("standing"),
      "CAST(value -> 'facts' AS TEXT)",
      ...["at", "misses"].map(numberOf),
      "0"
    ]
    yield* sql`
      INSERT INTO observation (resource_id, offering, name, backend_id, marketplace_state, state, healthy, standing, facts, at, misses, erred)
      SELECT ${sql.literal(columns.join(", "))} FROM ${each(sql, rows)} WHERE true
      ON CONFLICT (resource_id) DO UPDATE SET offering = excluded.offering, name = excluded.name, backend_id = excluded.backend_id,
        marketplace_state = excluded.marketplace_state, state = excluded.state, healthy = excluded.healthy, standing = excluded.standing,
        facts = excluded.facts, at = excluded.at, misses = excluded.misses`
  }).pipe(unavailable)

/** Forgets the differences of resources that nobody looks at any more, as their offering is none of these. */
export const forgetDifferencesBut = (offerings: ReadonlyArray<string>): Result<void> =>
  Effect.gen(function* () {
    if (offerings.length === 0) return
    const sql = yield* SqlClient.SqlClient
    const those = sql`resource_id IN (
      SELECT resource_id FROM observation WHERE offering NOT IN (SELECT value FROM ${eachText(sql, offerings)}))`
    // Asked every minute, and hardly ever there: no write for nothing.
    const found = yield* sql`SELECT 1 AS found FROM difference WHERE ${those} LIMIT 1`
    if (found.length > 0) yield* sql`DELETE FROM difference WHERE ${those}`
  }).pipe(unavailable)

/** Forgets resources that the marketplace does not list any more, and their differences. */
export const forget = (resources: ReadonlyArray<ResourceId>): Result<void> =>
  Effect.gen(function* () {
    if (resources.length === 0) return
    const sql = yield* SqlClient.SqlClient
    yield* sql`DELETE FROM difference WHERE resource_id IN (SELECT value FROM ${eachText(sql, resources)})`
    yield* sql`DELETE FROM observation WHERE resource_id IN (SELECT value FROM ${eachText(sql, resources)})`
  }).pipe(unavailable)

export const addDifferences = (found: ReadonlyArray<Omit<KnownDifference, "outcome">>): Result<void> =>
  Effect.gen(function* () {
    if (found.length === 0) return
    const sql = yield* SqlClient.SqlClient
    const columns = [
      ...["resource", "kind", "subject", "expected", "found", "sentence", "policy"].map(textOf),
      numberOf("since")
    ]
    yield* sql`
      INSERT INTO difference (resource_id, kind, subject, expected, found, sentence, policy, since)
      SELECT ${sql.literal(columns.join(", "))} FROM ${each(sql, found)} WHERE true
      ON CONFLICT (resource_id, kind, subject) DO UPDATE SET expected = excluded.expected, found = excluded.found,
        sentence = excluded.sentence, policy = excluded.policy`
  }).pipe(unavailable)

type Key = Pick<KnownDifference, "resource" | "kind" | "subject">

export const removeDifferences = (gone: ReadonlyArray<Key>): Result<void> =>
  Effect.gen(function* () {
    if (gone.length === 0) return
    const sql = yield* SqlClient.SqlClient
    const keys = gone.map(({ resource, kind, subject }) => ({ resource, kind, subject }))
    yield* sql`DELETE FROM difference WHERE (resource_id, kind, subject) IN
      (SELECT value ->> 'resource', value ->> 'kind', value ->> 'subject' FROM ${each(sql, keys)})`
  }).pipe(unavailable)

/** What came of trying to put it right. */
export const setOutcome = (resource: ResourceId, kind: string, outcome: string): Result<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE difference SET outcome = ${outcome} WHERE resource_id = ${resource} AND kind = ${kind}`
  }).pipe(unavailable)

export const setErred = (resource: ResourceId, erred: boolean): Result<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE observation SET erred = ${erred ? 1 : 0} WHERE resource_id = ${resource}`
  }).pipe(unavailable)

/** Remembers what was offered for import. */
export const offer = (offering: OfferingId, backendIds: ReadonlyArray<string>, at: number): Result<void> =>
  Effect.gen(function* () {
    if (backendIds.length === 0) return
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO offered (offering, backend_id, at)
      SELECT ${offering}, value, ${at} FROM ${eachText(sql, backendIds)} WHERE true
      ON CONFLICT (offering, backend_id) DO NOTHING`
  }).pipe(unavailable)

export const wasOffered = (offering: OfferingId, backendId: string): Result<boolean> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT 1 FROM offered WHERE offering = ${offering} AND backend_id = ${backendId}`
    return rows.length > 0
  }).pipe(unavailable)

/** The backend ids that were offered for import. */
export const offered = (offering: OfferingId): Result<ReadonlySet<string>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly id: string }>`SELECT backend_id AS id FROM offered WHERE offering = ${offering}`
    return new Set(rows.map(({ id }) => id))
  }).pipe(unavailable)

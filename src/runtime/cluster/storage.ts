/**
 * The address book in the database: which processes there are, and which of them has which shard of the resources.
 *
 * A process that gives no sign of life for `takeover` is not there any more, and whoever wants its shards gets them. Not `SqlRunnerStorage` of
 * @effect/cluster: this one stands on the journal's own connections, counts in ms, and knows one start of a process from another, so that two
 * with one address by mistake do not both believe that all is theirs (docs/decisions/0043-several-processes.md).
 */
import { randomUUID } from "node:crypto"
import { ClusterError, RunnerStorage } from "@effect/cluster"
import { SqlClient, type SqlError, type Statement } from "@effect/sql"
import { Context, Deferred, Effect, Layer, Ref } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { addressOf, type ClusterSettings, ClusterUnusable } from "../config/cluster.js"
import { asking, straight } from "../database/sql.js"
import { databaseNow, databaseNowLess } from "../journal/tables/cluster.js"

/** One start of this process among the others. */
export class Member extends Context.Tag("site-actors/runtime/cluster/Member")<
  Member,
  {
    readonly address: string
    /** This start, unlike any other. */
    readonly instance: string
    /** Has this process the lock of the shard, as the database has it now? */
    readonly holds: (shard: string) => Effect.Effect<boolean, JournalUnavailable>
    /** Which start has the lock of each shard now; one that is missing has nobody. */
    readonly holders: Effect.Effect<ReadonlyMap<string, string>, JournalUnavailable>
    /** Fails when a process that was started later has this one's address: then this one must end. */
    readonly superseded: Effect.Effect<never, ClusterUnusable>
  }
>() {}

/** Of several starts at one address the last one counts. */
const started = (at: string, by: string) =>
  new ClusterUnusable({
    address: at,
    reason: `${by} was started with the same address later`,
    hint: "Each process needs a cluster.host and cluster.port of its own. This one ends."
  })

/** `owner`: this process's name, for people. */
export const layer = (settings: ClusterSettings, owner: string) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const run = straight(sql)
      const ask = asking(sql)
      const address = addressOf(settings)
      const instance = randomUUID()
      const since = yield* Deferred.make<never, ClusterUnusable>()
      const registered = yield* Ref.make(false)
      const now = databaseNow(sql)
      const expired = databaseNowLess(sql, settings.takeover)
      // A statement that was sent is waited for, for ten seconds; whoever gives up sooner must not have to wait with it.
      const kept = <A>(statement: Effect.Effect<A, SqlError.SqlError>) =>
        ClusterError.PersistenceError.refail(Effect.disconnect(statement))
      // A process that ends tells the others so; if the database is silent, its silence tells them.
      const parting = <A>(statement: Effect.Effect<A, SqlError.SqlError>) =>
        ClusterError.PersistenceError.refail(
          Effect.timeout(Effect.interruptible(Effect.disconnect(statement)), "2 seconds")
        )
      const own = sql`address = ${address} AND instance = ${instance}`
      const shardsOf = (rows: ReadonlyArray<{ readonly shard: string }>): Array<string> =>
        rows.map(({ shard }) => shard)
      const asked = <A extends object>(statement: Statement.Statement<A>) => run(statement)

      /**
       * Signs of life that are dated ahead are of another clock than the database has now: a standby's that is behind has taken over, or it was set
       * back. They count as of now. Else who is dead would keep its shards until the clock is where it was. Waits for nobody: who is at work dates
       * its own.
       */
      const dated = (
        [
          ["cluster_runner", "machine", "seen"],
          ["cluster_lock", "shard", "at"]
        ] as const
      ).map(([table, key, time]) =>
        asked(sql`
          UPDATE ${sql(table)} SET ${sql(time)} = ${now}
          WHERE ${sql(key)} IN (SELECT ${sql(key)} FROM ${sql(table)} WHERE ${sql(time)} > ${now} FOR UPDATE SKIP LOCKED)`)
      )

      /** The start that has this address now, if it is another one. */
      const other = Effect.map(
        asked(sql<{ readonly owner: string }>`
          SELECT owner FROM cluster_runner WHERE address = ${address} AND instance <> ${instance}`),
        ([row]) => row?.owner
      )
      /** Locks are refreshed while the first registration is still on its way: who is there until then was started earlier. */
      const noteIfSuperseded = Effect.flatMap(other, (by) =>
        by === undefined ? Effect.void : Deferred.fail(since, started(address, by))
      ).pipe(Effect.whenEffect(Ref.get(registered)))

      const storage = RunnerStorage.makeEncoded({
        getRunners: kept(
          Effect.map(
            asked(sql<{ readonly runner: string; readonly healthy: number }>`
              SELECT runner, healthy FROM cluster_runner WHERE seen > ${expired}`),
            (rows) => rows.map(({ healthy, runner }) => [runner, healthy === 1] as const)
          )
        ),
        register: (_, runner, healthy) =>
          kept(
            Effect.gen(function* () {
              if (yield* Deferred.isDone(since)) return yield* Effect.never
              const rows = yield* asked(sql<{ readonly machine: number }>`
                INSERT INTO cluster_runner (address, instance, started, owner, runner, healthy, seen)
                VALUES (${address}, ${instance}, ${now}, ${owner}, ${runner}, ${healthy ? 1 : 0}, ${now})
                ON CONFLICT (address) DO UPDATE SET instance = excluded.instance, started = excluded.started,
                  owner = excluded.owner, runner = excluded.runner, healthy = excluded.healthy, seen = excluded.seen,
                  unreached = NULL, unreached_since = NULL
                RETURNING machine`)
              yield* Ref.set(registered, true)
              // What an earlier start at this address had is free: it has ended, or has to.
              yield* asked(sql`DELETE FROM cluster_lock WHERE address = ${address} AND instance <> ${instance}`)
              return rows[0]?.machine ?? 0
            })
          ),
        unregister: () =>
          parting(Effect.asVoid(asked(sql`DELETE FROM cluster_runner WHERE (${own}) OR seen < ${expired}`))),
        setRunnerHealth: (of, healthy) =>
          kept(Effect.asVoid(asked(sql`UPDATE cluster_runner SET healthy = ${healthy ? 1 : 0} WHERE address = ${of}`))),
        acquire: (_, shards) =>
          kept(
            Effect.map(
              asked(sql<{ readonly shard: string }>`
                INSERT INTO cluster_lock (shard, address, instance, at)
                VALUES ${sql.csv(shards.toSorted().map((shard) => sql`(${shard}, ${address}, ${instance}, ${now})`))}
                ON CONFLICT (shard) DO UPDATE SET address = excluded.address, instance = excluded.instance, at = excluded.at
                WHERE cluster_lock.instance = excluded.instance OR cluster_lock.at < ${expired}
                RETURNING shard`),
              shardsOf
            )
          ),
        refresh: (_, shards) =>
          kept(
            Effect.gen(function* () {
              const locks =
                shards.length === 0
                  ? Effect.succeed([])
                  : asked(sql<{ readonly shard: string }>`
                      UPDATE cluster_lock SET at = ${now} WHERE ${own} AND shard IN ${sql.in(shards)} RETURNING shard`)
              // Side by side: @effect/cluster gives all of it a third of `takeover`, and lets go of everything that was not refreshed by then.
              const [seen, held] = yield* Effect.all(
                [asked(sql`UPDATE cluster_runner SET seen = ${now} WHERE ${own} RETURNING machine`), locks, ...dated],
                { concurrency: "unbounded" }
              )
              if (seen.length === 0) yield* noteIfSuperseded
              return shardsOf(held)
            })
          ),
        release: (_, shard) =>
          kept(Effect.asVoid(asked(sql`DELETE FROM cluster_lock WHERE ${own} AND shard = ${shard}`))),
        releaseAll: () => parting(Effect.asVoid(asked(sql`DELETE FROM cluster_lock WHERE ${own}`)))
      })
      const member = Member.of({
        address,
        instance,
        holders: Effect.map(
          ask(sql<{ readonly shard: string; readonly instance: string }>`
            SELECT shard, instance FROM cluster_lock WHERE at >= ${expired} ORDER BY shard`),
          (rows) => new Map(rows.map((row) => [row.shard, row.instance]))
        ),
        holds: (shard) =>
          Effect.map(
            ask(sql`SELECT 1 AS held FROM cluster_lock WHERE shard = ${shard} AND ${own} AND at >= ${expired}`),
            (rows) => rows.length > 0
          ),
        superseded: Deferred.await(since)
      })
      return Context.make(RunnerStorage.RunnerStorage, storage).pipe(Context.add(Member, member))
    })
  )

/** Orders that a storm waits for. As long as some of them end, it waits; each minute in which none does it says what it waits for, and gives up at last. */
import { Console, Effect, Schema } from "effect"
import { NeverCame } from "../crash/waits.js"
import type { ClusterSite } from "./site.js"

/** Minutes. Beside eight busy loops on two cores it took 100 s from one end to the next, and nothing was wrong. */
const patience = 5
/** So many of them are told of. */
const most = 12

const Lines = Schema.Array(Schema.Struct({ line: Schema.String }))

/** What the database has of the processes, and of each order that is open: its last entry, and who has its resource. */
const known = (site: ClusterSite, open: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  site
    .query(
      `SELECT owner || ' at ' || address || (CASE healthy WHEN 1 THEN '' ELSE ', not healthy' END) || ', with ' ||
         (SELECT count(*) FROM cluster_lock WHERE cluster_lock.instance = cluster_runner.instance) || ' shards, last seen ' ||
         round(extract(epoch FROM clock_timestamp()) - seen / 1000) || ' s ago' AS line FROM cluster_runner
       UNION ALL SELECT 'nobody has ' || 64 - count(*) || ' shards' FROM cluster_lock
       UNION ALL (SELECT DISTINCT ON (order_id) order_id || ': ' || step || ' ' || event || ' at ' || to_timestamp(journal.at / 1000) || ', by ' || owner
         FROM journal JOIN lease USING (resource_id) WHERE order_id IN (${open.map((uuid) => `'${uuid}'`).join(", ")})
         ORDER BY order_id, id DESC)`
    )
    .pipe(
      Effect.flatMap(Schema.decodeUnknown(Lines)),
      Effect.map((rows) => rows.map(({ line }) => line)),
      Effect.timeout("20 seconds"),
      Effect.catchAllCause((cause) => Effect.succeed([`The database does not say: ${cause}`]))
    )

export const awaitOrders = (
  site: ClusterSite,
  orders: ReadonlyArray<string>,
  ended: (uuid: string) => void
): Effect.Effect<void, NeverCame> => {
  const open = new Set(orders)
  const all = Effect.forEach(
    orders,
    (uuid) =>
      Effect.map(site.marketplace.awaitOrderEnd(uuid), () => {
        open.delete(uuid)
        ended(uuid)
      }),
    { concurrency: "unbounded", discard: true }
  )
  const watch = Effect.gen(function* () {
    let before = open.size
    let silent = 0
    for (;;) {
      yield* Effect.sleep("1 minute")
      silent = open.size < before ? 0 : silent + 1
      before = open.size
      if (silent === 0) continue
      const some = [...open].slice(0, most)
      const what = [
        `no order has ended for ${silent} min; ${open.size} are open, of them in Waldur:`,
        ...some.map((uuid) => `${uuid}: ${site.marketplace.orders.get(uuid)?.state}`),
        "in the database:",
        ...(yield* known(site, some))
      ].join("\n    ")
      if (silent >= patience) return yield* Effect.fail(new NeverCame(what))
      yield* Console.log(`  ${what}`)
    }
  })
  return Effect.raceFirst(all, watch)
}

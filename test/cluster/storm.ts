/**
 * Orders on several processes, while these are killed, stopped and cut off from their database; then everything is ended again. Says what is not
 * as it should be: each order done, nothing made twice, nothing left, nobody at a resource who had lost it, one order of a resource at a time.
 */
import { Clock, Effect, Fiber, Schema } from "effect"
import { pictureOfCloud } from "../crash/picture.js"
import { doubled } from "../crash/site.js"
import { nothingLeft } from "../crash/trial.js"
import { orNever, until } from "../crash/waits.js"
import { watchForDoubles } from "../crash/watch.js"
import { type ClusterOptions, type ClusterSite, makeClusterSite } from "./site.js"
import { awaitOrders } from "./stalled.js"
import { patience } from "./strikes.js"

export interface StormOptions extends ClusterOptions {
  readonly vdcs: number
  readonly vmsOfEach: number
  /** Goes on while orders are in work; it is stopped at the end, and puts everything right that it has stopped. */
  readonly strikes: (site: ClusterSite) => Effect.Effect<void>
}

export interface Storm {
  readonly orders: number
  readonly violations: ReadonlyArray<string>
  /** From the first order that was placed in the storm to the last one's end, in ms. */
  readonly lasted: number
  /** Machines made a second, all of them ordered at once. */
  readonly rate: number
  /** What the processes have printed. */
  readonly output: string
  readonly nodes: ClusterSite["nodes"]
}

const Count = Schema.Tuple(Schema.Struct({ count: Schema.NumberFromString }))

/** Room for all. */
const cloud = {
  keepCalls: false,
  initial: { hosts: ["host01", "host02"].map((name) => ({ name, cpuCores: 2000, memoryMb: 4_000_000 })) }
}

export const storm = ({ strikes, vdcs, vmsOfEach, ...options }: StormOptions) =>
  Effect.gen(function* () {
    const site = yield* makeClusterSite({ ...options, cloud, offerings: { waldur_timeout: patience } })
    const watched = watchForDoubles(site.cloud)
    const atFirst = pictureOfCloud(site.cloud)
    const violations: Array<string> = []
    const done = (orders: ReadonlyArray<string>) =>
      awaitOrders(site, orders, (uuid) => {
        const order = site.marketplace.orders.get(uuid)
        if (order?.state === "done") return
        violations.push(`${order?.type} of ${order?.resource?.name ?? uuid} is ${order?.state}: ${order?.errorMessage}`)
      })
    const vdcName = (at: number) => `storm-${at}`
    const vmName = (at: number, of: number) => `storm-${of}-${at}`
    const each = <A, E, R>(count: number, act: (at: number) => Effect.Effect<A, E, R>) =>
      Effect.forEach(
        Array.from({ length: count }, (_, at) => at + 1),
        act
      )

    // A medium machine for one of them.
    const limits = { ...doubled, cpu: vmsOfEach + 4, ram: 4096 * (vmsOfEach + 1), storage: 40_960 * (vmsOfEach + 1) }

    // What one of each makes, undisturbed.
    yield* done([yield* site.place.vdc(vdcName(1), limits)])
    const ofVdc = new Map(watched.made)
    yield* done([yield* site.place.vm(vmName(1, 1), vdcName(1))])
    const ofVm = new Map([...watched.made].map(([method, times]) => [method, times - (ofVdc.get(method) ?? 0)]))

    const began = yield* Clock.currentTimeMillis
    let lasted = 0
    let rate = 0
    const raged = Effect.gen(function* () {
      const raging = yield* Effect.forkScoped(strikes(site))
      const further = yield* each(vdcs - 1, (at) => site.place.vdc(vdcName(at + 1), limits))
      yield* done(further)
      const ordered = yield* Clock.currentTimeMillis
      const machines = (yield* each(vdcs, (of) =>
        each(vmsOfEach - (of === 1 ? 1 : 0), (at) => site.place.vm(vmName(of === 1 ? at + 1 : at, of), vdcName(of)))
      )).flat()
      yield* done(machines)
      rate = (1000 * machines.length) / ((yield* Clock.currentTimeMillis) - ordered)
      // Two orders of one resource, one placed while the other may be in work.
      const resized = yield* each(vdcs, (of) => site.place.switchToMedium(vmName(1, of)))
      yield* done(resized)
      for (const [method, times] of watched.made) {
        const expected = (ofVdc.get(method) ?? 0) * vdcs + (ofVm.get(method) ?? 0) * vdcs * vmsOfEach
        if (times !== expected) violations.push(`${method} has made something ${times} times, should be ${expected}`)
      }
      yield* Effect.forEach(watched.doubledRules, (rule) =>
        Effect.sync(() => violations.push(`access rule twice: ${rule}`))
      )

      const ends = (yield* each(vdcs, (of) => each(vmsOfEach, (at) => site.place.terminate(vmName(at, of))))).flat()
      yield* done(ends)
      const last = yield* each(vdcs, (of) => site.place.terminate(vdcName(of)))
      yield* done(last)
      lasted = (yield* Clock.currentTimeMillis) - began
      yield* orNever(() => "all put right that was struck")(Fiber.interrupt(raging))

      const settled = yield* site.journal.pipe(
        Effect.delay("100 millis"),
        Effect.repeat({ until: ({ openOrders }) => openOrders.length === 0 }),
        orNever(() => "the last order's end in the journal")
      )
      violations.push(...nothingLeft(site, atFirst, settled).map(({ kind, text }) => `${kind}: ${text}`))
      violations.push(...(yield* lateWrites(site)), ...(yield* overlapping(site)))
      for (const { agent, name } of site.nodes) {
        // One that was started again a moment ago may not have come so far that it hears a signal: Node would just end it.
        yield* until(`the first word of process ${name}`, () => agent.output() !== "")
        agent.signal("SIGTERM")
        const end = yield* orNever(() => `the end of process ${name} after SIGTERM`)(agent.ended)
        if (end.code !== 0) violations.push(`process ${name} has ended with ${end.code} (${end.signal})`)
      }
    })
    yield* Effect.catchAll(Effect.scoped(raged), (error) => Effect.sync(() => violations.push(String(error))))
    return {
      orders: site.marketplace.orders.size,
      violations,
      lasted,
      rate,
      nodes: site.nodes,
      output: site.nodes
        .map(({ name, outputs }) => `--- process ${name}\n${outputs().join("\n--- started again\n")}`)
        .join("\n")
    } satisfies Storm
  }).pipe(Effect.scoped)

const countOf = (site: ClusterSite, sql: string) =>
  Effect.map(Effect.orDie(Effect.flatMap(site.query(sql), Schema.decodeUnknown(Count))), ([{ count }]) => count)

/** Somebody who had lost the resource wrote after somebody who had it. */
const lateWrites = (site: ClusterSite) =>
  Effect.map(
    countOf(
      site,
      `SELECT CAST(count(*) AS text) AS count FROM
        (SELECT epoch, max(epoch) OVER (PARTITION BY resource_id ORDER BY id) AS newest FROM journal) AS entries WHERE epoch < newest`
    ),
    (count) => (count === 0 ? [] : [`${count} entries of the journal are of somebody who had lost the resource`])
  )

/** Another order of the resource was begun, and this one went on. */
const overlapping = (site: ClusterSite) =>
  Effect.map(
    countOf(
      site,
      `WITH span AS (SELECT order_id, resource_id, min(id) AS first, max(id) AS last FROM journal GROUP BY order_id, resource_id)
        SELECT CAST(count(*) AS text) AS count FROM span AS one JOIN span AS other
        ON one.resource_id = other.resource_id AND one.first < other.first AND other.first < one.last`
    ),
    (count) => (count === 0 ? [] : [`${count} orders were begun while another one of their resource was in work`])
  )

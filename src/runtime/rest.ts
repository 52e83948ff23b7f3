/**
 * The heap, collected when the process has come to rest after a burst.
 *
 * V8 lets old objects grow to four times what is in use before it collects them, keeps what it had, and does more by itself only for a process that
 * hardly allocates. An agent whose orders wait looks at machines twice a second: it would hold the garbage of its burst for as long as they wait
 * (docs/decisions/0066-what-waits-is-read-rarely.md).
 */
import { performance } from "node:perf_hooks"
import { getHeapStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Duration, Effect } from "effect"
import { restLook } from "./schedules.js"

/** What is looked at. */
export interface Heap {
  /** For how long the process had something to do so far, in ms: also where others had the processor. */
  readonly busy: () => number
  /** Bytes of objects, also of those that nobody needs any more. */
  readonly used: () => number
  /** Leaves those that are needed. Stands still meanwhile: a tenth of a second for 100 MB. */
  readonly collect: () => void
}

/** Something to do for more than this part of the time is no rest. */
const atRest = 0.5
/** So many looks in a row. */
const looksAtRest = 2
/** Collected when so much has come on top of what was left the last time: this part of it, and this many bytes. */
const growth = { part: 0.3, bytes: 16_000_000 }

/** Never ends. */
export const collectAtRest = ({ busy, collect, used }: Heap): Effect.Effect<never> =>
  Effect.suspend(() => {
    let left = used()
    let before = busy()
    let quiet = 0
    const look = Effect.suspend(() => {
      const now = busy()
      quiet = now - before < atRest * Duration.toMillis(restLook) ? quiet + 1 : 0
      before = now
      const had = used()
      if (quiet < looksAtRest || had < left * (1 + growth.part) + growth.bytes) return Effect.void
      collect()
      left = used()
      return Effect.logDebug(`Collected the heap: ${megabytes(had)} MB, ${megabytes(left)} MB are needed`)
    })
    return Effect.forever(Effect.delay(look, restLook))
  })

const megabytes = (bytes: number): number => Math.round(bytes / 1_000_000)

/** V8's own way to collect, which it shows only when it is asked to. */
const collector = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  const collect: unknown = runInNewContext("gc")
  setFlagsFromString("--no-expose-gc")
  return typeof collect === "function" ? () => void collect() : () => undefined
}

/** This process's. */
export const ownHeap: Effect.Effect<Heap> = Effect.sync(() => ({
  busy: () => performance.eventLoopUtilization().active,
  used: () => getHeapStatistics().used_heap_size,
  collect: collector()
}))

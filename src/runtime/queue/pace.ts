/**
 * What to ask of an offering's queue, and when, so that ten thousand orders that wait cost no more calls than a few.
 *
 * A queue of one page is read as a whole at each look, as that is one call. Of a longer one:
 *
 * - what has changed, at each look: by `modified`, from a minute before. Servers that do not know this filter give all, or refuse, or give nothing
 *   although something must be there: these are asked for what waits for the provider.
 * - all of it, so seldom that its pages are one call in two seconds; and while the filter has proven itself, no more often than with events.
 * - the orders of one resource, when its next one can go.
 *
 * Where no events tell of orders, a queue of one page in which something has just changed is looked at more often for a while: who orders a data
 * centre orders machines in it next, and would wait for half of the interval each time, which is longer than most orders take.
 */
import { Option } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { QueuedOrder } from "../../waldur/index.js"

export type QueueLook =
  | { readonly _tag: "Whole" }
  /** ms since 1970, by the server's clock. */
  | { readonly _tag: "Changed"; readonly since: number }
  | { readonly _tag: "Pending" }
  | { readonly _tag: "Resource"; readonly resource: ResourceId }

/** Orders on a page: the most that Waldur gives. */
export const pageful = 300
/** ms from one page to the next, on average. */
const pageRest = 2_000
/** ms. An order may be seen so long after the time that it says it was changed at: a request of Waldur's that takes long. */
const seenLate = 60_000

/** ms. A queue in which nothing has changed for so long is at rest. */
const lively = 60_000
/** ms. No look comes sooner after the last one, unless the interval itself is shorter. */
const quickest = 1_000

interface Given {
  /** ms: between two looks, without events and with them. */
  readonly interval: number
  readonly slow: number
}

interface Moment {
  readonly why: "tick" | "woken" | "nudged"
  /** Whose next orders can go. */
  readonly resources: ReadonlyArray<ResourceId>
  /** Steady, ms. */
  readonly now: number
  /** Do events tell of new orders? */
  readonly told: boolean
}

const pagesOf = (items: ReadonlyArray<unknown>): number => Math.max(1, Math.ceil(items.length / pageful))

const modifiedOf = ({ modified }: QueuedOrder): number =>
  Option.match(modified, { onNone: () => Number.NaN, onSome: Date.parse })

export const makeQueuePace = ({ interval, slow }: Given) => {
  let pages = 1
  let wholeAt = Number.NEGATIVE_INFINITY
  /** Until then nothing short is asked for. */
  let restUntil = Number.NEGATIVE_INFINITY
  /** At `at` the server's clock was there at least: some order said so. By ours from then on, which need not agree with it. */
  let server = { time: Number.NEGATIVE_INFINITY, at: 0 }
  let filter: "unproven" | "works" | "useless" = "unproven"
  /** When the last look began that has seen all that had changed before. */
  let seenAt = Number.NEGATIVE_INFINITY
  /** When the order was changed that was changed last, at the last whole look. */
  let newest = Number.NEGATIVE_INFINITY
  /** What the last look at all of it has seen, in short; and until when the queue counts as lively, as that has changed. */
  let content = ""
  let livelyUntil = Number.NEGATIVE_INFINITY

  const serverTime = (at: number): number => server.time + (at - server.at)

  const short = (): QueueLook => {
    const since = serverTime(seenAt) - seenLate
    return filter === "useless" || !Number.isFinite(since) ? { _tag: "Pending" } : { _tag: "Changed", since }
  }

  const judge = (since: number, items: ReadonlyArray<QueuedOrder>): void => {
    if (filter === "useless") return
    const isIgnored = items.some((order) => !(modifiedOf(order) >= since - 1))
    // What was changed last is still there, unless it has just ended: to be asked again costs little.
    const isMissed = items.length === 0 && newest >= since
    if (isIgnored || (isMissed && filter === "unproven")) filter = "useless"
    else if (items.length > 0 && items.length < (pages - 1) * pageful) filter = "works"
  }

  return {
    /** ms from this look to the next one, on average. */
    rest: (now: number): number =>
      now < livelyUntil && pages === 1 ? Math.max(interval / 5, Math.min(interval, quickest)) : interval,
    /** What to ask for now. */
    next: ({ now, resources, told, why }: Moment): ReadonlyArray<QueueLook> => {
      const whole: ReadonlyArray<QueueLook> = [{ _tag: "Whole" }]
      if (why === "woken") return whole
      const isLong = pages > 1
      if (resources.length > 0) {
        return isLong && resources.length <= pages
          ? resources.map((resource) => ({ _tag: "Resource", resource }))
          : whole
      }
      if (why === "nudged") return []
      const between = told || (isLong && filter === "works") ? slow : isLong ? interval : 0
      if (now - wholeAt >= Math.max(between, isLong ? pages * pageRest : 0)) return whole
      return told || now < restUntil ? [] : [short()]
    },
    /** What came of it. `began`, `now`: steady, ms. */
    looked: (what: QueueLook, items: ReadonlyArray<QueuedOrder>, began: number, now: number): void => {
      if (what._tag === "Resource") return
      const last = items.map(modifiedOf).reduce((latest, at) => (at > latest ? at : latest), Number.NEGATIVE_INFINITY)
      if (what._tag === "Whole") {
        pages = pagesOf(items)
        wholeAt = began
        newest = last
        const found = `${items.length} ${last}`
        if (found !== content && content !== "") livelyUntil = now + lively
        content = found
      }
      if (what._tag === "Changed") judge(what.since, items)
      if (what._tag !== "Pending") seenAt = began
      if (last > serverTime(now)) server = { time: last, at: now }
      restUntil = what._tag === "Whole" || pagesOf(items) === 1 ? now : now + pagesOf(items) * pageRest
    },
    /** The server has refused it. True: it is not asked for that any more. */
    refused: (what: QueueLook): boolean => {
      if (what._tag !== "Changed" || filter === "useless") return false
      filter = "useless"
      return true
    }
  }
}

/** An offering's queue on a server of some kind, looked at as often as it asks for, for some minutes: what it costs, and when a new order is seen. */
import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { OrderId, ResourceId } from "../../core/index.js"
import type { QueuedOrder } from "../../waldur/index.js"
import { makeQueuePace, pageful, type QueueLook } from "./pace.js"

type Server = "filters" | "ignores the filter" | "refuses the filter" | "takes the filter for that very moment"

interface Kept {
  readonly uuid: string
  readonly modified: number
  readonly state: "pending-provider" | "executing"
}

const uuid = (number: number) => OrderId.make(number.toString(16).padStart(32, "0"))
/** The server's clock is an hour behind. */
const serverTime = (now: number) => 1_700_000_000_000 + now - 3_600_000

const queued = ({ modified, state, uuid }: Kept): QueuedOrder => ({
  uuid,
  state,
  modified: Option.some(new Date(modified).toISOString()),
  resourceUuid: Option.none(),
  projectUuid: Option.none()
})

/** `waiting` orders were changed over the last `spread` ms before the first look. */
const setting = (server: Server, waiting: number, spread = 299_983) => {
  const pace = makeQueuePace({ interval: 5_000, slow: 60_000 })
  const orders: Array<Kept> = Array.from({ length: waiting }, (_, number) => ({
    uuid: uuid(number),
    modified: serverTime(0) - Math.round((spread * number) / waiting),
    state: "executing"
  }))
  const seen = new Map<string, number>()
  const asked: Array<QueueLook["_tag"]> = []
  let now = 0
  let calls = 0
  let away = false

  const answer = (look: QueueLook): ReadonlyArray<Kept> | undefined => {
    if (look._tag === "Pending") return orders.filter(({ state }) => state === "pending-provider")
    if (look._tag !== "Changed" || server === "ignores the filter") return orders
    if (server === "refuses the filter") return undefined
    return orders.filter(({ modified }) => (server === "filters" ? modified >= look.since : modified === look.since))
  }
  const carryOut = (look: QueueLook): void => {
    asked.push(look._tag)
    if (away) return
    const found = answer(look)
    calls += Math.max(1, Math.ceil((found?.length ?? 0) / pageful))
    if (found === undefined) {
      if (pace.refused(look)) carryOut({ _tag: "Whole" })
      return
    }
    for (const order of found) if (!seen.has(order.uuid)) seen.set(order.uuid, now)
    pace.looked(look, found.map(queued), now, now)
  }
  carryOut({ _tag: "Whole" })
  return {
    pace,
    asked,
    goAway: (is: boolean) => {
      away = is
    },
    /** Calls a second. */
    pass: (seconds: number, told = false): number => {
      calls = 0
      for (const end = now + seconds * 1000; now + pace.rest(now) <= end; ) {
        now += pace.rest(now)
        for (const look of pace.next({ why: "tick", resources: [], now, told })) carryOut(look)
      }
      return calls / seconds
    },
    /** `late`: it is seen so much after the time that it says it was changed at. */
    end: () => void orders.shift(),
    place: (state: Kept["state"], late = 0) => {
      const placed = { uuid: uuid(1_000_000 + orders.length), modified: serverTime(now) - late, state }
      orders.push(placed)
      const at = now
      return () => (seen.get(placed.uuid) ?? Number.POSITIVE_INFINITY) - at
    }
  }
}

describe("the queue of an offering", () => {
  it("of one page is read as a whole at each look, and seldom while events tell", () => {
    const { asked, pass } = setting("filters", 200)
    expect(pass(60)).toBe(12 / 60)
    expect(pass(120, true)).toBe(2 / 120)
    expect(new Set(asked)).toEqual(new Set(["Whole"]))
  })

  it("of one page in which something changes is looked at each second for a minute, unless events tell of that", () => {
    const { end, pass, place } = setting("filters", 200)
    pass(20)
    const first = place("pending-provider")
    pass(5)
    expect(first()).toBe(5_000)
    const next = place("pending-provider")
    pass(1)
    expect(next()).toBe(1_000)
    expect(pass(60)).toBe(1)
    expect(pass(60)).toBe(12 / 60)
    end()
    pass(5)
    expect(pass(30)).toBe(1)
    expect(pass(120, true)).toBe(2 / 120)
  })

  it("of one page is never looked at more often than a fifth of the interval has it, nor than each second", () => {
    const restOf = (interval: number) => {
      const pace = makeQueuePace({ interval, slow: 60_000 })
      for (const number of [1, 2])
        pace.looked(
          { _tag: "Whole" },
          Array.from({ length: number }, (_, at) => queued({ uuid: uuid(at), modified: 1, state: "executing" })),
          0,
          0
        )
      return pace.rest(0)
    }
    expect([30_000, 5_000, 2_000, 500].map(restOf)).toEqual([6_000, 1_000, 1_000, 500])
  })

  it("of ten thousand orders that wait costs less than a call a second, and a new one is seen at the next look", () => {
    const { pass, place } = setting("filters", 10_000)
    pass(300)
    const rate = pass(600)
    expect(rate).toBeLessThan(0.75)
    const placed = [place("pending-provider"), place("executing"), place("executing", 50_000)]
    pass(5)
    expect(placed.map((after) => after())).toEqual([5_000, 5_000, 5_000])
    expect(pass(600, true)).toBeLessThan(0.55)
  })

  it("is bounded while ten thousand are being begun, too", () => {
    const { pass } = setting("filters", 10_000, 60_000)
    expect(pass(60)).toBeLessThan(1.6)
  })

  it.each(["ignores the filter", "refuses the filter", "takes the filter for that very moment"] as const)(
    "of a server that %s is asked for what waits for the provider, and for all of it every so often",
    (server) => {
      const { asked, pass, place } = setting(server, 3_000)
      pass(60)
      expect(pass(600)).toBeLessThan(0.75)
      expect(asked.filter((look) => look === "Changed")).toHaveLength(1)
      const pending = place("pending-provider")
      const executing = place("executing")
      pass(25)
      expect(pending()).toBe(5_000)
      expect(executing()).toBeLessThanOrEqual(25_000)
    }
  )

  it("has nothing that was missed while the server was away, however long that was", () => {
    const { goAway, pass, place } = setting("filters", 3_000)
    pass(300)
    goAway(true)
    const placed = place("executing")
    pass(45)
    goAway(false)
    pass(5)
    expect(placed()).toBe(50_000)
    goAway(true)
    pass(20)
    const other = place("executing")
    pass(600)
    goAway(false)
    pass(5)
    expect(other()).toBe(605_000)
  })

  it("is asked for the orders of a resource whose next one can go, unless it is one page anyway", () => {
    const resource = ResourceId.make("a".repeat(32))
    const nudge = { why: "nudged", resources: [resource], now: 1_000, told: true } as const
    expect(setting("filters", 200).pace.next(nudge)).toEqual([{ _tag: "Whole" }])
    expect(setting("filters", 2_000).pace.next(nudge)).toEqual([{ _tag: "Resource", resource }])
  })
})

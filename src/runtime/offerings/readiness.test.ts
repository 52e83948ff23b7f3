import { describe, expect, it } from "vitest"
import type { ConsumerStatus } from "../../waldur/index.js"
import { eventsGrace, type Facts, readinessOf } from "./readiness.js"

const now = Date.UTC(2026, 0, 1)
const url = "https://waldur.example.com/api/"
const connected: ConsumerStatus = {
  objectType: "order",
  connectedSince: now - 60_000,
  downSince: undefined,
  reason: "Not connected yet.",
  supported: true,
  reconnects: 0,
  events: 3,
  lastEvent: now - 5_000,
  unreadable: 1,
  held: 0
}
const lost = (ms: number): ConsumerStatus => ({
  ...connected,
  connectedSince: undefined,
  downSince: now - ms,
  reason: "The broker cannot be reached: ECONNREFUSED."
})
const facts = (more: Partial<Facts> = {}): Facts => ({
  uuid: "0d5a1f6b8c3e4b7f9a2d6e8c1b3f5a70",
  name: "VDC",
  backendType: "opennebula-vdc",
  waldurUrl: url,
  health: { status: { _tag: "Ok" }, away: new Map() },
  standing: { closed: undefined, since: now - 600_000, passes: { orders: now - 4_000 } },
  wantsOrders: true,
  wantsEvents: true,
  consumers: [connected],
  passDue: 60_000,
  ...more
})
const reasons = (more: Partial<Facts>) => readinessOf(facts(more), now).reasons

describe("An offering", () => {
  it("is ready when its servers answer, its events come, and its queue was looked at", () => {
    expect(readinessOf(facts(), now)).toEqual({
      uuid: "0d5a1f6b8c3e4b7f9a2d6e8c1b3f5a70",
      name: "VDC",
      ready: true,
      reasons: [],
      waldur: { status: "ok" },
      backend: { status: "ok", type: "opennebula-vdc" },
      events: [
        {
          status: "ok",
          since: "2025-12-31T23:59:00.000Z",
          objectType: "order",
          reconnects: 0,
          events: 3,
          lastEvent: "2025-12-31T23:59:55.000Z",
          unreadable: 1,
          held: 0
        }
      ],
      lastPass: "2025-12-31T23:59:56.000Z"
    })
  })

  it("is not ready while it cannot be opened, with the reason", () => {
    const closed = { closed: "Waldur cannot be reached: ECONNREFUSED.", since: now, passes: {} }
    expect(reasons({ health: undefined, standing: closed })).toEqual([
      "Not open: Waldur cannot be reached: ECONNREFUSED."
    ])
  })

  it("is not ready while it is stopped, or one of its servers is away, and says which", () => {
    const stopped = { _tag: "Stopped", reason: "Wrong password.", since: now } as const
    expect(reasons({ health: { status: stopped, away: new Map() } })).toEqual(["Stopped: Wrong password."])
    const degraded = { _tag: "Degraded", reason: "no answer", since: now } as const
    const cloud = readinessOf(
      facts({
        health: {
          status: degraded,
          away: new Map([["http://one:2633/RPC2", "one.vm.info on http://one:2633/RPC2 (object 7): unreachable"]])
        }
      }),
      now
    )
    // The address once, although the client names it too.
    expect(cloud.reasons).toEqual(["http://one:2633/RPC2 is away: one.vm.info (object 7): unreachable"])
    expect([cloud.ready, cloud.waldur.status, cloud.backend.status]).toEqual([false, "ok", "down"])
    const waldur = readinessOf(facts({ health: { status: degraded, away: new Map([[url, "no answer"]]) } }), now)
    expect([waldur.ready, waldur.waldur.status, waldur.backend.status]).toEqual([false, "down", "ok"])
  })

  it("stays ready when one order met something that passes", () => {
    const degraded = { _tag: "Degraded", reason: "busy", since: now } as const
    expect(readinessOf(facts({ health: { status: degraded, away: new Map() } }), now)).toMatchObject({
      ready: true,
      reasons: ["busy"]
    })
  })

  it("shows at once that its consumer is gone, and is not ready within a minute", () => {
    const soon = readinessOf(facts({ consumers: [lost(1_000)] }), now)
    expect(soon.ready).toBe(true)
    expect(soon.events[0]).toMatchObject({ status: "down", reason: "The broker cannot be reached: ECONNREFUSED." })
    expect(eventsGrace).toBeLessThan(60_000)
    expect(reasons({ consumers: [lost(31_000)] })).toEqual([
      "No events (order) for 31 s: The broker cannot be reached: ECONNREFUSED."
    ])
  })

  it("is not ready when its consumer could not even be made", () => {
    expect(reasons({ consumers: [] })).toEqual(["No events: they could not be set up, see the log."])
    expect(reasons({ consumers: [], wantsEvents: false })).toEqual([])
  })

  it("is ready without events at a Waldur that has none", () => {
    const without = { ...lost(600_000), supported: false, reason: "This Waldur has no events." }
    expect(readinessOf(facts({ consumers: [without] }), now)).toMatchObject({
      ready: true,
      events: [{ status: "off", reason: "This Waldur has no events." }]
    })
  })

  it("says at once that the journal cannot be written, and is not ready when that lasts", () => {
    const away = (ms: number) => ({ journal: { reason: "no room", since: now - ms } })
    expect(readinessOf(facts(away(5_000)), now)).toMatchObject({
      ready: true,
      reasons: ["The journal cannot be written for 5 s: no room"]
    })
    expect(readinessOf(facts(away(31_000)), now)).toMatchObject({
      ready: false,
      reasons: ["The journal cannot be written for 31 s: no room"]
    })
  })

  it("is not ready when its queue has not been looked at for too long", () => {
    const standing = { closed: undefined, since: now - 600_000, passes: { orders: now - 61_000 } }
    expect(reasons({ standing })).toEqual(["The last complete look at Waldur's queue was 61 s ago."])
    expect(reasons({ standing, wantsOrders: false })).toEqual([])
  })
})

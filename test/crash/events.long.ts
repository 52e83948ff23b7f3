/** A real process, killed with events in hand: what was not acknowledged comes again, and the order is done once all the same. */
import { expect } from "@effect/vitest"
import { Deferred, Effect, Exit } from "effect"
import { listening, queueOf } from "./events.js"
import { long, newSite, withAgent } from "./harness.js"
import { readJournal } from "./journal.js"
import { pictureOfCloud } from "./picture.js"
import { type Site, vdcName } from "./site.js"
import type { Guard, SeenCall } from "./tap.js"
import { nothingLeft } from "./trial.js"
import { ended, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

const hour = 3600

interface Instant {
  readonly name: string
  /** Looks at each of the agent's calls; true: kill it now. May do something to the broker. */
  readonly isNow: (site: Site, call: SeenCall) => boolean
  /** What the journal says then of the order. */
  readonly accepted: boolean
  /** Whether its events come again. */
  readonly comesAgain: boolean
}

const readsTheOrder = ({ name }: SeenCall) => name === "GET marketplace-orders/{uuid}/"

const instants: ReadonlyArray<Instant> = [
  {
    name: "when it has received the event and done nothing yet",
    isNow: (_, call) => readsTheOrder(call),
    accepted: false,
    comesAgain: true
  },
  {
    name: "when it has taken the order, and its acknowledgement has not arrived",
    isNow: ({ marketplace }, call) => {
      // From here on the broker hears nothing.
      if (readsTheOrder(call)) marketplace.broker.behaviour.silent = true
      return call.name.endsWith("/approve_by_provider/")
    },
    accepted: true,
    comesAgain: true
  },
  {
    name: "when it has acknowledged, in the middle of the order",
    isNow: (site, call) =>
      call.system === "opennebula" && readJournal(site.dataDir).rows.length > 8 && queueOf(site)?.unacked === 0,
    accepted: true,
    comesAgain: false
  }
]

const killedAt = ({ accepted, comesAgain, isNow, name }: Instant) =>
  Effect.gen(function* () {
    const site = yield* newSite({
      // Orders are heard of, not found: only a start looks into the queue.
      pollInterval: hour,
      offerings: { stomp_enabled: true, websocket_use_tls: false }
    })
    const atFirst = pictureOfCloud(site.cloud)
    const watched = watchForDoubles(site.cloud)
    const first = yield* site.start()
    yield* listening(site)
    const killed = yield* Deferred.make<void>()
    const guard: Guard = (call) => {
      if (call.isCustomers || !isNow(site, call)) return "pass"
      site.tap.open()
      first.kill()
      Deferred.unsafeDone(killed, Exit.void)
      return "lose answer"
    }
    site.tap.guard(guard)
    const order = yield* site.place.vdc()
    yield* Deferred.await(killed)
    yield* first.ended
    yield* until("the end of its connection", () => queueOf(site)?.consumers === 0)
    site.marketplace.broker.behaviour.silent = false
    expect(queueOf(site)?.unacked, name).toBe(0)
    // Older Waldurs' background tasks may publish one more in the meantime.
    expect((queueOf(site)?.ready ?? 0) > 0, name).toBe(comesAgain)
    expect(readJournal(site.dataDir).openOrders.includes(order), name).toBe(accepted)

    const second = yield* site.start()
    expect((yield* ended(site, order)).state, name).toBe("done")
    yield* until("all acknowledged", () => queueOf(site)?.ready === 0 && queueOf(site)?.unacked === 0)
    expect(
      [...watched.made.values()].every((times) => times === 1),
      name
    ).toBe(true)
    expect(watched.made.get("one.group.allocate"), name).toBe(1)
    yield* listening(site)
    expect((yield* Effect.flatMap(site.place.terminate(vdcName), (end) => ended(site, end))).state, name).toBe("done")
    expect((yield* stopped(second)).code, name).toBe(0)
    expect(nothingLeft(site, atFirst), name).toEqual([])
  }).pipe(Effect.scoped)

withAgent("an agent that hears of its orders", (it) => {
  it.scoped(
    `killed with events in hand, does the order exactly once, and leaves the queue empty: ${instants.map(({ name }) => name).join("; ")}`,
    () => Effect.forEach(instants, killedAt, { concurrency: "unbounded", discard: true }),
    long
  )
})

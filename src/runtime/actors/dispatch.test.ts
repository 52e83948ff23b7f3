/** Parked orders of several processes: whatever dies or moves, somebody takes each up again when there is something to see. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope, TestClock } from "effect"
import { OfferingId, OrderId, Parked, ResourceId } from "../../core/index.js"
import { Standings } from "../offerings/standing.js"
import { Wakes } from "../orders/wakes.js"
import { Placement } from "../placement/index.js"
import { Stopping } from "../placement/stopping.js"
import { Bells } from "./bells.js"
import { Dispatch, makeDispatch, type Work } from "./dispatch.js"
import { makePlaces } from "./places.js"
import { PlacesInWork } from "./placesInWork.js"
import { Quarantine } from "./quarantine.js"

const offering = OfferingId.make("0".repeat(32))
const order = OrderId.make("1".repeat(32))
const next = OrderId.make("2".repeat(32))
const resource = ResourceId.make("a".repeat(32))
const deadline = 20_000

/** Processes by their starts, who of them has the resource and who sends the offering's orders; and what actors were asked to do. */
const setting = Effect.gen(function* () {
  const starts = new Map<string, { readonly wakes: typeof Wakes.Service; readonly kill: Effect.Effect<void> }>()
  const at: { actor: string | undefined; sender: string } = { actor: "A", sender: "S" }
  const attempts: Array<string> = []
  const looks: Array<string> = []
  const tells = new Set<() => void>()
  const over = new Set<OrderId>()
  let moment = 0
  let expired = false

  /** What the resource's actor does. */
  const carryOut = (work: Work) =>
    Effect.gen(function* () {
      const { actor } = at
      const there = actor === undefined ? undefined : starts.get(actor)
      if (actor === undefined || there === undefined) return yield* Effect.fail("nobody has it")
      if (there.wakes.isParked(work.order)) return { parkedAt: actor }
      attempts.push(`${work.order.slice(0, 1)} at ${actor}`)
      const rest = deadline - moment
      if (over.has(work.order)) return "done" as const
      if (expired || rest <= 0) return "erred" as const
      const watch = (tell: () => void) => {
        tells.add(tell)
        return () => void tells.delete(tell)
      }
      yield* there.wakes.park({ offering, order: work.order, resource }, new Parked({ watch, within: rest }))
      return { parkedAt: actor }
    })

  const nobody = Effect.dieMessage("not asked here")
  const bells = Bells.of({
    wake: (_, id) => Effect.suspend(() => starts.get(at.actor ?? "")?.wakes.wake(id) ?? Effect.succeed(false)),
    woken: (_, orders) =>
      Effect.suspend(() => {
        const sender = starts.get(at.sender)
        if (sender === undefined) return Effect.succeed(false)
        return Effect.as(
          Effect.forEach(orders, (what) => sender.wakes.send(what)),
          true
        )
      }),
    release: () => nobody,
    remembers: () => nobody,
    lookForOrders: () => nobody,
    lookAtAll: () => nobody,
    syncMembers: () => nobody
  })

  const start = (name: string) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const holders = Effect.sync(() => ({ of: () => at.actor, all: at.actor ?? "" }))
      const places = makePlaces<ResourceId>(8)
      const layer = Layer.scoped(Dispatch, makeDispatch(carryOut)).pipe(
        Layer.provideMerge(
          Layer.mergeAll(
            Wakes.layer,
            Stopping.layer,
            Quarantine.layer,
            Standings.layer,
            Layer.succeed(Bells, bells),
            Layer.succeed(Placement, { several: true, isOurs: () => Effect.succeed(true), self: name, holders }),
            Layer.succeed(PlacesInWork, {
              of: () => places,
              sent: () => places,
              within: () => (work) => work,
              parksAfter: 0
            })
          )
        )
      )
      const context = yield* Scope.extend(Layer.build(Layer.fresh(layer)), scope)
      yield* Context.get(context, Standings).wakes(
        offering,
        Effect.sync(() => looks.push(name))
      )
      const kill = Effect.zipRight(
        Effect.sync(() => starts.delete(name)),
        Scope.close(scope, Exit.void)
      )
      starts.set(name, { wakes: Context.get(context, Wakes), kill })
      return Context.get(context, Dispatch)
    })

  return {
    at,
    attempts,
    looks,
    over,
    start,
    starts,
    kill: (name: string) => Effect.suspend(() => starts.get(name)?.kill ?? Effect.void),
    /** What the machine is waited for has come to something: all who watch it hear so. */
    settled: Effect.sync(() => {
      over.add(order)
      for (const tell of [...tells]) tell()
    }),
    pass: (seconds: number) =>
      Effect.suspend(() => {
        moment += seconds * 1000
        return TestClock.adjust(`${seconds} seconds`)
      }),
    expire: Effect.sync(() => {
      expired = true
    })
  }
})

const work = (id: OrderId): Work => ({ offering, order: id, resource })
const looksFor = (looks: Array<string>) => () => Effect.sync(() => void looks.push("for the next"))

describe("an order that is parked in another process", () => {
  it.scoped("is sent again when it is woken there, and its resource's next one afterwards", () =>
    Effect.gen(function* () {
      const { attempts, looks, pass, settled, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* dispatch.send([work(order), work(next)], looksFor(looks))
      yield* pass(1)
      yield* dispatch.send([work(order), work(next)], looksFor(looks))
      yield* pass(1)
      expect(attempts).toEqual(["1 at A"])
      yield* settled
      yield* pass(1)
      expect({ attempts, looks }).toEqual({ attempts: ["1 at A", "1 at A"], looks: ["for the next"] })
    })
  )

  it.scoped("is told of, once it is done, to whoever attends its offering, and to nobody who does not any more", () =>
    Effect.gen(function* () {
      const { attempts, looks, over, pass, settled, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      const done: Array<ResourceId> = []
      const attending = yield* Scope.make()
      const noted = (one: ResourceId) => Effect.sync(() => void done.push(one))
      yield* Scope.extend(dispatch.attended(offering, noted), attending)
      yield* dispatch.send([work(order)], looksFor(looks))
      yield* pass(1)
      expect(done).toEqual([])
      yield* settled
      yield* pass(1)
      expect(done).toEqual([resource])
      yield* Scope.close(attending, Exit.void)
      over.add(next)
      yield* dispatch.send([work(next)], looksFor(looks))
      yield* pass(1)
      expect({ attempts, done }).toEqual({ attempts: ["1 at A", "1 at A", "2 at A"], done: [resource] })
    })
  )

  it.scoped("goes to whoever has its resource, when its process has died", () =>
    Effect.gen(function* () {
      const { at, attempts, kill, looks, pass, settled, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* start("B")
      yield* dispatch.send([work(order)], looksFor(looks))
      yield* pass(1)
      yield* kill("A")
      // Until others may have what it had.
      at.actor = undefined
      yield* pass(10)
      expect(attempts).toEqual(["1 at A"])
      at.actor = "B"
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at B"])
      yield* pass(5)
      yield* settled
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at B", "1 at B"])
    })
  )

  it.scoped("goes to the next start of its process, which has the resource at once", () =>
    Effect.gen(function* () {
      const { at, attempts, kill, looks, pass, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* dispatch.send([work(order)], looksFor(looks))
      yield* pass(1)
      yield* kill("A")
      yield* start("A, started again")
      at.actor = "A, started again"
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at A, started again"])
    })
  )

  it.scoped("ends at its deadline though its resource was moving then", () =>
    Effect.gen(function* () {
      const { at, attempts, expire, kill, looks, pass, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* dispatch.send([work(order), work(next)], looksFor(looks))
      yield* pass(15)
      yield* kill("A")
      at.actor = undefined
      yield* pass(10)
      yield* expire
      yield* start("B")
      at.actor = "B"
      yield* pass(1)
      expect({ attempts, looks }).toEqual({ attempts: ["1 at A", "1 at B"], looks: ["for the next"] })
    })
  )

  it.scoped("is known to whoever sends orders next, who hears when it is woken", () =>
    Effect.gen(function* () {
      const { at, attempts, kill, looks, pass, settled, start, starts } = yield* setting
      yield* start("A")
      yield* (yield* start("S")).send([work(order)], looksFor(looks))
      yield* pass(1)
      yield* kill("S")
      // Woken while nobody sends orders: told until somebody hears it.
      yield* settled
      yield* pass(5)
      expect(attempts).toEqual(["1 at A"])
      at.sender = "T"
      const dispatch = yield* start("T")
      yield* pass(2)
      // Its first look is still on its way: it looks once more.
      expect(looks).toEqual(["T"])
      yield* dispatch.send([{ ...work(order), begun: true }], looksFor(looks))
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at A"])
      expect(yield* starts.get("A")?.wakes.parked ?? Effect.succeed(1)).toBe(0)
    })
  )

  it.scoped("is not begun again for whoever sends orders next, while it waits", () =>
    Effect.gen(function* () {
      const { at, attempts, kill, looks, pass, settled, start } = yield* setting
      yield* start("A")
      yield* (yield* start("S")).send([work(order)], looksFor(looks))
      yield* pass(1)
      yield* kill("S")
      at.sender = "T"
      const dispatch = yield* start("T")
      yield* dispatch.send([{ ...work(order), begun: true }], looksFor(looks))
      yield* pass(1)
      expect(attempts).toEqual(["1 at A"])
      yield* settled
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at A"])
    })
  )

  it.scoped("is handed over when its resource moves while its process lives", () =>
    Effect.gen(function* () {
      const { at, attempts, looks, pass, start, starts } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* start("B")
      yield* dispatch.send([work(order)], looksFor(looks))
      yield* pass(1)
      at.actor = "B"
      yield* pass(3)
      const notes = yield* Effect.all([...starts.values()].map(({ wakes }) => wakes.parked))
      expect({ attempts, notes }).toEqual({ attempts: ["1 at A", "1 at B"], notes: [0, 0, 1] })
    })
  )

  it.scoped("is woken once by the word that somebody has ended it in Waldur", () =>
    Effect.gen(function* () {
      const { attempts, looks, pass, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      yield* dispatch.send([work(order)], looksFor(looks))
      yield* pass(1)
      for (const ended of [next, order, order]) {
        yield* dispatch.ended(offering, new Set([ended]))
        yield* pass(1)
      }
      expect(attempts).toEqual(["1 at A", "1 at A"])
    })
  )

  it.scoped("is woken once when Waldur does not list it any more, and forgotten when it is over", () =>
    Effect.gen(function* () {
      const { attempts, looks, pass, start } = yield* setting
      yield* start("A")
      const dispatch = yield* start("S")
      const look = (listed: ReadonlyArray<OrderId>, open: ReadonlyArray<OrderId>) =>
        Effect.zipRight(dispatch.seen(offering, { listed: new Set(listed), open: new Set(open) }), pass(1))
      yield* dispatch.send([work(order), work(next)], looksFor(looks))
      yield* pass(1)
      yield* look([order, next], [])
      expect(attempts).toEqual(["1 at A"])
      yield* look([next], [order])
      yield* look([next], [order])
      expect(attempts).toEqual(["1 at A", "1 at A"])
      // As when another process has carried it out meanwhile.
      yield* look([next], [])
      expect(looks).toEqual(["for the next"])
      yield* dispatch.send([work(next)], looksFor(looks))
      yield* pass(1)
      expect(attempts).toEqual(["1 at A", "1 at A", "2 at A"])
    })
  )
})

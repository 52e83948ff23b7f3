/** Orders for virtual data centres of which a call is refused, its answer lost, or the process dies, at any call: all is there once, or nothing is left. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  createOrder,
  doneOf,
  everything,
  type Mishap,
  makeBench,
  objectsOf,
  refusedOf,
  terminateOrder,
  withEveryCall,
  withoutRules
} from "../support/vdc.js"

/** The number of changing calls in an order that goes well, so that each of them can go wrong once. */
const changesOf = (order: "create" | "terminate") =>
  Effect.gen(function* () {
    const bench = yield* makeBench(withEveryCall)
    const made = yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)))
    if (order === "create") return made.changes
    return (yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, "100")))).changes
  }).pipe(Effect.scoped)

const atEach = <A, E, R>(order: "create" | "terminate", check: (at: number) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const changes = yield* changesOf(order)
    expect(changes).toBeGreaterThan(6)
    const turns = Array.from({ length: changes }, (_, index) => index + 1)
    yield* Effect.forEach(turns, check, { concurrency: 6, discard: true })
  })

describe("a create that fails", () => {
  it.live(
    "at whichever call, leaves nothing behind",
    () =>
      atEach("create", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          const trouble = { at, mishap: "refused" } as const
          const failed = yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)), { trouble })
          const { leftovers, sentence } = refusedOf(failed)
          expect(sentence).toMatch(/^[A-Z].*\.$/)
          expect({ at, leftovers, objects: objectsOf(bench.frontEnd) }).toEqual({ at, leftovers: [], objects: [] })

          const again = doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(2))))
          expect(again.metadata?.subnet_cidr).toBe("10.0.1.0/24")
        }).pipe(Effect.scoped)
      ),
    600_000
  )
})

const mishaps: ReadonlyArray<Mishap> = ["lost", "lost after", "crash", "crash after"]

describe("a create that is broken off and taken up again", () => {
  it.live.each(mishaps)(
    "(%s), at whichever call, makes everything exactly once",
    (mishap) =>
      atEach("create", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          const journal = yield* bench.journal
          const first = yield* bench.attempt(journal, bench.create(createOrder(1)), { trouble: { at, mishap } })
          expect(Option.isNone(first.end)).toBe(mishap.startsWith("crash"))
          const { backendId } = doneOf(yield* bench.attempt(journal, bench.create(createOrder(1))))
          const objects = objectsOf(bench.frontEnd).map((object) =>
            object.replace(/10\d in VDC 10\d/, "100 in VDC 100")
          )
          expect({ at, objects: withoutRules(objects) }).toEqual({ at, objects: everything })

          doneOf(yield* bench.attempt(yield* bench.journal, bench.terminate(terminateOrder(1, backendId ?? ""))))
          expect({ at, left: objectsOf(bench.frontEnd) }).toEqual({ at, left: [] })
        }).pipe(Effect.scoped)
      ),
    600_000
  )
})

describe("a terminate that is broken off and taken up again", () => {
  it.live.each(mishaps)(
    "(%s), at whichever call, removes everything",
    (mishap) =>
      atEach("terminate", (at) =>
        Effect.gen(function* () {
          const bench = yield* makeBench(withEveryCall)
          doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
          const journal = yield* bench.journal
          yield* bench.attempt(journal, bench.terminate(terminateOrder(1, "100")), { trouble: { at, mishap } })
          doneOf(yield* bench.attempt(journal, bench.terminate(terminateOrder(1, "100"))))
          expect({ at, left: objectsOf(bench.frontEnd) }).toEqual({ at, left: [] })
        }).pipe(Effect.scoped)
      ),
    600_000
  )
})

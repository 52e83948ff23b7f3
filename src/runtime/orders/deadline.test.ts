import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Option, Ref, Schema, TestClock } from "effect"
import { makeMemoryJournal } from "../../../test/support/journal.js"
import {
  carryOut,
  ensureDone,
  make,
  makeAlarms,
  OfferingId,
  OrderRefused,
  timeLeft,
  wholeOrder
} from "../../core/index.js"
import { Pauses } from "../journal/pauses.js"
import { withDeadline } from "./deadline.js"

const never = Option.none<Duration.Duration>()
const halfAnHour = Option.some(Duration.minutes(30))
const offering = (deadlines: {
  readonly create?: Option.Option<Duration.Duration>
  readonly terminate?: Option.Option<Duration.Duration>
}) => ({
  id: OfferingId.make("f".repeat(32)),
  deadlines: { create: never, update: never, terminate: never, ...deadlines }
})

/** `paused`: ms that do not count, asked for at each look. */
const pausesOf = (paused: Ref.Ref<number>) =>
  Layer.succeed(Pauses, {
    owner: "one",
    began: () => Effect.void,
    ended: () => Effect.void,
    total: () => Ref.get(paused)
  })

/** A cloud with one thing, which is made at once, and then polished for `polishing`. */
const order = (polishing: Effect.Effect<void>, deadlines = offering({ create: halfAnHour })) =>
  Effect.gen(function* () {
    const paused = yield* Ref.make(0)
    const thing = yield* Ref.make(false)
    const journal = yield* makeMemoryJournal()
    yield* journal.append(wholeOrder, "accepted")
    const handler = Effect.zipRight(
      make("thing", {
        result: Schema.Null,
        find: Effect.succeedNone,
        create: Effect.as(Ref.set(thing, true), null),
        undo: () => Ref.set(thing, false)
      }),
      Effect.zipRight(ensureDone("polish", polishing), ensureDone("wrap", Effect.void))
    )
    const attempt = Effect.gen(function* () {
      const timed = yield* withDeadline({ ...deadlines, alarms: yield* makeAlarms }, journal, { _tag: "Create" })
      return yield* carryOut(timed.journal, timed.within(handler))
    }).pipe(Effect.provide(pausesOf(paused)), Effect.scoped)
    return { paused, thing, journal, attempt }
  })

const sentence = "The order was not finished within 30 minutes and has been undone: order again, or ask the provider."

describe("at its deadline an order", () => {
  it.effect("is undone and refused in one sentence, after the step in work has had a minute to end", () =>
    Effect.gen(function* () {
      const { attempt, thing, journal } = yield* order(Effect.never)
      const running = yield* Effect.fork(attempt)
      yield* TestClock.adjust("30 minutes")
      expect(yield* Ref.get(thing)).toBe(true)
      yield* TestClock.adjust("1 minute")
      const ended = yield* Fiber.join(running)
      expect(ended).toMatchObject({
        _tag: "Refused",
        refusal: new OrderRefused({ customerMessage: sentence, detail: "at the deadline it was at: polish" })
      })
      expect(yield* Ref.get(thing)).toBe(false)
      expect(yield* journal.story).toContain("thing undone")
    })
  )

  it.effect("begins no further step, and is not cut off in the one that it is in", () =>
    Effect.gen(function* () {
      const { attempt, journal } = yield* order(Effect.sleep(Duration.seconds(1820)))
      const running = yield* Effect.fork(attempt)
      yield* TestClock.adjust("31 minutes")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "Refused" })
      const story = yield* journal.story
      expect(story).toContain("polish finished")
      expect(story).not.toContain("wrap started")
    })
  )

  it.effect("has counted the time before a restart", () =>
    Effect.gen(function* () {
      const { attempt, thing } = yield* order(Effect.never)
      const first = yield* Effect.fork(attempt)
      yield* TestClock.adjust("20 minutes")
      yield* Fiber.interrupt(first)
      expect(yield* Ref.get(thing)).toBe(true)
      const second = yield* Effect.fork(attempt)
      yield* TestClock.adjust("11 minutes")
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "Refused" })
      expect(yield* Ref.get(thing)).toBe(false)
    })
  )

  it.effect("has not counted the time in which a server was away", () =>
    Effect.gen(function* () {
      const { attempt, paused } = yield* order(Effect.sleep("70 minutes"))
      const running = yield* Effect.fork(attempt)
      yield* TestClock.adjust("10 minutes")
      yield* Ref.set(paused, Duration.toMillis("1 hour"))
      yield* TestClock.adjust("1 hour")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "Done" })
    })
  )

  it.effect("is counted as whatever has a limit of its own within its work counts", () =>
    Effect.gen(function* () {
      const hour = Duration.toMillis("1 hour")
      const seen = yield* Ref.make<ReadonlyArray<number>>([])
      const look = Effect.flatMap(timeLeft(hour, 0), (left) => Ref.update(seen, (all) => [...all, left]))
      const { attempt, paused } = yield* order(
        Effect.orDie(Effect.zipRight(look, Effect.zipRight(Effect.sleep("90 minutes"), look))),
        offering({})
      )
      const running = yield* Effect.fork(attempt)
      yield* Ref.set(paused, hour)
      yield* TestClock.adjust("90 minutes")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "Done" })
      expect(yield* Ref.get(seen)).toEqual([hour, hour / 2])
    })
  )

  it.effect("goes on if its operation has none", () =>
    Effect.gen(function* () {
      const { attempt } = yield* order(Effect.sleep("3 days"), offering({ terminate: halfAnHour }))
      const running = yield* Effect.fork(attempt)
      yield* TestClock.adjust("3 days")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "Done" })
    })
  )
})

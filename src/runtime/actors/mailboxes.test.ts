import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { makeMailboxes } from "./mailboxes.js"

/** How many actors of a key were made, what happened, and something that holds one of them up. */
const desk = Effect.gen(function* () {
  const happened: Array<string> = []
  const say = (what: string) => Effect.sync(() => void happened.push(what))
  const scope = yield* Scope.make()
  let made = 0
  const { ask } = yield* makeMailboxes(
    (key: string) =>
      Effect.sync(() => {
        made += 1
        return { says: (what: string) => say(`${key} ${what}`) }
      }),
    { idle: Duration.minutes(1), patience: Duration.seconds(10) }
  ).pipe(Scope.extend(scope))
  const held = yield* Deferred.make<void>()
  const slow = (key: string) =>
    ask(key, ({ says }) =>
      says("begins").pipe(
        Effect.zipRight(Deferred.await(held)),
        Effect.zipRight(says("ends")),
        Effect.onInterrupt(() => says("is interrupted"))
      )
    )
  return { ask, slow, held, happened, made: () => made, close: Scope.close(scope, Exit.void) }
})

/** All fibers come as far as they can. */
const settled = TestClock.adjust("1 millis")

describe("a mailbox", () => {
  it.effect("gives what came of it, and what failed", () =>
    Effect.gen(function* () {
      const { ask } = yield* desk
      expect(yield* ask("a", () => Effect.succeed(1))).toBe(1)
      expect(yield* Effect.flip(ask("a", () => Effect.fail("no")))).toBe("no")
      expect(Exit.isFailure(yield* Effect.exit(ask("a", () => Effect.die("a bug"))))).toBe(true)
      expect(yield* ask("a", () => Effect.succeed(2))).toBe(2)
    })
  )

  it.effect("takes one after the other, in the order in which they came; another key's is not held up", () =>
    Effect.gen(function* () {
      const { ask, happened, held, slow } = yield* desk
      const asked = yield* Effect.forkAll([
        slow("a"),
        ask("a", ({ says }) => says("second")),
        ask("a", ({ says }) => says("third")),
        ask("b", ({ says }) => says("first"))
      ])
      yield* settled
      expect(happened).toEqual(["a begins", "b first"])
      yield* Deferred.succeed(held, undefined)
      yield* Fiber.join(asked)
      expect(happened).toEqual(["a begins", "b first", "a ends", "a second", "a third"])
    })
  )

  it.effect("goes on with what was begun when whoever asked has gone away", () =>
    Effect.gen(function* () {
      const { ask, happened, held, slow } = yield* desk
      const asked = yield* Effect.fork(slow("a"))
      yield* settled
      yield* Fiber.interrupt(asked)
      yield* Deferred.succeed(held, undefined)
      yield* ask("a", ({ says }) => says("second"))
      expect(happened).toEqual(["a begins", "a ends", "a second"])
    })
  )

  it.effect(
    "has one actor, which leaves memory when it had nothing to do for so long, and not while it is at work",
    () =>
      Effect.gen(function* () {
        const { ask, held, made, slow } = yield* desk
        yield* ask("a", () => Effect.void)
        yield* TestClock.adjust("50 seconds")
        yield* ask("a", () => Effect.void)
        expect(made()).toBe(1)
        const asked = yield* Effect.fork(slow("a"))
        yield* TestClock.adjust("10 minutes")
        yield* Deferred.succeed(held, undefined)
        yield* Fiber.join(asked)
        yield* ask("a", () => Effect.void)
        expect(made()).toBe(1)
        yield* TestClock.adjust("2 minutes")
        yield* ask("a", () => Effect.void)
        expect(made()).toBe(2)
      })
  )

  it.effect("makes its actor anew when that had a bug at its beginning", () =>
    Effect.gen(function* () {
      let made = 0
      const { ask } = yield* makeMailboxes(
        () =>
          Effect.suspend(() => {
            made += 1
            return made === 1 ? Effect.die("a bug") : Effect.succeed(made)
          }),
        { idle: Duration.minutes(1), patience: Duration.seconds(10) }
      )
      expect(Exit.isFailure(yield* Effect.exit(ask("a", Effect.succeed)))).toBe(true)
      expect(yield* ask("a", Effect.succeed)).toBe(2)
    }).pipe(Effect.scoped)
  )

  it.effect("comes to the end of what it is at when the process ends, and begins nothing any more", () =>
    Effect.gen(function* () {
      const { ask, close, happened, held, slow } = yield* desk
      const first = yield* Effect.fork(slow("a"))
      const second = yield* Effect.fork(ask("a", ({ says }) => says("second")))
      yield* settled
      const closing = yield* Effect.fork(close)
      yield* settled
      expect(Exit.isInterrupted(yield* Fiber.await(second))).toBe(true)
      expect(Exit.isInterrupted(yield* Effect.exit(ask("b", ({ says }) => says("first"))))).toBe(true)
      yield* TestClock.adjust("9 seconds")
      expect(closing.unsafePoll()).toBeNull()
      yield* Deferred.succeed(held, undefined)
      yield* Fiber.join(closing)
      expect(Exit.isSuccess(yield* Fiber.await(first))).toBe(true)
      expect(happened).toEqual(["a begins", "a ends"])
    })
  )

  it.effect("interrupts what takes longer than that, and waits until it has ended", () =>
    Effect.gen(function* () {
      const { close, happened, slow } = yield* desk
      const asked = yield* Effect.fork(slow("a"))
      yield* settled
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      expect(happened).toEqual(["a begins", "a is interrupted"])
      expect(Exit.isInterrupted(yield* Fiber.await(asked))).toBe(true)
    })
  )
})

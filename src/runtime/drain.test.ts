import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Logger, TestClock } from "effect"
import { OrderId } from "../core/index.js"
import { tellOfEnd } from "./drain.js"
import { type Progress, progressListener } from "./progress.js"

const order = (n: number) => OrderId.make(String(n).padStart(32, "a"))
const call = { system: "opennebula", call: "one.template.instantiate", about: "7", since: 0 }

/** Runs it, with what it tells and what it logs. */
const told = (ending: Parameters<typeof tellOfEnd>[0], meanwhile: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const progress: Array<Progress> = []
    const lines: Array<string> = []
    const log = Logger.make(({ message }) => void lines.push(String(message)))
    const fiber = yield* Effect.fork(
      tellOfEnd(ending).pipe(
        Effect.locally(progressListener, (one) => Effect.sync(() => void progress.push(one))),
        Effect.provide(Logger.replace(Logger.defaultLogger, log))
      )
    )
    yield* meanwhile
    yield* Fiber.join(fiber)
    return { progress, lines }
  })

describe("an end", () => {
  it.effect("with no order in work says so, and no more", () =>
    Effect.gen(function* () {
      expect(yield* told({ atWork: new Set(), underWay: () => [] }, Effect.void)).toEqual({
        progress: [],
        lines: ["Stops: no order is in work"]
      })
    })
  )

  it.effect("counts the orders that are left, and names what it waits for at the beginning and then now and then", () =>
    Effect.gen(function* () {
      const atWork = new Set([order(1), order(2), order(3)])
      const { lines, progress } = yield* told(
        { atWork, underWay: () => [call] },
        Effect.gen(function* () {
          yield* TestClock.adjust("1 second")
          atWork.delete(order(1))
          yield* TestClock.adjust("12 seconds")
          atWork.delete(order(2))
          atWork.delete(order(3))
          yield* TestClock.adjust("1 second")
        })
      )
      expect(progress[0]).toEqual({ what: "stops", done: 0, total: 3, now: "one.template.instantiate 7, for 0 s" })
      expect(new Set(progress.map(({ done }) => done))).toEqual(new Set([0, 1, 3]))
      expect(lines).toEqual([
        "Stops: 3 orders in work, to go on at the next start from where they are",
        "Stops: still 2 orders of 3, waits for one.template.instantiate 7, for 2 s",
        "Stops: still 2 orders of 3, waits for one.template.instantiate 7, for 12 s",
        "Stops: all orders are left where they are, after 13.2 s"
      ])
    })
  )
})

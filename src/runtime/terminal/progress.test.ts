import { describe, expect, it } from "@effect/vitest"
import { Console, Effect, Fiber, TestClock } from "effect"
import { counted } from "../progress.js"
import { lineOf, type Screen, showing, waiting } from "./progress.js"

const makeScreen = (isTTY: boolean) => {
  const written: Array<string> = []
  const screen: Screen = { isTTY, columns: 60, write: (text) => written.push(text) }
  return { screen, written, text: () => written.join("").replaceAll("\r\u001b[2K", "|") }
}
const items = ["a", "b", "c"]
const work = counted(items, { what: "migrates", now: (item) => item }, (item) =>
  Effect.delay(Effect.succeed(item), "1 second")
)

describe("progress", () => {
  it("is a bar with counts, no longer than the line, and nothing in it moves the cursor", () => {
    expect(lineOf({ what: "migrates", done: 6, total: 12, now: "x\u001b[2J" }, 3_100, 80)).toBe(
      "migrates  [############------------]  6 of 12  3.1 s  x?[2J"
    )
    expect(lineOf({ what: "waits", done: 0 }, 10, 80)).toBe("waits  10 ms")
    expect(lineOf({ what: "waits", done: 0, total: 0 }, 10, 20)).toHaveLength(19)
  })

  it.effect("counts on a terminal, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { screen, text, written } = makeScreen(true)
      const fiber = yield* Effect.fork(showing(false, screen, {})(work))
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(fiber)).toEqual(items)
      for (const part of ["0 of 3", "1 of 3", "2 of 3", "3 of 3", "  b", "2.0 s"]) expect(text()).toContain(part)
      expect(written.at(-1)).toBe("\r\u001b[2K")
    })
  )

  it.effect("is not there for programs", () =>
    Effect.gen(function* () {
      for (const [json, isTTY, environment] of [
        [true, true, {}],
        [false, false, {}],
        [false, true, { TERM: "dumb" }]
      ] as const) {
        const { screen, written } = makeScreen(isTTY)
        const fiber = yield* Effect.fork(showing(json, screen, environment)(work))
        yield* TestClock.adjust("3 seconds")
        expect(yield* Fiber.join(fiber)).toEqual(items)
        expect(written).toEqual([])
      }
    })
  )

  it.effect("of a wait is the time, and what is printed meanwhile stands above it", () =>
    Effect.gen(function* () {
      const { screen, text, written } = makeScreen(true)
      const own = yield* Effect.console
      const printed = (...words: ReadonlyArray<unknown>) => Effect.sync(() => void written.push(words.join(" ")))
      const waited = Effect.zipRight(Effect.delay(Console.log("said"), "5 seconds"), Effect.sleep("5 seconds"))
      const fiber = yield* Effect.fork(
        waited.pipe(
          waiting("waits for the agent", "20 seconds"),
          showing(false, screen, {}),
          Effect.withConsole({ ...own, log: printed })
        )
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(text()).toContain("waits for the agent  [######------------------]  5 of 20")
      expect(text()).toContain("|said")
      expect(text().endsWith("|")).toBe(true)
    })
  )
})

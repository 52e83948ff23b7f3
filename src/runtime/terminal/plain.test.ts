import { describe, expect, it } from "@effect/vitest"
import { type Console, Effect } from "effect"
import { plainConsole } from "./plain.js"

const heading = "\u001b[1mUSAGE\u001b[0m"

/** What comes out of a console whose output is as described. */
const printed = (how: { readonly isTTY: boolean; readonly noColour: boolean }, text: string = heading) =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const note = (...words: ReadonlyArray<unknown>) => Effect.sync(() => seen.push(...words)).pipe(Effect.asVoid)
    const own: Console.Console = { ...(yield* Effect.console), log: note, error: note }
    const console = plainConsole(own, { out: how, err: how, noColour: how.noColour })
    yield* console.log(text)
    yield* console.error(text)
    return seen
  })

describe("what a command prints", () => {
  it.effect("has its colours on a terminal, and only there", () =>
    Effect.gen(function* () {
      expect(yield* printed({ isTTY: true, noColour: false })).toEqual([heading, heading])
      expect(yield* printed({ isTTY: false, noColour: false })).toEqual(["USAGE", "USAGE"])
      expect(yield* printed({ isTTY: true, noColour: true })).toEqual(["USAGE", "USAGE"])
    })
  )

  it.effect("does nothing to a terminal that others wrote", () =>
    Effect.gen(function* () {
      const reason = "Paused: \u001b[2J\u001b]0;title\u0007\rgone\u001b[31mred"
      const [said] = yield* printed({ isTTY: true, noColour: false }, reason)
      expect(said).toBe("Paused: \\u001b[2J\\u001b]0;title\\u0007\\u000dgone\u001b[31mred")
    })
  )

  it.effect("shows what a terminal would act on, and is the same JSON", () =>
    Effect.gen(function* () {
      const name = "a\u009b2Jb\u202ec\u200fd\u2028e\u007f"
      const given = JSON.stringify({ name })
      for (const isTTY of [true, false]) {
        const [said, complained] = yield* printed({ isTTY, noColour: false }, given)
        expect(said).toMatch(/^[ -~]*$/)
        expect(complained).toBe(said)
        expect(JSON.parse(String(said))).toEqual({ name })
      }
    })
  )
})

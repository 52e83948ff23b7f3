import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema, TestClock } from "effect"
import { Order } from "../../../waldur/index.js"
import { awaitStart, startedOr } from "./start.js"

const uuid = "a".repeat(32)
const orderIn = (state: string, startDate: string | null = null) =>
  Schema.decodeUnknownSync(Order)({ uuid, type: "Create", state, start_date: startDate })

/** A server that has the order in this state after an approval, and what it was asked for. */
const server = (after: string, startDate: string | null) => {
  const asked: Array<string> = []
  return {
    asked,
    approveByProvider: () =>
      Effect.sync(() => {
        asked.push("approve")
        return "moved" as const
      }),
    awaitExecuting: () =>
      Effect.sync(() => {
        asked.push("wait")
        return orderIn(after, startDate)
      })
  }
}

describe("an order with a start date", () => {
  const looked = (startDate: string | null, after: string) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-20T12:00:00Z"))
      const waldur = server(after, startDate)
      const { state } = yield* startedOr(waldur, orderIn("pending-provider", startDate))
      return { state, asked: waldur.asked }
    })

  it.effect("is approved ahead, and the server says whether it waits", () =>
    Effect.gen(function* () {
      const asked = ["approve", "wait"]
      expect(yield* looked("2026-12-01", "pending-start-date")).toEqual({ state: "pending-start-date", asked })
      // Today here may be yesterday there.
      expect(yield* looked("2026-11-20", "executing")).toEqual({ state: "executing", asked })
    })
  )

  it.effect("is as any other once its day is over, and so is one without", () =>
    Effect.gen(function* () {
      for (const date of ["2026-11-01", null])
        expect(yield* looked(date, "executing")).toEqual({ state: "pending-provider", asked: [] })
    })
  )

  it.effect("that was taken on all the same waits for it", () =>
    Effect.gen(function* () {
      const waiting = server("pending-start-date", "2026-12-01")
      expect(yield* Effect.flip(awaitStart(waiting, uuid))).toMatchObject({
        _tag: "NotYet",
        message: expect.stringContaining("waits for 2026-12-01")
      })
      expect((yield* awaitStart(server("executing", null), uuid)).startDate).toEqual(Option.none())
    })
  )
})

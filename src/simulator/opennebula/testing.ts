/** Helpers for tests of, and with, a front-end whose time is TestClock's. */
import { Effect, TestClock } from "effect"
import type { FrontEnd } from "./front-end.js"
import type { Plain } from "./wire/values.js"
import { toPlain } from "./wire/values.js"

/** Turns the clock on until nothing is going on any more. A VM that finds no host counts as settled. */
export const settle = (frontEnd: FrontEnd): Effect.Effect<void> =>
  Effect.suspend(() =>
    frontEnd.pendingWork() === 0 ? Effect.void : Effect.zipRight(TestClock.adjust("20 millis"), settle(frontEnd))
  )

/** A call that has to succeed: its value. Anything else is a defect of the test. */
export const succeed = (
  frontEnd: FrontEnd,
  method: string,
  params: ReadonlyArray<Plain>,
  session?: string
): Effect.Effect<unknown> =>
  Effect.flatMap(frontEnd.call(method, params, session), (answer) =>
    answer._tag === "Ok" || answer._tag === "Bare"
      ? Effect.succeed(toPlain(answer.value))
      : Effect.dieMessage(`${method}: ${answer.message}`)
  )

/** The error message of a call that has to be refused, or "OK". */
export const refusalOf = (
  frontEnd: FrontEnd,
  method: string,
  params: ReadonlyArray<Plain>,
  session?: string
): Effect.Effect<string> =>
  Effect.map(frontEnd.call(method, params, session), (answer) =>
    answer._tag === "Ok" || answer._tag === "Bare" ? "OK" : answer.message
  )

/**
 * Limits that outlast a restart: counted from a moment that the journal remembers, without the time in which the order could not go on through no fault
 * of its own, as its offering was stopped, one of its servers away, or no agent ran.
 *
 * A FiberRef, so that a handler can count by it without being handed anything. Where nobody says otherwise, nothing was paused.
 */
import { Clock, Effect, FiberRef } from "effect"
import { Steps } from "./attempt.js"
import type { JournalError } from "./journal.js"

/** Milliseconds between `since` and `until` (ms since 1970) in which the order could not go on. */
export type PausedBetween = (since: number, until: number) => Effect.Effect<number, JournalError>

export const pausedBetween: FiberRef.FiberRef<PausedBetween> = FiberRef.unsafeMake<PausedBetween>(() =>
  Effect.succeed(0)
)

/**
 * What is left of `millis` since `since` (ms since 1970), in ms; below 0 when it is over. At least: the pauses, which only make it more, are asked for
 * when it would be over.
 */
export const timeLeft = (millis: number, since: number): Effect.Effect<number, JournalError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const left = millis - (now - since)
    return left > 0
      ? Effect.succeed(left)
      : Effect.flatMap(FiberRef.get(pausedBetween), (paused) => Effect.map(paused(since, now), (ms) => left + ms))
  })

/** What is left of `millis` since the order first came to this step, in ms: for a wait within the step, which each attempt begins anew. */
export const timeLeftOf = (step: string, millis: number): Effect.Effect<number, JournalError, Steps> =>
  Effect.flatMap(Steps, ({ journal }) =>
    Effect.flatMap(journal.entries, (entries) => {
      const first = entries.find((entry) => entry.step === step)
      return first === undefined ? Effect.succeed(millis) : timeLeft(millis, first.at)
    })
  )

/**
 * Calls back after a time. All share one fiber, which sleeps until the first is due: where most are taken back long before, as deadlines are, a fiber
 * for each would be made, put to sleep and ended for nothing.
 */
import { Effect, type Scope } from "effect"
import { steadyMillisBy } from "./elapsed.js"

export interface Alarms {
  /** Calls `ring` once, when so many ms have passed, whatever becomes of the time of day. Gives what takes that back. */
  readonly after: (millis: number, ring: () => void) => () => void
}

interface Alarm {
  /** Steady, ms. */
  readonly due: number
  /** Taken out when it has rung or was taken back: whoever still holds this, as a fiber that sleeps may, holds nothing of whose it was. */
  ring: (() => void) | undefined
}

/** A day, in ms. Effect's clock takes more than 2^31 for ever: that are 24 days, and deadlines may be longer. */
const longest = 86_400_000

/** While the scope lasts. */
export const makeAlarms: Effect.Effect<Alarms, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const alarms = new Set<Alarm>()
  const sooner = Effect.unsafeMakeLatch()
  /** When they are looked at next. */
  let lookAt = Number.POSITIVE_INFINITY
  const take = (alarm: Alarm): Alarm["ring"] => {
    const { ring } = alarm
    alarms.delete(alarm)
    alarm.ring = undefined
    return ring
  }
  const look = Effect.gen(function* () {
    // Closed before anything is read, so that none that is set from here on goes unnoticed.
    yield* sooner.close
    const now = steadyMillisBy(clock)
    lookAt = Number.POSITIVE_INFINITY
    for (const alarm of [...alarms]) {
      if (alarm.due > now) lookAt = Math.min(lookAt, alarm.due)
      // One that has rung before it may have taken this one back.
      else take(alarm)?.()
    }
    if (lookAt === Number.POSITIVE_INFINITY) return yield* sooner.await
    yield* Effect.raceFirst(Effect.sleep(Math.min(lookAt - now, longest)), sooner.await)
  })
  yield* Effect.forkScoped(Effect.forever(look))
  return {
    after: (millis, ring) => {
      const alarm: Alarm = { due: steadyMillisBy(clock) + millis, ring }
      alarms.add(alarm)
      if (alarm.due < lookAt) sooner.unsafeOpen()
      return () => void take(alarm)
    }
  }
})

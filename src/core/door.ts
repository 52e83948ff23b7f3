/**
 * A latch that is mostly open: to go through it then takes two steps of a fiber. `Effect.Latch` takes a dozen, open or not, and there are three of them
 * before each attempt at an order.
 */
import { Effect } from "effect"

export interface Door {
  readonly open: Effect.Effect<void>
  readonly close: Effect.Effect<void>
  /** Waits while it is closed. */
  readonly passed: Effect.Effect<void>
}

export const makeDoor = (isOpenAtFirst: boolean): Door => {
  const latch = Effect.unsafeMakeLatch(isOpenAtFirst)
  let isOpen = isOpenAtFirst
  const turn = (to: boolean) =>
    Effect.suspend(() => {
      isOpen = to
      return Effect.asVoid(to ? latch.open : latch.close)
    })
  return {
    open: turn(true),
    close: turn(false),
    passed: Effect.suspend(() => (isOpen ? Effect.void : latch.await))
  }
}

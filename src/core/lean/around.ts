/**
 * What Effect has, in fewer steps of a fiber: for what stands around each order, step and call (docs/decisions/0077-what-stands-around-an-order.md).
 * Elsewhere its own are as good.
 */
import { Effect, FiberRef, HashMap, type Schedule } from "effect"

/** `Effect.ensuring`, where nothing can be interrupted but what the work itself allows. */
export const endedBy =
  (end: Effect.Effect<void>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.matchCauseEffect(work, {
      onFailure: (cause) => Effect.zipRight(end, Effect.failCause(cause)),
      onSuccess: (result) => Effect.as(end, result)
    })

/** `Effect.acquireUseRelease` where what is begun says how it ends, and neither can fail. */
export const between =
  (begin: Effect.Effect<Effect.Effect<void>>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) => Effect.flatMap(begin, (end) => endedBy(end)(restore(work))))

/** `Effect.locallyWith`. */
export const during = <S>(ref: FiberRef.FiberRef<S>, change: (before: S) => S) =>
  between(FiberRef.modify(ref, (before) => [FiberRef.set(ref, before), change(before)] as const))

/** `Effect.annotateLogs`. */
export const saying = (annotations: Readonly<Record<string, string>>) =>
  during(FiberRef.currentLogAnnotations, (before) =>
    Object.entries(annotations).reduce((all, [name, value]) => HashMap.set(all, name, value), before)
  )

/**
 * A latch that is mostly open: to go through it then takes two steps. `Effect.Latch` takes a dozen, open or not, and there are three of them before
 * each attempt at an order.
 */
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

/**
 * `Effect.retry` by a schedule, which is set up when the work has failed for the first time: some fifty steps that `Effect.retry` takes before its
 * first try.
 */
export const retried =
  <Out, In, R2>(schedule: Schedule.Schedule<Out, In, R2>) =>
  <A, E extends In, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2> =>
    Effect.catchAll(work, (error) => {
      let next: Effect.Effect<A, E, R> = Effect.fail(error)
      return Effect.retry(
        Effect.suspend(() => {
          const now = next
          next = work
          return now
        }),
        schedule
      )
    })

/**
 * A few things at once. `Effect.all` with `concurrency: "unbounded"` can do much more (batches of requests, limits, what fibers set of themselves),
 * and takes some sixty steps of a fiber for each of them; an order does so a dozen times.
 */
import { Effect, Exit, Fiber, Option } from "effect"

type Work<A, E, R> = Effect.Effect<A, E, R>

/**
 * Does all of it at once, each on a fiber of its own, and gives what came of it when all have ended. The first that fails has the others interrupted,
 * and fails with it. What they set of the fiber itself (FiberRefs) ends with them.
 */
export function sideBySide<A, E, R, B, E2, R2>(
  ...works: readonly [Work<A, E, R>, Work<B, E2, R2>]
): Effect.Effect<readonly [A, B], E | E2, R | R2>
export function sideBySide<A, E, R, B, E2, R2, C, E3, R3>(
  ...works: readonly [Work<A, E, R>, Work<B, E2, R2>, Work<C, E3, R3>]
): Effect.Effect<readonly [A, B, C], E | E2 | E3, R | R2 | R3>
export function sideBySide(
  ...works: ReadonlyArray<Work<unknown, unknown, unknown>>
): Effect.Effect<ReadonlyArray<unknown>, unknown, unknown> {
  return Effect.uninterruptibleMask((restore) => {
    const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
    const ended = Effect.async<ReadonlyArray<unknown>, unknown>((resume) => {
      let left = fibers.length
      const end = (exit: Exit.Exit<unknown, unknown>): void => {
        left -= 1
        // Those that have ended do not mind.
        if (Exit.isFailure(exit)) for (const other of fibers) other.unsafeInterruptAsFork(other.id())
        if (left === 0) resume(exitOf(fibers))
      }
      for (const fiber of fibers) fiber.addObserver(end)
    })
    const waited = Effect.onInterrupt(restore(ended), () => Fiber.interruptAll(fibers))
    return works.reduceRight<Effect.Effect<ReadonlyArray<unknown>, unknown, unknown>>(
      (next, work) =>
        // Daemons: children would hear of their parent's interruption at once, also where that has to wait.
        Effect.flatMap(Effect.forkDaemon(restore(work)), (fiber) => {
          fibers.push(fiber)
          return next
        }),
      waited
    )
  })
}

/** Of fibers that have ended. */
const exitOf = (
  fibers: ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>
): Effect.Effect<ReadonlyArray<unknown>, unknown> => {
  const exits = fibers.flatMap((fiber) => fiber.unsafePoll() ?? [])
  return Option.getOrElse(Exit.all(exits, { parallel: true }), () => Exit.succeed([]))
}

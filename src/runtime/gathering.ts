/** Things that come in bursts, done together: whoever asks in the same moment is answered by one piece of work. */
import { Deferred, type Duration, Effect, Queue, type Scope } from "effect"

interface Asked<A> {
  readonly about: A
  readonly done: Deferred.Deferred<void>
}

/**
 * Asking completes when what was asked has been done. `work` is given everything that was asked within `pause` of the first, and while the
 * work before was going on; it runs once at a time. A bug in it is logged, and ends nothing.
 */
export const makeGathering = <A, R>(
  pause: Duration.DurationInput,
  work: (about: ReadonlyArray<A>) => Effect.Effect<void, never, R>
): Effect.Effect<(about: A) => Effect.Effect<void>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<Asked<A>>()
    const together = Effect.gen(function* () {
      const first = yield* Queue.take(queue)
      yield* Effect.sleep(pause)
      const all = [first, ...(yield* Queue.takeAll(queue))]
      yield* work(all.map(({ about }) => about)).pipe(
        Effect.catchAllDefect((defect) => Effect.logError("A bug in what an event led to", defect)),
        Effect.ensuring(Effect.forEach(all, ({ done }) => Deferred.succeed(done, undefined), { discard: true }))
      )
    })
    yield* Effect.forkScoped(Effect.forever(together))
    return (about) =>
      Effect.flatMap(Deferred.make<void>(), (done) =>
        Effect.zipRight(Queue.offer(queue, { about, done }), Deferred.await(done))
      )
  })

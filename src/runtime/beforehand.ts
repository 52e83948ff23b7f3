/**
 * A start that finds no database waits for it. A program that ends and is started again would come no further, and whoever is called at night would
 * see that alone: here probes are answered, and the log says what is missing, not every time. What only a change of something here can mend, such as
 * a wrong password, ends the start (docs/decisions/0060-a-start-waits-for-its-database.md).
 */
import { Clock, type Context, Duration, Effect, ExecutionStrategy, Exit, Layer, Ref, Scope } from "effect"
import type { Config } from "./config/index.js"
import { listenBeforehand } from "./http/index.js"
import { DatabaseUnusable } from "./journal/unusable.js"
import { answersBeforehand, databaseReminder, databaseRetry } from "./schedules.js"

const mayPass = (error: unknown): error is DatabaseUnusable =>
  error instanceof DatabaseUnusable && error.passing === true

interface Wait {
  /** ms since 1970 */
  readonly since: number
  /** What was said last, and when. */
  readonly said: string
  readonly at: number
}

/** Something else than before, or nothing for long. */
export const isWorthSaying = (before: Wait | undefined, message: string, now: number): boolean =>
  before === undefined || before.said !== message || now - before.at >= databaseReminder

/** What one attempt has opened is closed before the next. */
const attempt = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    return yield* Layer.buildWithScope(layer, scope).pipe(
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

/** The layer's services, until the scope closes; built again for as long as only the database is missing. */
export const begun = <A, E, R>(
  config: Config,
  layer: Layer.Layer<A, E, R>
): Effect.Effect<Context.Context<A>, E, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const reason = yield* Ref.make("it begins.")
    const waits = yield* Ref.make<Wait | undefined>(undefined)
    const note = (error: DatabaseUnusable) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const before = yield* Ref.get(waits)
        yield* Ref.set(reason, error.message)
        if (!isWorthSaying(before, error.message, now)) return
        yield* Effect.logWarning(
          before === undefined
            ? `Waits for its database, and takes no orders until then: ${error.message}`
            : `Still waits for its database, for ${Math.round((now - before.since) / 1000)} s now: ${error.message}`
        )
        yield* Ref.set(waits, { since: before?.since ?? now, said: error.message, at: now })
      })
    const services = yield* Effect.gen(function* () {
      yield* Effect.forkScoped(Effect.delay(listenBeforehand(config, Ref.get(reason)), answersBeforehand))
      // In this fiber, which keeps what the layer sets for it.
      return yield* attempt(layer).pipe(
        Effect.provideService(Scope.Scope, scope),
        Effect.tapError((error) => (mayPass(error) ? note(error) : Effect.void)),
        Effect.retry({ schedule: databaseRetry, while: mayPass })
      )
    }).pipe(Effect.scoped)
    const waited = yield* Ref.get(waits)
    if (waited !== undefined) {
      const now = yield* Clock.currentTimeMillis
      yield* Effect.logInfo(
        `The database is there, after ${Duration.format(Duration.seconds(Math.round((now - waited.since) / 1000)))}`
      )
    }
    return services
  })

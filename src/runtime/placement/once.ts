/**
 * Work that is done in one process at a time, and goes on in another when that one ends: the looks for orders, the rounds, the reports. What has failed
 * is begun again.
 */
import { Cause, Context, Effect, Exit, Layer, Schedule, type Scope } from "effect"
import { mendProbe } from "../schedules.js"

export class Once extends Context.Tag("site-actors/runtime/Once")<
  Once,
  {
    /**
     * Has the work done, here or elsewhere, until the scope closes. In one process: here, and completes with it. In several it never completes.
     * `name`: the same in all processes, and only one of it; an offering's uuid for what is done for an offering.
     */
    readonly run: <R>(
      name: string,
      work: Effect.Effect<unknown, never, R>
    ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
  }
>() {
  static readonly single = Layer.succeed(Once, {
    run: (name, work) => Effect.asVoid(Effect.repeat(survived(name, Effect.scoped(work)), untilDone))
  })
}

/** A bug in what is done for one offering is not the end of what is done for the others. */
export const survived = <A, E, R>(
  name: string,
  turn: Effect.Effect<A, E, R>
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.exit(turn).pipe(
    Effect.tap((exit) => {
      if (Exit.isSuccess(exit)) return Effect.void
      if (Cause.isInterruptedOnly(exit.cause)) return Effect.interrupt
      const say = Cause.isDie(exit.cause) ? Effect.logError : Effect.logWarning
      return say(`${name} begins anew`, exit.cause)
    })
  )

const untilDone = Schedule.whileInput(mendProbe, (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit))

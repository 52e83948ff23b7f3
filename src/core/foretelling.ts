/** The last wait of a create, and what is told beside it. */
import { Deferred, Effect, type Function, Option } from "effect"
import { Marketplace, type Outcome } from "./backend.js"
import { sideBySide } from "./lean/sideBySide.js"

/**
 * Waits for the last thing of a create, as a machine that boots, and has the marketplace told beside it what the create will come to: each of its calls takes
 * tens of milliseconds there, one after the other. `wait` calls `foretell` as soon as it sees what that will be, and that there is something to wait for: the
 * outcome as the handler returns it in the end. Only the first counts; what is another in the end is told again, and all of it is taken back if the order
 * fails. If the marketplace does not take it, nothing is lost.
 */
export const foretelling = <A, E, R>(
  wait: (foretell: (outcome: Function.LazyArg<Outcome>) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Marketplace> =>
  Effect.gen(function* () {
    const { foretell = () => Effect.void } = yield* Marketplace
    const known = yield* Deferred.make<Option.Option<Function.LazyArg<Outcome>>>()
    const see = (outcome: Option.Option<Function.LazyArg<Outcome>>): void =>
      Deferred.unsafeDone(known, Effect.succeed(outcome))
    const telling = Effect.flatMap(
      Deferred.await(known),
      Option.match({ onNone: () => Effect.void, onSome: (outcome) => foretell(outcome()) })
    )
    const waiting = Effect.exit(wait((outcome) => see(Option.some(outcome))))
    // Both to their end: a call that is cut off might be carried out after what it says was taken back.
    const [, waited] = yield* sideBySide(
      telling,
      Effect.tap(waiting, () => see(Option.none()))
    )
    return yield* waited
  })

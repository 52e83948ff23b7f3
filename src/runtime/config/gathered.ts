/** Checks that go on after a problem, so that every problem is found in one go. */
import { Either } from "effect"
import type { Problem } from "./problem.js"

/** What could be made of a part of the file (nothing, if it has problems), and what is wrong or odd about it. */
export interface Gathered<A> {
  readonly value: A | undefined
  readonly problems: ReadonlyArray<Problem>
  readonly notices: ReadonlyArray<Problem>
}

export const gathered = <A>(
  value: A | undefined,
  problems: ReadonlyArray<Problem> = [],
  notices: ReadonlyArray<Problem> = []
): Gathered<A> => ({ value: problems.length > 0 ? undefined : value, problems, notices })

export const fromEither = <A>(either: Either.Either<A, ReadonlyArray<Problem>>): Gathered<A> =>
  Either.match(either, { onLeft: (problems) => gathered<A>(undefined, problems), onRight: (value) => gathered(value) })

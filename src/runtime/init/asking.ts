/** How an answer is got: it stands on the command line, or somebody is asked until it holds. */
import type { QuitException } from "@effect/platform/Terminal"
import { Console, Data, Effect, Option } from "effect"

/** An answer does not hold; the reason says why, and what would. */
export class AnswerRefused extends Data.TaggedError("AnswerRefused")<{
  /** As on the command line: "--waldur-url". */
  readonly flag: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.flag}: ${this.reason}`
  }
}

/** There is nobody to ask, and the command line does not say. */
export class AnswersMissing extends Data.TaggedError("AnswersMissing")<{ readonly flags: ReadonlyArray<string> }> {
  override get message(): string {
    return `There is no terminal to ask at, and these answers are missing: ${this.flags.join(", ")}. Give them on the command line (site-actors init --help), or run it in a terminal.`
  }
}

export interface Question<Raw, A, E, R, R2> {
  readonly flag: string
  readonly given: Option.Option<Raw>
  readonly ask: Effect.Effect<Raw, QuitException, R2>
  readonly check: (raw: Raw) => Effect.Effect<A, E, R>
}

/** `interactive`: whether somebody can be asked. Who gives a wrong answer is told why, and asked again. */
export const answered = <Raw, A, E extends { readonly message: string }, R, R2>(
  interactive: boolean,
  { ask, check, flag, given }: Question<Raw, A, E, R, R2>
): Effect.Effect<A, AnswerRefused | AnswersMissing | QuitException, R | R2> => {
  if (Option.isSome(given)) {
    return Effect.mapError(check(given.value), ({ message }) => new AnswerRefused({ flag, reason: message }))
  }
  if (!interactive) return new AnswersMissing({ flags: [flag] })
  const asked: Effect.Effect<A, QuitException, R | R2> = Effect.flatMap(ask, (raw) =>
    Effect.catchAll(check(raw), ({ message }) => Effect.zipRight(Console.error(`  ${message}`), asked))
  )
  return asked
}

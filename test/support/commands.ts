/** Commands of the command line, as they are typed: what they print, and how they end. */
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer, Option } from "effect"
import { commandLine } from "../../src/runtime/cli/site-actors.js"
import { type Ending, endingOf } from "../../src/runtime/exit-codes.js"

export interface Typed {
  readonly out: string
  readonly err: string
  /** The sentence that it failed with. */
  readonly failure: string | undefined
  readonly ok: boolean
  readonly ending: Ending
}

/** `site-actors` with these words. */
export const typed = (...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const own = yield* Effect.console
    const to =
      (lines: Array<string>) =>
      (...texts: ReadonlyArray<unknown>) =>
        Effect.sync(() => lines.push(texts.join(" ")))
    const exit = yield* commandLine(["node", "site-actors", ...words]).pipe(
      Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
      Effect.withConsole({ ...own, log: to(out), error: to(err) }),
      Effect.exit
    )
    const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
    const failure = error instanceof Error ? error.message : undefined
    const ending = Exit.isFailure(exit) ? endingOf(exit.cause, false) : "fine"
    return { out: out.join("\n"), err: err.join("\n"), failure, ok: Exit.isSuccess(exit), ending } satisfies Typed
  })

/** Colours are for terminals: what goes into a file or another program is plain text, and so is everything if NO_COLOR is set. */
import { stripVTControlCharacters } from "node:util"
import { Console, Effect, type Layer } from "effect"

interface Output {
  readonly isTTY?: boolean
}

const plain = (words: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  words.map((word) => (typeof word === "string" ? stripVTControlCharacters(word) : word))

/** The console of `own` without escape sequences on outputs that are no terminals. */
export const plainConsole = (
  own: Console.Console,
  { out, err, noColour }: { readonly out: Output; readonly err: Output; readonly noColour: boolean }
): Console.Console => {
  const coloured = (output: Output) => output.isTTY === true && !noColour
  return {
    ...own,
    log: (...words) => own.log(...(coloured(out) ? words : plain(words))),
    error: (...words) => own.error(...(coloured(err) ? words : plain(words)))
  }
}

export const layer: Layer.Layer<never> = Console.setConsole(
  plainConsole(Effect.runSync(Effect.console), {
    out: process.stdout,
    err: process.stderr,
    noColour: (process.env.NO_COLOR ?? "") !== ""
  })
)

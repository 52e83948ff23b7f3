/**
 * What commands print. Colours are for terminals: what goes into a file or another program is plain text, and so is everything if NO_COLOR is set.
 */
import { stripVTControlCharacters } from "node:util"
import { Console, Effect, type Layer } from "effect"
import { visible } from "../../logging.js"

interface Output {
  readonly isTTY?: boolean
}

/**
 * What no text of ours has: C1 controls, which a terminal may take for the beginning of an escape sequence, and what turns the direction of writing.
 * JSON has them as they are, and is the same with them escaped.
 */
const hidden = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const changed = (words: ReadonlyArray<unknown>, change: (text: string) => string): ReadonlyArray<unknown> =>
  words.map((word) => (typeof word === "string" ? change(word) : word))

const shown = (text: string): string => text.replace(hidden, visible)
const plain = (text: string): string => stripVTControlCharacters(shown(text))

/** The console of `own`, with what others wrote to be seen, and without escape sequences on outputs that are no terminals. */
export const plainConsole = (
  own: Console.Console,
  { out, err, noColour }: { readonly out: Output; readonly err: Output; readonly noColour: boolean }
): Console.Console => {
  const coloured = (output: Output) => output.isTTY === true && !noColour
  return {
    ...own,
    log: (...words) => own.log(...changed(words, coloured(out) ? shown : plain)),
    error: (...words) => own.error(...changed(words, coloured(err) ? shown : plain))
  }
}

export const layer: Layer.Layer<never> = Console.setConsole(
  plainConsole(Effect.runSync(Effect.console), {
    out: process.stdout,
    err: process.stderr,
    noColour: (process.env.NO_COLOR ?? "") !== ""
  })
)

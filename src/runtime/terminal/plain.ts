/**
 * What commands print. Colours are for terminals: what goes into a file or another program is plain text, and so is everything if NO_COLOR is set.
 */
import { stripVTControlCharacters } from "node:util"
import { Console, Effect, type Layer } from "effect"
import { visible } from "../logging.js"

interface Output {
  readonly isTTY?: boolean
}

const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const colour = /^\[\d+(?:;\d+)*m/

/**
 * What no text of ours has is shown escaped: controls beside colours, new lines and tabs (C1 ones may begin an escape sequence, too), and what turns
 * the direction of writing. JSON may have them as they are, and is the same with them escaped.
 */
const shown = (text: string): string =>
  text.replace(control, (one, at: number) => {
    const isOurs = one === "\n" || one === "\t" || (one === "\u001b" && colour.test(text.slice(at + 1, at + 20)))
    return isOurs ? one : visible(one)
  })
const plain = (text: string): string => stripVTControlCharacters(shown(text))

const changed = (words: ReadonlyArray<unknown>, change: (text: string) => string): ReadonlyArray<unknown> =>
  words.map((word) => (typeof word === "string" ? change(word) : word))

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

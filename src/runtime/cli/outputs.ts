/**
 * What is printed may find a full disk, or nobody who reads it any more. Unheard, such an error of Node's ends the process with a stack, whatever it
 * is at.
 */
import { exitCodes } from "../exit-codes.js"

interface Output {
  readonly on: (event: "error", heard: (error: NodeJS.ErrnoException) => void) => unknown
  readonly write: (text: string) => unknown
}

/**
 * `goesOn`: the agent works on without its log on the console, and has a copy of it in the data directory; it is written again when it can be. A
 * command that nobody listens to ends on the spot, as other programs do (`site-actors journal export | head`); and what had no room for all of it
 * does not pass for whole.
 */
export const heedOutputs = (
  goesOn: boolean,
  { err, out }: { readonly out: Output; readonly err: Output } = { out: process.stdout, err: process.stderr },
  exit: (code: number) => void = process.exit
): void => {
  err.on("error", () => undefined)
  out.on("error", ({ code, message }) => {
    if (goesOn) return
    if (code !== "EPIPE") err.write(`What is printed cannot be written: ${message}. It is not complete.\n`)
    exit(exitCodes.failed.code)
  })
}

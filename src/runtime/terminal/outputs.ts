/**
 * What is printed may find a full disk, or nobody who reads it any more. Unheard, such an error of Node's ends the process with a stack, whatever it
 * is at.
 */
import { fstatSync, writeSync } from "node:fs"
import type { Writable } from "node:stream"
import { exitCodes } from "../exit-codes.js"

interface Output {
  readonly on: (event: "error", heard: (error: NodeJS.ErrnoException) => void) => unknown
  readonly write: (text: string) => unknown
}

/**
 * Into a file Node writes once, and does not look how much of it has found room: what a nearly full disk cuts off would pass for whole. The second
 * write says that there is none.
 */
export const writeToTheEnd = (out: Writable & { readonly fd: number }, write: typeof writeSync = writeSync): void => {
  if (!fstatSync(out.fd).isFile()) return
  out._write = (chunk: string | Uint8Array, encoding, done) => {
    try {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk
      for (let at = 0; at < bytes.byteLength; ) at += write(out.fd, bytes, at)
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }
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

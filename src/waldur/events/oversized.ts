/**
 * Messages that are too large to be Waldur's. stompjs keeps each byte of a frame as a number, so such a one is cut down before it gets there; but its
 * head is needed to acknowledge it, or it would come again for ever and nothing behind it.
 */

/** Waldur's have a few hundred bytes. */
const largestFrame = 1024 * 1024
/** A broker has a message's headers in one frame of AMQP, of 128 kB at most. */
const largestHead = 256 * 1024
/** Ahead of what the sender may have called the same: of two headers the first counts. */
export const lengthHeader = "bytes-left-out"

/** As it is, if it is small; else without its body, the length of which is a header. `undefined`: it is large and no message. */
export const withoutBody = (frame: Buffer): Buffer | undefined => {
  if (frame.length <= largestFrame) return frame
  const [head, separator] = frame.toString("latin1", 0, largestHead).split(/(\r?\n\r?\n)/, 2)
  if (head === undefined || separator === undefined || !/^MESSAGE\r?\n/.test(head)) return undefined
  const [command = "", ...headers] = head.split(/\r?\n/)
  const kept = headers.filter((line) => !line.startsWith("content-length:"))
  return Buffer.from([command, `${lengthHeader}:${frame.length}`, ...kept, "", "\0"].join("\n"), "latin1")
}

export const inMegabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`

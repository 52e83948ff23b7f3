/**
 * STOMP 1.2 frames as bytes: command, headers in their order, body. Bodies may be any bytes; only `content-length` tells where one with a NUL ends.
 */
export type Header = readonly [name: string, value: string]

export interface Frame {
  readonly command: string
  readonly headers: ReadonlyArray<Header>
  readonly body: Buffer
}

/** The first of several headers of one name counts. */
export const headerOf = ({ headers }: Frame, name: string): string | undefined =>
  headers.find(([known]) => known === name)?.[1]

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", ":": "\\c" }
const unescapes: Readonly<Record<string, string>> = { "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\c": ":" }
/** CONNECT and CONNECTED are not escaped, for the sake of 1.0. */
const isPlain = (command: string): boolean => command === "CONNECT" || command === "CONNECTED"
const escaped = (text: string): string => text.replace(/[\\\n\r:]/g, (char) => escapes[char] ?? char)
const unescaped = (text: string): string => text.replace(/\\[\\nrc]/g, (pair) => unescapes[pair] ?? pair)

/** RabbitMQ ends each frame with a line feed behind the NUL. */
export const encode = ({ command, headers, body }: Frame): Buffer => {
  const inText = isPlain(command) ? (text: string) => text : escaped
  const lines = [command, ...headers.map(([name, value]) => `${inText(name)}:${inText(value)}`)]
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), body, Buffer.from("\0\n")])
}

/** An empty body has no content-length at all (recording 036). */
export const frame = (command: string, headers: ReadonlyArray<Header>, body: string | Buffer = ""): Frame => {
  const bytes = typeof body === "string" ? Buffer.from(body) : body
  const length: ReadonlyArray<Header> = bytes.length === 0 ? [] : [["content-length", String(bytes.length)]]
  return { command, headers: [...headers, ...length], body: bytes }
}

/** What has come of a client's bytes: whole frames, and the beginning of one that is not complete. */
export interface Parsed {
  readonly frames: ReadonlyArray<Frame>
  readonly rest: Buffer
}

const lineFeed = 10
const carriageReturn = 13

export const parse = (bytes: Buffer): Parsed => {
  const frames: Array<Frame> = []
  let at = 0
  while (true) {
    // Heart-beats, and what may stand between frames.
    while (bytes[at] === lineFeed || bytes[at] === carriageReturn) at++
    const next = at < bytes.length ? parseOne(bytes, at) : undefined
    if (next === undefined) return { frames, rest: bytes.subarray(at) }
    frames.push(next.frame)
    at = next.end
  }
}

const parseOne = (bytes: Buffer, start: number): { readonly frame: Frame; readonly end: number } | undefined => {
  const lines: Array<string> = []
  let at = start
  while (true) {
    const end = bytes.indexOf(lineFeed, at)
    if (end === -1) return undefined
    const line = bytes.toString("utf8", at, end).replace(/\r$/, "")
    at = end + 1
    if (line === "") break
    lines.push(line)
  }
  const [command = "", ...rest] = lines
  const inText = isPlain(command) ? (text: string) => text : unescaped
  const headers = rest.map((line): Header => {
    const colon = line.indexOf(":")
    return [inText(line.slice(0, colon)), inText(line.slice(colon + 1))]
  })
  const length = headers.find(([name]) => name === "content-length")?.[1]
  const end = length === undefined ? bytes.indexOf(0, at) : at + Number(length)
  if (end === -1 || end >= bytes.length) return undefined
  return { frame: { command, headers, body: bytes.subarray(at, end) }, end: end + 1 }
}

/** The recordings of a real RabbitMQ's Web STOMP: what happened on each connection, in order, with seconds. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export interface Event {
  /** ms since the recording began. */
  readonly at: number
  /** Which connection, where there are several. */
  readonly connection: string
  readonly what:
    | { readonly _tag: "FromClient"; readonly bytes: Buffer }
    | { readonly _tag: "FromServer"; readonly bytes: Buffer; readonly binary: boolean; readonly length: number }
    | { readonly _tag: "Note"; readonly text: string }
}

export interface Recording {
  /** `018`. */
  readonly number: string
  /** `error-unknown-queue`. */
  readonly name: string
  readonly events: ReadonlyArray<Event>
}

const directory = fileURLToPath(new URL("../fixtures/stomp/", import.meta.url))
const marker = /^(===|---) \+([\d.]+)s (?:\[(\d)\] )?(.*)$/

/** NUL is written ^@, a heart-beat <LF>, a byte that is no UTF-8 \xHH. */
const bytesOf = (lines: ReadonlyArray<string>): Buffer => {
  const text = lines.join("\n").replace(/^<LF>\n?$/, "\n")
  const parts = text.replaceAll("^@", "\0").split(/\\x([0-9a-f]{2})/)
  return Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 === 1 ? "hex" : "utf8")))
}

/** A long body is written with its middle left out; its length then stands in its place. */
const lengthOf = (lines: ReadonlyArray<string>, bytes: Buffer): number => {
  const [, length] = /\.\.\.\[(\d+) bytes in this WebSocket message/.exec(lines.join("\n")) ?? []
  return length === undefined ? bytes.length : Number(length)
}

const eventsIn = (text: string): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    const [, kind, seconds = "0", connection = "", rest = ""] = marker.exec(line) ?? []
    if (kind === undefined) continue
    const at = Number(seconds) * 1000
    if (kind === "===") events.push({ at, connection, what: { _tag: "Note", text: rest } })
    else {
      const after = lines.slice(index + 1)
      const end = after.findIndex((other) => marker.test(other))
      const content = after.slice(0, end === -1 ? undefined : end)
      const bytes = bytesOf(content)
      const binary = rest.endsWith("(binary)")
      events.push({
        at,
        connection,
        what: rest.startsWith("C>S")
          ? { _tag: "FromClient", bytes }
          : { _tag: "FromServer", bytes, binary, length: lengthOf(content, bytes) }
      })
    }
  }
  return events
}

/** What the server did, as far as the kind of event tells. */
export const isFromServer = ({ what }: Event): boolean =>
  what._tag === "FromServer" || (what._tag === "Note" && what.text.startsWith("WebSocket closed"))
const isManagement = ({ what }: Event): boolean => what._tag === "Note" && what.text.startsWith("HTTP management")

/** Management calls were written down when they were answered; what they led to on a connection may stand before them. */
const causesFirst = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const ordered: Array<Event> = []
  for (const event of events) {
    const first = isManagement(event)
      ? ordered.findIndex((earlier) => event.at - earlier.at < 40 && isFromServer(earlier))
      : -1
    ordered.splice(first === -1 ? ordered.length : first, 0, event)
  }
  return ordered
}

export const recordings = (): ReadonlyArray<Recording> =>
  readdirSync(directory)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .map((file) => ({
      number: file.slice(0, 3),
      name: file.slice(4, -4),
      events: causesFirst(eventsIn(readFileSync(`${directory}${file}`, "utf8")))
    }))

/**
 * What changes, as it changes (`src/api/live.ts`). Every change is a hint to ask again; nothing on the page is built from hints alone.
 *
 * A connection counts as lost when the browser says so, or when nothing has come for two heartbeats. It is made anew for ever, and with
 * every new one all that is shown is asked for again.
 */
import { signal } from "@preact/signals"
import type { Changed, LiveEvent } from "../../api/index.js"
import { addressOf, livePath } from "./client.js"
import { now, setClock } from "./clock.js"
import { askSession, session } from "./session.js"

/** `connecting`: for the first time. `since`: when it was lost. */
export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "lost"; readonly since: number }

export const connection = signal<Connection>({ state: "connecting" })

type Listener = (change: Changed | "all") => void
const listeners = new Set<Listener>()
/** Told of every change, and `all` when anything may have changed. Gives what ends it. */
export const onChange = (listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
/** Of what this page has done itself: it waits for no event to show it. */
export const changedByUs = (): void => tell("all")
const tell = (change: Changed | "all") => {
  for (const listener of listeners) listener(change)
}

let source: EventSource | undefined
let silence: ReturnType<typeof setTimeout> | undefined
let again: ReturnType<typeof setTimeout> | undefined
let heartbeat = 15_000

const lost = () => {
  source?.close()
  source = undefined
  clearTimeout(silence)
  if (connection.peek().state !== "lost") connection.value = { state: "lost", since: now.peek() }
  clearTimeout(again)
  again = setTimeout(() => {
    // Perhaps it is the session that has ended: then the page asks for a token instead.
    void askSession()
    connect()
  }, 2000)
}

const heard = () => {
  clearTimeout(silence)
  silence = setTimeout(lost, 2 * heartbeat)
}

const take = (event: LiveEvent) => {
  heard()
  switch (event._tag) {
    case "Hello": {
      const version = session.peek()?.version
      if (version !== undefined && version !== event.version) return location.reload()
      heartbeat = event.heartbeat
      heard()
      setClock(event.now)
      connection.value = { state: "live" }
      // The first one too: what happened between a view's question and this moment, nobody has told.
      return tell("all")
    }
    case "Changed":
      setClock(event.at)
      return tell(event.more ? "all" : event)
    case "Heartbeat":
      return setClock(event.at)
    case "Bye":
      return lost()
  }
}

export const connect = (): void => {
  if (source !== undefined) return
  const opened = new EventSource(addressOf(livePath))
  source = opened
  opened.addEventListener("message", ({ data }: MessageEvent<string>) => take(JSON.parse(data)))
  opened.addEventListener("error", lost)
  heard()
}

/** Signed out, or not in yet. */
export const disconnect = (): void => {
  source?.close()
  source = undefined
  clearTimeout(silence)
  clearTimeout(again)
  connection.value = { state: "connecting" }
}

/**
 * The calls of this process as it sees them itself: from the moment at which a request is handed to its connection until the head of its answer
 * is read. Between them lies all that the other side takes, the way there and back included; what is left of an order's time is this process's own.
 *
 * Sources: channels `http.client.*` of Node's `diagnostics_channel`, and those that undici writes about itself (`docs/api/DiagnosticsChannel.md`).
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { Span } from "../figures.js"
import { now } from "../simulators/calls.js"

const begins = ["http.client.request.start", "undici:client:sendHeaders"] as const
const ends = ["http.client.response.finish", "undici:request:headers", "undici:request:error"] as const

const requestOf = (message: unknown): object | undefined => {
  if (typeof message !== "object" || message === null || !("request" in message)) return undefined
  const { request } = message
  return typeof request === "object" && request !== null ? request : undefined
}

/** `told` is called at each call's end. Gives what ends it. */
export const watchOutgoing = (told: (call: Span) => void): (() => void) => {
  const open = new WeakMap<object, number>()
  const begin = (message: unknown) => {
    const request = requestOf(message)
    if (request !== undefined) open.set(request, now())
  }
  const end = (message: unknown) => {
    const request = requestOf(message)
    const from = request && open.get(request)
    if (request === undefined || from === undefined) return
    open.delete(request)
    told({ from, to: now() })
  }
  for (const name of begins) subscribe(name, begin)
  for (const name of ends) subscribe(name, end)
  return () => {
    for (const name of begins) unsubscribe(name, begin)
    for (const name of ends) unsubscribe(name, end)
  }
}

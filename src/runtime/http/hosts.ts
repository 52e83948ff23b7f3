/** Names by which this machine calls itself, and the name that a request was sent to. */
import { isIPv6 } from "node:net"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"

/** "agent.example.com:8090" -> "agent.example.com", "[::1]:8090" -> "::1". */
export const nameIn = (host: string): string => {
  const text = host.trim().toLowerCase()
  if (text.startsWith("[")) return text.slice(1, Math.max(1, text.indexOf("]")))
  return isIPv6(text) ? text : (text.split(":")[0] ?? "")
}

export const hostOf = (request: HttpServerRequest.HttpServerRequest): string => nameIn(request.headers.host ?? "")

export const isLoopbackName = (name: string): boolean =>
  name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)

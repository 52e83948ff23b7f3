/** One request: its failure named, and tried again where that may help. */
import { NetworkError } from "@keycloak/keycloak-admin-client"
import type { ConnectionConfig } from "@keycloak/keycloak-admin-client/lib/client.js"
import { Duration, Effect, Schedule } from "effect"
import { reasonOf } from "../connect/index.js"
import type { Breaker } from "../core/calls/breaker.js"
import {
  isTransient,
  KeycloakConflict,
  type KeycloakError,
  KeycloakForbidden,
  KeycloakMalformedAnswer,
  KeycloakMisconfigured,
  KeycloakNotFound,
  KeycloakRefusedCall,
  KeycloakServerError,
  KeycloakTimedOut,
  KeycloakUnauthorized,
  KeycloakUnreachable
} from "./errors.js"

export type RequestOptions = NonNullable<ConnectionConfig["requestOptions"]>

/** Of whom a refusal speaks: of the credentials, or of what was asked with a good token. */
export type Kind = "token" | "admin"

const field = (data: unknown, name: string): string | undefined => {
  if (typeof data !== "object" || data === null || !(name in data)) return undefined
  const value: unknown = Object.entries(data).find(([key]) => key === name)?.[1]
  return typeof value === "string" ? value : undefined
}

/** Keycloak has three shapes for what went wrong; the most telling first. */
const detailOf = (data: unknown): string =>
  (field(data, "errorMessage") ?? field(data, "error_description") ?? field(data, "error") ?? "no reason given").slice(
    0,
    200
  )

/** Node's `fetch` keeps a 407 to itself, where no tunnel is asked for. */
const unsaid = "connection failed, or the proxy wants a user and a password, or others"

const failureOf = ({ throughProxy, timeout }: Way, call: string, kind: Kind, error: unknown): KeycloakError => {
  if (error instanceof SyntaxError) return new KeycloakMalformedAnswer({ call, reason: "it is no JSON" })
  if (!(error instanceof NetworkError)) {
    return error instanceof Error && error.name === "TimeoutError"
      ? new KeycloakTimedOut({ call, milliseconds: timeout })
      : new KeycloakUnreachable({ call, reason: reasonOf(error, throughProxy ? unsaid : undefined), throughProxy })
  }
  const { status } = error.response
  const detail = detailOf(error.responseData)
  if (status >= 500 || status === 429) return new KeycloakServerError({ call, status })
  if (status < 400) return new KeycloakMisconfigured({ call, detail: `it answers ${status}, a redirection` })
  if (kind === "token") {
    return status === 404 ? new KeycloakMisconfigured({ call, detail }) : new KeycloakUnauthorized({ call, detail })
  }
  switch (status) {
    case 401:
      return new KeycloakUnauthorized({ call, detail })
    case 403:
      return new KeycloakForbidden({ call, detail })
    case 404:
      return /^(Realm not found\.|HTTP 404 Not Found|no reason given)$/.test(detail)
        ? new KeycloakMisconfigured({ call, detail })
        : new KeycloakNotFound({ call })
    case 409:
      return new KeycloakConflict({ call })
    default:
      return new KeycloakRefusedCall({ call, status, detail })
  }
}

/** 200 ms, 400 ms, jittered: long outages are the caller's, this only spares it the short ones. */
const shortly = Schedule.exponential(Duration.millis(200)).pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(2))
)

interface Way {
  /** For one request, in ms. */
  readonly timeout: number
  readonly throughProxy: boolean
}

/** How requests get to a server. */
export interface Line extends Way {
  readonly requestOptions: RequestOptions
  /** The server's; without one, every request is sent. */
  readonly breaker?: Breaker<KeycloakError>
}

/** Makes the request once, whatever the breaker says. */
export const sendOnce = <A>(
  way: Way,
  call: string,
  kind: Kind,
  request: () => Promise<A>
): Effect.Effect<A, KeycloakError> =>
  Effect.tryPromise({ try: request, catch: (error) => failureOf(way, call, kind, error) })

/**
 * Makes the request, up to three times as long as the failure is one that may pass and the server is not known to be away. Every call here
 * may be repeated.
 */
export const attempt = <A>(
  line: Line,
  call: string,
  kind: Kind,
  request: () => Promise<A>
): Effect.Effect<A, KeycloakError> => {
  const once = sendOnce(line, call, kind, request)
  const { breaker } = line
  return Effect.retry(breaker === undefined ? once : breaker.protect(once), {
    schedule: shortly,
    while: (error) =>
      isTransient(error) ? Effect.map(breaker?.away ?? Effect.succeed(false), (away) => !away) : Effect.succeed(false)
  })
}

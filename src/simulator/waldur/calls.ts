/** The log of calls, and faults that are put between client and server. */
import type { Duration } from "effect"

/** One call as it was answered. `status` is null when the connection was cut instead. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly status: number | null
  /** The user's name, null where no user was recognised. */
  readonly as: string | null
  /** Milliseconds since 1970, when the answer was ready. */
  readonly at: number
}

/** What a fault looks at: the call before it is carried out. */
export interface IncomingCall {
  readonly method: string
  readonly path: string
  readonly query: string
  /** How many calls with this method and path came before. */
  readonly earlier: number
}

/**
 * - `DropRequest`: the connection is cut, nothing was done.
 * - `DropAnswer`: it was done, and the connection is cut before the answer.
 * - `Status`: nothing was done; this status (500, 503, 429, ...) with an HTML page or a JSON body.
 * - `Delay`: done after a while.
 * - `Garbage`: done, but the body is not what it says (status 200, `application/json`).
 */
export type Fault =
  | { readonly _tag: "DropRequest" }
  | { readonly _tag: "DropAnswer" }
  | { readonly _tag: "Status"; readonly status: number; readonly body?: string }
  | { readonly _tag: "Delay"; readonly by: Duration.DurationInput }
  | { readonly _tag: "Garbage"; readonly body?: string }

/** The first interceptor that answers decides. */
export type Interceptor = (call: IncomingCall) => Fault | undefined

export const fault = {
  dropRequest: { _tag: "DropRequest" },
  dropAnswer: { _tag: "DropAnswer" },
  status: (status: number, body?: string): Fault => ({
    _tag: "Status",
    status,
    ...(body === undefined ? {} : { body })
  }),
  delay: (by: Duration.DurationInput): Fault => ({ _tag: "Delay", by }),
  garbage: (body?: string): Fault => ({ _tag: "Garbage", ...(body === undefined ? {} : { body }) })
} as const

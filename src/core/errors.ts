/**
 * Errors and what follows from them.
 *
 * Every error that a backend, the marketplace or a handler raises says by its `disposition` what the runtime does next; nobody
 * upstream looks at messages or error codes again. Anything that is not a `SiteError` is a defect: the order stays executing and
 * the actor is quarantined.
 */
import { Data } from "effect"

/**
 * - `retry`: it may pass by itself (network, time-out, a server that restarts). The order stays executing, however long it lasts.
 * - `fail-order`: the order's own failure (quota, name taken, bad input). Undo, then `erred` with one sentence for the customer.
 * - `stop-offering`: a fault of the configuration (wrong credentials, no rights). No orders of that offering until it is mended.
 */
export type Disposition = "retry" | "fail-order" | "stop-offering"

/** The shape that every expected error has. `message` is for operators and may hold ids, never secrets. */
export interface SiteError extends Error {
  readonly _tag: string
  readonly disposition: Disposition
  /** One sentence for the customer, without internals. Only read when `disposition` is `fail-order`. */
  readonly customerMessage?: string | undefined
}

/** The order cannot be carried out, and that is the order's (or its surroundings') own fault. Raised by handlers. */
export class OrderRefused extends Data.TaggedError("OrderRefused")<{
  /** One clear sentence for the customer: what is wrong and what to do. */
  readonly customerMessage: string
  /** What an operator needs beside that sentence. */
  readonly detail?: string
}> {
  readonly disposition = "fail-order" as const
  override get message(): string {
    return this.detail === undefined ? this.customerMessage : `${this.customerMessage} (${this.detail})`
  }
}

/** Something that another process, a later moment or a human will mend. Raised by handlers for what is not a call's failure. */
export class NotYet extends Data.TaggedError("NotYet")<{ readonly reason: string }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return this.reason
  }
}

/**
 * Another agent, with a journal of its own, is at work on the same order: something has the order's tag, and no call of this journal's made it. Nothing
 * was made by what failed with this, and nothing of the other's is touched: the order waits, and somebody is told (`runtime/orders/rivals.ts`).
 */
export class RivalAtWork extends Data.TaggedError("RivalAtWork")<{
  /** What it is: "network 12 (acme_internal)". */
  readonly what: string
}> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Another agent is at work on this order: it has made ${this.what}, which this one leaves alone. ${stopOne}`
  }
}

/** What has to be done where two agents are at work on one offering. */
export const stopOne =
  "Two agents with a journal each serve this offering: stop one of them, and start it again only without this offering (docs/operations.md)."

/** The offering's configuration does not fit what the backend or the marketplace has. */
export class OfferingFault extends Data.TaggedError("OfferingFault")<{
  readonly reason: string
  /** What to change, and where. */
  readonly hint: string
}> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `${this.reason} ${this.hint}`
  }
}

export const isSiteError = (u: unknown): u is SiteError =>
  u instanceof Error &&
  "_tag" in u &&
  typeof u._tag === "string" &&
  "disposition" in u &&
  (u.disposition === "retry" || u.disposition === "fail-order" || u.disposition === "stop-offering")

/** The code of whatever lies at the bottom of an error: "ECONNREFUSED"; `none` where it has none. Never its text, which may quote a header. */
export const codeOf = (error: unknown, none = "connection failed"): string => {
  let code = none
  let current: unknown = error
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string") code = current.code
    current = current.cause
  }
  return code
}

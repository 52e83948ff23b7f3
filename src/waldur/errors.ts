/**
 * What can go wrong with Waldur, each with what follows from it (`disposition`).
 *
 * None of these holds a request, a header or a cause: whatever was caught is reduced to its code and a short excerpt, from which the
 * agent's own secrets are struck out. So any of them may be logged as it is.
 */
import { Data, type Duration, Option } from "effect"
import { connectionAdvice, withAdvice } from "../connect/index.js"
import type { Verdict } from "../core/calls/breaker.js"
import type { Disposition } from "../core/errors.js"

/** Which call it was: "POST marketplace-orders/{uuid}/set_state_done/". Ids are not part of it. */
export interface Where {
  readonly call: string
}

/** The one call that goes to the identity provider. */
export const tokenCall = "POST <OIDC token endpoint>"

/** No connection, or it broke: DNS, refused, reset, TLS. `reason` is the code: "ECONNREFUSED". */
export class WaldurUnreachable extends Data.TaggedError("WaldurUnreachable")<
  Where & {
    readonly reason: string
    /** Where it was looked for: "https://waldur.example.com". */
    readonly origin?: string
    /** Over `global_proxy`, which then may be what cannot be reached. */
    readonly throughProxy?: boolean
  }
> {
  readonly disposition = "retry" as const
  /** What to do, where the reason says it. */
  get advice(): string {
    const url = this.call === tokenCall ? "oidc_token_url" : "waldur_api_url"
    const proxy = this.throughProxy === true ? "global_proxy" : undefined
    return connectionAdvice(this.reason, { url, ca: "ca_file", proxy })
  }
  override get message(): string {
    const where = this.origin === undefined ? "" : ` at ${this.origin}`
    const way = this.throughProxy === true ? " through the proxy" : ""
    return withAdvice(`Waldur cannot be reached${where}${way}: ${this.reason} (${this.call})`, this.advice)
  }
}

/** No complete answer in time. What was asked may have happened or not. */
export class WaldurTimedOut extends Data.TaggedError("WaldurTimedOut")<Where & { readonly milliseconds: number }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Waldur did not answer within ${this.milliseconds} ms (${this.call}).`
  }
}

/** 5xx. */
export class WaldurServerError extends Data.TaggedError("WaldurServerError")<
  Where & { readonly status: number; readonly excerpt: string }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Waldur answered ${this.status} (${this.call})${this.excerpt === "" ? "." : `: ${this.excerpt}`}`
  }
}

/** 429. `retryAfter` as the server wishes. */
export class WaldurRateLimited extends Data.TaggedError("WaldurRateLimited")<
  Where & { readonly retryAfter: Option.Option<Duration.Duration> }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Waldur limits the rate of calls (${this.call}).`
  }
}

/** A success that is none: no JSON, not what was asked for, cut off, or too large. A maintenance page with status 200 ends up here. */
export class WaldurMalformedAnswer extends Data.TaggedError("WaldurMalformedAnswer")<
  Where & { readonly reason: string }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Waldur's answer cannot be read: ${this.reason} (${this.call}).`
  }
}

/** 401, or the identity provider refuses the client. */
export class WaldurUnauthorized extends Data.TaggedError("WaldurUnauthorized")<Where & { readonly detail: string }> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Waldur does not accept the credentials: ${this.detail} (${this.call}). Check the API token, or the OIDC client.`
  }
}

/** 403. */
export class WaldurForbidden extends Data.TaggedError("WaldurForbidden")<Where & { readonly detail: string }> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Waldur does not permit this to the agent's user: ${this.detail} (${this.call}). It needs a role with the offering's service provider.`
  }
}

/** A 3xx. Credentials do not travel to another address, so it is not followed: the configured URL is wrong. */
export class WaldurRedirected extends Data.TaggedError("WaldurRedirected")<
  Where & { readonly status: number; readonly location: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Waldur redirects to ${this.location || "nowhere"} (${this.status}, ${this.call}). Set waldur_api_url to the address that answers itself.`
  }
}

/** Any other 4xx: the agent and this server do not understand each other. */
export class WaldurRefusedCall extends Data.TaggedError("WaldurRefusedCall")<
  Where & { readonly status: number; readonly detail: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Waldur refused the call with ${this.status}: ${this.detail} (${this.call}).`
  }
}

/**
 * 404: no such thing, or not visible. Waldur answers both alike, so it is no proof that something is gone: by default, look again later.
 * For what the configuration names (the offering) it stops the offering.
 */
export class WaldurNotFound extends Data.TaggedError("WaldurNotFound")<
  Where & {
    readonly detail: string
    /** The server does not know the address at all (an HTML page instead of `{"detail"}`, recording 071): an older generation. */
    readonly unknownAddress: boolean
    readonly disposition: Extract<Disposition, "retry" | "stop-offering">
  }
> {
  override get message(): string {
    const what = this.unknownAddress
      ? "Waldur says that there is no such address"
      : "Waldur has no such object, or does not show it to the agent's user"
    const advice =
      this.disposition === "stop-offering"
        ? " Correct waldur_offering_uuid, or give the agent's user a role with the provider."
        : ""
    return `${what}: ${this.detail} (${this.call}).${advice}`
  }
}

/** 409: the order or resource is not in a state for this. Look again: somebody else moved it. */
export class WaldurConflict extends Data.TaggedError("WaldurConflict")<Where & { readonly detail: string }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Waldur: ${this.detail} (${this.call}).`
  }
}

/** 400. `messages` as "field: sentence", flattened from whatever shape they came in. */
export class WaldurInvalid extends Data.TaggedError("WaldurInvalid")<
  Where & {
    readonly messages: ReadonlyArray<string>
    /**
     * What is asked with a GET comes from the configuration; what is sent with a POST comes from the order, unless the offering is closed altogether, or
     * the customer's organization is for now.
     */
    readonly disposition: Disposition
    /** What to do, where the reason says it. */
    readonly advice?: string
    /** What the order's customer is told, where there is more to say than that it was not accepted. */
    readonly customer?: string
  }
> {
  get customerMessage(): string {
    return this.customer ?? "The marketplace did not accept what was to be recorded for this order."
  }
  override get message(): string {
    const reason = this.messages.join("; ") || "no reason given"
    return withAdvice(`Waldur did not accept the call: ${reason} (${this.call})`, this.advice ?? "")
  }
}

export type WaldurError =
  | WaldurUnreachable
  | WaldurTimedOut
  | WaldurServerError
  | WaldurRateLimited
  | WaldurMalformedAnswer
  | WaldurUnauthorized
  | WaldurForbidden
  | WaldurRedirected
  | WaldurRefusedCall
  | WaldurNotFound
  | WaldurConflict
  | WaldurInvalid

/** After these nobody knows whether a write happened, or it may pass by itself. */
export type Transient =
  | WaldurUnreachable
  | WaldurTimedOut
  | WaldurServerError
  | WaldurRateLimited
  | WaldurMalformedAnswer

export const isTransient = (error: WaldurError): error is Transient =>
  error._tag === "WaldurUnreachable" ||
  error._tag === "WaldurTimedOut" ||
  error._tag === "WaldurServerError" ||
  error._tag === "WaldurRateLimited" ||
  error._tag === "WaldurMalformedAnswer"

/** Waldur has no such thing, or does not show it: and not that it does not know the address. */
export const isMissing = (error: unknown): error is WaldurNotFound =>
  error instanceof WaldurNotFound && !error.unknownAddress

/** The server, of an older generation, has no such call. */
export const isUnsupported = (error: WaldurError): boolean =>
  (error._tag === "WaldurNotFound" && error.unknownAddress) ||
  (error._tag === "WaldurRefusedCall" && error.status === 405)

/** How long the server wants to be left alone. */
export const retryAfterOf = (error: WaldurError): Option.Option<Duration.Duration> =>
  error._tag === "WaldurRateLimited" ? error.retryAfter : Option.none()

/** What an error says of the server, for its breaker. */
export const verdictOf = (error: WaldurError): Verdict => {
  switch (error._tag) {
    case "WaldurUnreachable":
    case "WaldurTimedOut":
    case "WaldurServerError":
      return "away"
    case "WaldurMalformedAnswer":
      return "unclear"
    // A page instead of an answer may be that of a proxy whose backend is away.
    case "WaldurNotFound":
      return error.unknownAddress ? "unclear" : "answers"
    default:
      return "answers"
  }
}

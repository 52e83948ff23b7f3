/**
 * What can go wrong with Keycloak, each with what follows from it (`disposition`).
 *
 * None of these holds a request, a header or a cause: any of them may be logged as it is.
 */
import { Data } from "effect"
import { connectionAdvice, withAdvice } from "../connect/index.js"
import type { Verdict } from "../core/calls/breaker.js"

/** Which call it was: "members of a group". No names, no ids. */
export interface Where {
  readonly call: string
}

/** No connection, or it broke: DNS, refused, reset, TLS. `reason` is the code: "ECONNREFUSED". */
export class KeycloakUnreachable extends Data.TaggedError("KeycloakUnreachable")<
  Where & {
    readonly reason: string
    /** Over `keycloak_proxy`, which then may be what cannot be reached. */
    readonly throughProxy?: boolean
  }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    const isProxied = this.throughProxy === true
    const proxy = isProxied ? "keycloak_proxy" : undefined
    const advice = connectionAdvice(this.reason, { url: "keycloak_url", ca: "keycloak_ca_file", proxy })
    const way = isProxied ? " through the proxy" : ""
    return withAdvice(`Keycloak cannot be reached${way}: ${this.reason} (${this.call})`, advice)
  }
}

/** No complete answer in time. What was asked may have happened or not. */
export class KeycloakTimedOut extends Data.TaggedError("KeycloakTimedOut")<Where & { readonly milliseconds: number }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Keycloak did not answer within ${this.milliseconds} ms (${this.call}).`
  }
}

/** 5xx and 429. Also what it answers for a group that somebody else deletes at the same moment (recording 256). */
export class KeycloakServerError extends Data.TaggedError("KeycloakServerError")<Where & { readonly status: number }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Keycloak answered ${this.status} (${this.call}).`
  }
}

/** A success that is none: a maintenance page, or something cut off. */
export class KeycloakMalformedAnswer extends Data.TaggedError("KeycloakMalformedAnswer")<
  Where & { readonly reason: string }
> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Keycloak's answer cannot be read: ${this.reason} (${this.call}).`
  }
}

/** The token endpoint refuses: 400 and 401 alike (recordings 005, 026), 403 for a realm that is disabled (recording 236). */
export class KeycloakUnauthorized extends Data.TaggedError("KeycloakUnauthorized")<
  Where & { readonly detail: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Keycloak does not accept the credentials: ${this.detail} (${this.call}). Check keycloak_username and keycloak_password, or client_id and client_secret, and keycloak_user_realm.`
  }
}

/** 403, or what a server does instead: it shows nothing to whoever may only query (recordings 241, 244). */
export class KeycloakForbidden extends Data.TaggedError("KeycloakForbidden")<Where & { readonly detail: string }> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Keycloak does not permit this to the agent: ${this.detail} (${this.call}). It needs the role manage-users of realm-management in the realm.`
  }
}

/** The realm, or the address itself, is not there; or the server sends elsewhere. */
export class KeycloakMisconfigured extends Data.TaggedError("KeycloakMisconfigured")<
  Where & { readonly detail: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Keycloak: ${this.detail} (${this.call}). Correct keycloak_url and keycloak_realm.`
  }
}

/** 404: no such user or group (any more). */
export class KeycloakNotFound extends Data.TaggedError("KeycloakNotFound")<Where> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Keycloak has no such object (${this.call}).`
  }
}

/** 409: the name is taken, or somebody did the same at the same moment (recordings 084, 249, 255). Match it by this, not by its text. */
export class KeycloakConflict extends Data.TaggedError("KeycloakConflict")<Where> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Keycloak has such an object already (${this.call}).`
  }
}

/** Any other 4xx: the agent and this server do not understand each other. */
export class KeycloakRefusedCall extends Data.TaggedError("KeycloakRefusedCall")<
  Where & { readonly status: number; readonly detail: string }
> {
  readonly disposition = "stop-offering" as const
  override get message(): string {
    return `Keycloak refused the call with ${this.status}: ${this.detail} (${this.call}).`
  }
}

export type KeycloakError =
  | KeycloakUnreachable
  | KeycloakTimedOut
  | KeycloakServerError
  | KeycloakMalformedAnswer
  | KeycloakUnauthorized
  | KeycloakForbidden
  | KeycloakMisconfigured
  | KeycloakNotFound
  | KeycloakConflict
  | KeycloakRefusedCall

/** What an error says of the server, for its breaker. A 500 may be about one group alone (recordings 187, 256); garbage may be a proxy's. */
export const verdictOf = (error: KeycloakError): Verdict => {
  switch (error._tag) {
    case "KeycloakUnreachable":
    case "KeycloakTimedOut":
      return "away"
    case "KeycloakServerError":
      return error.status >= 502 && error.status <= 504 ? "away" : "unclear"
    case "KeycloakMalformedAnswer":
      return "unclear"
    default:
      return "answers"
  }
}

/** May pass by itself within a moment. */
export const isTransient = (error: KeycloakError): boolean =>
  error._tag === "KeycloakUnreachable" ||
  error._tag === "KeycloakTimedOut" ||
  error._tag === "KeycloakServerError" ||
  error._tag === "KeycloakMalformedAnswer"

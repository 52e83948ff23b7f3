/** Who asks, what they may, and how they sign in and out. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import { Context, Schema } from "effect"
import { Millis, NotAllowed, Refused, SignInFirst, TooMany, Unavailable } from "./common.js"

/** `viewer` reads everything and changes nothing. `operator` may do what `actions.ts` lists as well. */
export const Role = Schema.Literal("viewer", "operator")
export type Role = typeof Role.Type

/**
 * How it is known who asks: `loopback` (the agent listens on this machine alone, and asks for no token), `token` (signed in on the page),
 * `proxy` (a header of a reverse proxy that is trusted).
 */
export const SignedInBy = Schema.Literal("loopback", "token", "proxy")
export type SignedInBy = typeof SignedInBy.Type

export interface Visitor {
  /** For the audit: the proxy's user name, or "operator (token)", or "this machine". */
  readonly name: string
  readonly role: Role
  readonly by: SignedInBy
}

/** Whoever asked: there for every endpoint but those of the session and of health. */
export class CurrentVisitor extends Context.Tag("site-actors/api/CurrentVisitor")<CurrentVisitor, Visitor>() {}

/** Nobody reads anything without being known. */
export class Known extends HttpApiMiddleware.Tag<Known>()("site-actors/api/Known", {
  provides: CurrentVisitor,
  failure: SignInFirst
}) {}

/** Every request that changes something carries this header, with any value: no form and no link of another site can. */
export const requestHeader = "x-site-actors"

export const Session = Schema.Struct({
  /** `null`: nobody is signed in, and nothing but the sign-in is to be shown. */
  visitor: Schema.NullOr(Schema.Struct({ name: Schema.String, role: Role, by: SignedInBy })),
  /** When the session ends by itself; `null`: never, there is none. */
  expires: Schema.NullOr(Millis),
  /** Whether a token can be typed in. False: only the reverse proxy says who one is. */
  tokens: Schema.Boolean,
  /** Of the agent. A page of another version reloads itself. */
  version: Schema.String
})
export type Session = typeof Session.Type

export const SignIn = Schema.Struct({ token: Schema.Redacted(Schema.String.pipe(Schema.maxLength(500))) })

export const session = HttpApiGroup.make("session")
  /** Never refused: says whether one is signed in. */
  .add(HttpApiEndpoint.get("current", "/api/session").addSuccess(Session))
  /** Sets a cookie that scripts cannot read. Five wrong tokens a minute from one address, then 429. */
  .add(
    HttpApiEndpoint.post("signIn", "/api/session")
      .setPayload(SignIn)
      .addSuccess(Session)
      .addError(NotAllowed)
      .addError(TooMany)
      .addError(Refused)
      .addError(Unavailable)
  )
  .add(HttpApiEndpoint.del("signOut", "/api/session").addSuccess(Session).addError(NotAllowed).addError(Unavailable))

/** `/realms/{realm}/protocol/openid-connect/...`: tokens are given, renewed, looked at and ended. */
import { createHash, randomBytes } from "node:crypto"
import {
  type Answer,
  challenge,
  json,
  loggedOut,
  noSuchPath,
  oauthError,
  type Request,
  refusal,
  unstored
} from "./http.js"
import { isLive, tokenOf } from "./rights.js"
import type { Client, KeycloakUser, Realm, Session, Token, World } from "./world.js"

/** Seconds that a session may be idle. */
const refreshLifespan = 1800

const invalidClient = oauthError(401, "invalid_client", "Invalid client or Invalid client credentials")
const unauthorizedClient = oauthError(401, "unauthorized_client", "Invalid client or Invalid client credentials")
const invalidGrant = (description: string): Answer => oauthError(400, "invalid_grant", description)

export const realmEndpoint = (world: World, request: Request, name: string, rest: string): Answer => {
  const realm = world.realms.get(name)
  if (realm === undefined) throw refusal(404, { error: "Realm does not exist" })
  switch (`${request.method} ${rest}`) {
    case "POST protocol/openid-connect/token":
      return token(world, request, realm)
    case "POST protocol/openid-connect/token/introspect":
      return introspect(world, request, realm)
    case "GET protocol/openid-connect/userinfo":
      return userinfo(world, request, realm)
    case "POST protocol/openid-connect/logout":
      return logout(world, request)
    default:
      throw noSuchPath
  }
}

interface Asked {
  readonly form: URLSearchParams
  readonly client: Client | undefined
  readonly secret: string
}

const unescaped = (text: string): string => decodeURIComponent(text.replaceAll("+", " "))

/** The client comes in the form or as Basic authorisation; both are equal (recordings 024, 025). */
const asked = (realm: Realm, { headers, body }: Request): Asked => {
  const isForm = (headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")
  const form = new URLSearchParams(isForm ? body : "")
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "")?.[1]
  const [id = "", secret = ""] =
    basic === undefined
      ? [form.get("client_id") ?? "", form.get("client_secret") ?? ""]
      : Buffer.from(basic, "base64").toString("utf8").split(":").map(unescaped)
  const client = [...realm.clients.values()].find(({ clientId, enabled }) => clientId === id && enabled)
  return { form, client, secret }
}

const token = (world: World, request: Request, realm: Realm): Answer => {
  const { form, client, secret } = asked(realm, request)
  const grant = form.get("grant_type")
  if (grant === null) return oauthError(400, "invalid_request", "Missing form parameter: grant_type")
  if (!realm.enabled) return oauthError(403, "access_denied", "Realm not enabled")
  if (client === undefined) return invalidClient
  if (!client.isPublic && client.secret !== secret) return unauthorizedClient
  switch (grant) {
    case "password":
      return byPassword(world, request, realm, client, form)
    case "client_credentials":
      return byClient(world, request, realm, client)
    case "refresh_token":
      return byRefresh(world, request, realm, client, form.get("refresh_token") ?? "")
    default:
      return oauthError(400, "unsupported_grant_type", "Unsupported grant_type")
  }
}

const byPassword = (world: World, request: Request, realm: Realm, client: Client, form: URLSearchParams): Answer => {
  const name = (form.get("username") ?? "").toLowerCase()
  const user = [...realm.users.values()].find(({ username, email }) => username === name || email === name)
  const password = form.get("password")
  if (user?.password === undefined || user.password !== password) return invalidGrant("Invalid user credentials")
  if (!user.enabled) return invalidGrant("Account disabled")
  if (user.firstName === undefined || user.lastName === undefined || user.email === undefined) {
    return invalidGrant("Account is not fully set up")
  }
  const scope = form.get("scope") === "openid" ? "openid email profile" : "email profile"
  const session: Session = { id: randomBytes(18).toString("base64url"), user, ended: false }
  return issue(world, request, { realm, client, user, session, scope })
}

const byClient = (world: World, request: Request, realm: Realm, client: Client): Answer =>
  client.isPublic || client.account === undefined
    ? oauthError(401, "unauthorized_client", "Public client not allowed to retrieve service account")
    : issue(world, request, { realm, client, user: client.account, session: undefined, scope: "email profile" })

/** A refresh token goes on working after it was used (recordings 002, 003). */
const byRefresh = (world: World, request: Request, realm: Realm, client: Client, text: string): Answer => {
  const known = world.tokens.get(text)
  if (known === undefined || known.kind !== "refresh" || known.realm !== realm)
    return invalidGrant("Invalid refresh token")
  if (!known.user.enabled) return invalidGrant("User disabled")
  if (known.session?.ended !== false) return invalidGrant("Session not active")
  if (known.expires <= world.now()) return invalidGrant("Token is not active")
  return issue(world, request, { realm, client, user: known.user, session: known.session, scope: known.scope })
}

interface Grant {
  readonly realm: Realm
  readonly client: Client
  readonly user: KeycloakUser
  readonly session: Session | undefined
  readonly scope: string
}

const issue = (world: World, request: Request, grant: Grant): Answer => {
  const { realm, session, scope } = grant
  const access = sign(world, request, grant, "access", realm.accessTokenLifespan)
  return json(
    200,
    {
      access_token: access,
      expires_in: realm.accessTokenLifespan,
      refresh_expires_in: session === undefined ? 0 : refreshLifespan,
      ...(session === undefined ? {} : { refresh_token: sign(world, request, grant, "refresh", refreshLifespan) }),
      token_type: "Bearer",
      ...(scope.startsWith("openid") ? { id_token: encoded({ typ: "ID", iss: issuer(request, realm) }) } : {}),
      "not-before-policy": 0,
      ...(session === undefined ? {} : { session_state: session.id }),
      scope
    },
    unstored
  )
}

const issuer = ({ origin }: Request, { name }: Realm): string => `${origin}/realms/${name}`

/** Keeps the token, by which alone it is known again: what it claims is for clients. */
const sign = (world: World, request: Request, grant: Grant, kind: Token["kind"], seconds: number): string => {
  const iat = Math.floor(world.now() / 1000)
  const text = encoded({
    exp: iat + seconds,
    iat,
    jti: randomBytes(16).toString("hex"),
    iss: issuer(request, grant.realm),
    typ: kind === "access" ? "Bearer" : "Refresh",
    azp: grant.client.clientId,
    ...(grant.session === undefined ? { sub: grant.user.id } : { sid: grant.session.id }),
    scope: grant.scope
  })
  world.tokens.set(text, { ...grant, kind, expires: world.now() + seconds * 1000 })
  return text
}

const encoded = (claims: Readonly<Record<string, unknown>>): string => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const head = `${part({ alg: "RS256", typ: "JWT", kid: "simulated" })}.${part(claims)}`
  return `${head}.${createHash("sha256").update(head).digest("base64url")}`
}

const introspect = (world: World, request: Request, realm: Realm): Answer => {
  const { form, client, secret } = asked(realm, request)
  if (client === undefined || client.isPublic || client.secret !== secret) return unauthorizedClient
  const known = world.tokens.get(form.get("token") ?? "")
  return json(200, { active: known !== undefined && isLive(world, known) }, { "Cache-Control": "no-cache" })
}

const userinfo = (world: World, request: Request, realm: Realm): Answer => {
  const known = tokenOf(world, request)
  if (known === undefined) return challenge(401, realm.name, "invalid_token", "Token verification failed")
  if (!known.scope.startsWith("openid")) return challenge(403, realm.name, "insufficient_scope", "Missing openid scope")
  if (known.session?.ended === true) return challenge(401, realm.name, "invalid_token", "user_session_not_found")
  return challenge(401, realm.name, "invalid_token", "Lightweight access token not allowed for userinfo endpoint")
}

const logout = (world: World, request: Request): Answer => {
  const known = world.tokens.get(new URLSearchParams(request.body).get("refresh_token") ?? "")
  if (known?.session === undefined) return invalidGrant("Invalid refresh token")
  known.session.ended = true
  return loggedOut
}

/** A token endpoint for OIDC client credentials, beside the API: `POST /oidc/token`, or Keycloak's longer path. */
import { type Answer, json } from "./answers.js"
import type { ApiRequest } from "./request.js"
import { newToken, type World } from "./world.js"

/** Seconds that an access token is good for. */
const lifetime = 300

export const isTokenEndpoint = ({ path }: ApiRequest): boolean =>
  /^\/oidc\/token\/?$|\/protocol\/openid-connect\/token\/?$/.test(path)

/** Client id and secret come in the form or as Basic authorisation (RFC 6749, 2.3.1 and 4.4). */
const credentials = ({ headers, body }: ApiRequest): { readonly id: string; readonly secret: string } => {
  const form = new URLSearchParams(body)
  const [scheme = "", encoded = ""] = (headers.authorization ?? "").split(" ")
  if (scheme.toLowerCase() !== "basic")
    return { id: form.get("client_id") ?? "", secret: form.get("client_secret") ?? "" }
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":")
  return { id: decodeURIComponent(id), secret: decodeURIComponent(secret) }
}

export const issueToken = (world: World, request: ApiRequest): Answer => {
  if (request.method !== "POST") return json(405, { error: "invalid_request" })
  if (new URLSearchParams(request.body).get("grant_type") !== "client_credentials")
    return json(400, { error: "unsupported_grant_type", error_description: "Unsupported grant_type" })
  const { id, secret } = credentials(request)
  const client = world.oidcClients.get(id)
  if (client === undefined || client.secret !== secret)
    return json(401, { error: "invalid_client", error_description: "Invalid client or Invalid client credentials" })
  const token = newToken(world)
  world.accessTokens.set(token, { user: client.user, expiresAt: world.now() + lifetime * 1000 })
  return json(200, {
    access_token: token,
    expires_in: lifetime,
    refresh_expires_in: 0,
    token_type: "Bearer",
    scope: ""
  })
}

/**
 * Who asks, and what they may. Rights are looked up at each request, never read from the token: a role granted or taken after it was issued
 * counts at once (recordings 036, 232).
 */
import { forbidden, type Request, unauthorized } from "./http.js"
import { compositeRoles, type Realm, type Token, type World } from "./world.js"

/** Whether a token is still good for anything. */
export const isLive = (world: World, token: Token): boolean =>
  token.expires > world.now() &&
  world.realms.get(token.realm.name) === token.realm &&
  token.realm.users.has(token.user.id) &&
  token.user.enabled &&
  token.client.enabled &&
  token.session?.ended !== true

const bearerOf = ({ headers }: Request): string => /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? ""

export const tokenOf = (world: World, request: Request): Token | undefined => world.tokens.get(bearerOf(request))

/** Of the admin API: every token that is no good is the same 401 (recordings 013 to 015, 224, 229, 284). */
export const authenticated = (world: World, request: Request): Token => {
  const token = tokenOf(world, request)
  if (token === undefined || token.kind !== "access" || !isLive(world, token)) throw unauthorized
  return token
}

const expanded = (roles: Iterable<string>): ReadonlySet<string> =>
  new Set([...roles].flatMap((role) => [role, ...(compositeRoles[role] ?? [])]))

/** The master realm's administrator may do everything everywhere; others only in their own realm (recording 168). */
export const rightsIn = (token: Token, realm: Realm): ReadonlySet<string> =>
  token.realm === realm || (token.realm.name === "master" && token.user.roles.has("realm-admin"))
    ? expanded(token.user.roles)
    : new Set()

export const requireRight = (token: Token, realm: Realm, ...anyOf: ReadonlyArray<string>): void => {
  const rights = rightsIn(token, realm)
  if (!anyOf.some((right) => rights.has(right))) throw forbidden
}

export const maySee = (token: Token, realm: Realm): boolean => {
  const rights = rightsIn(token, realm)
  return rights.has("view-users") || rights.has("manage-users")
}
export const mayManage = (token: Token, realm: Realm): boolean => rightsIn(token, realm).has("manage-users")

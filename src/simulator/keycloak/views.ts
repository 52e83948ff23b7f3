/** What is shown of users and groups, wherever they are shown; and what every handler is given. */
import type { JsonObject, Request } from "./http.js"
import { type Group, type KeycloakUser, pathOf, type Realm, type Token, type World } from "./world.js"

export interface Call {
  readonly world: World
  readonly realm: Realm
  readonly token: Token
  readonly request: Request
}

/** Lists are cut at this where no `max` is given (recordings 257, 261). */
export const defaultMax = 100

const head = (user: KeycloakUser): JsonObject => ({
  id: user.id,
  username: user.username,
  firstName: user.firstName,
  lastName: user.lastName,
  email: user.email,
  emailVerified: user.emailVerified,
  enabled: user.enabled,
  createdTimestamp: user.created
})
const tail = { totp: false, disableableCredentialTypes: [], requiredActions: [], notBefore: 0 }

/** Without `access`: as a member of a group. */
export const memberView = (user: KeycloakUser, brief: boolean): JsonObject => ({
  ...head(user),
  ...(brief ? {} : tail)
})

export const groupHead = (group: Group): JsonObject => ({
  id: group.id,
  name: group.name,
  path: pathOf(group),
  parentId: group.parent?.id
})
export const groupDetails = (group: Group): JsonObject => ({
  attributes: group.attributes,
  realmRoles: [],
  clientRoles: {}
})

/** As a user's groups show it: without counts and `access` (recordings 150, 151). */
export const groupInUser = (group: Group, brief: boolean): JsonObject => ({
  ...groupHead(group),
  subGroups: [],
  ...(brief ? {} : groupDetails(group))
})

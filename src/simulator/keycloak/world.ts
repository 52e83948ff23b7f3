/** What a Keycloak consists of, and how tests fill it without the API. */
import { randomBytes, randomUUID } from "node:crypto"
import type { Request } from "./http.js"

export interface KeycloakUser {
  readonly id: string
  readonly username: string
  readonly created: number
  email: string | undefined
  firstName: string | undefined
  lastName: string | undefined
  emailVerified: boolean
  enabled: boolean
  password: string | undefined
  /** Roles of the realm's `realm-management` client. */
  readonly roles: Set<string>
  /** Of a client that has one; never listed. */
  readonly serviceAccount: boolean
}

export interface Group {
  readonly id: string
  name: string
  parent: Group | undefined
  attributes: Readonly<Record<string, ReadonlyArray<string>>>
  readonly members: Set<KeycloakUser>
}

export interface Client {
  readonly id: string
  readonly clientId: string
  readonly secret: string
  readonly isPublic: boolean
  readonly account: KeycloakUser | undefined
  enabled: boolean
}

export interface Realm {
  readonly id: string
  readonly name: string
  enabled: boolean
  /** Seconds. */
  accessTokenLifespan: number
  readonly managementClient: string
  /** Role name -> id. */
  readonly roleIds: ReadonlyMap<string, string>
  readonly clients: Map<string, Client>
  readonly users: Map<string, KeycloakUser>
  readonly groups: Map<string, Group>
}

export interface Session {
  readonly id: string
  readonly user: KeycloakUser
  ended: boolean
}

export interface Token {
  readonly realm: Realm
  readonly client: Client
  readonly user: KeycloakUser
  /** None for client credentials. */
  readonly session: Session | undefined
  readonly scope: string
  readonly kind: "access" | "refresh"
  /** ms since 1970 */
  readonly expires: number
}

/** What happens to a request instead of its being answered: the connection is cut, or another answer comes. */
export type Fault =
  | { readonly _tag: "Cut" }
  | { readonly _tag: "Answer"; readonly status: number; readonly text?: string }

export interface World {
  readonly realms: Map<string, Realm>
  readonly tokens: Map<string, Token>
  /** ms since 1970 */
  now: () => number
  /** Asked before each request; `undefined` lets it pass. */
  fault: (request: Request) => Fault | undefined
  /** "METHOD path" of every request, in order. */
  readonly requests: Array<string>
}

export interface Administrator {
  readonly username: string
  readonly password: string
}

/** The roles of `realm-management`, in the order in which a server lists them (recording 034), and those that bring others. */
export const managementRoles = [
  "query-users",
  "manage-clients",
  "query-organizations",
  "manage-authorization",
  "impersonation",
  "create-client",
  "manage-organizations",
  "view-authorization",
  "view-identity-providers",
  "manage-users",
  "manage-realm",
  "view-events",
  "query-groups",
  "query-realms",
  "query-clients",
  "view-clients",
  "manage-identity-providers",
  "realm-admin",
  "view-organizations",
  "view-realm",
  "manage-events",
  "view-users"
] as const
export const compositeRoles: Readonly<Record<string, ReadonlyArray<string>>> = {
  "view-users": ["query-users", "query-groups"],
  "view-clients": ["query-clients"],
  "view-organizations": ["query-organizations"],
  "realm-admin": managementRoles
}

export const makeWorld = (administrator: Administrator): World => {
  const world: World = {
    realms: new Map(),
    tokens: new Map(),
    now: () => Date.now(),
    fault: () => undefined,
    requests: []
  }
  const master = addRealm(world, "master", { accessTokenLifespan: 60 })
  addUser(world, master, { ...administrator, roles: ["realm-admin"], firstName: "A", lastName: "Z", email: "a@z.org" })
  return world
}

export const addRealm = (world: World, name: string, { accessTokenLifespan = 300 } = {}): Realm => {
  const realm: Realm = {
    id: randomUUID(),
    name,
    enabled: true,
    accessTokenLifespan,
    managementClient: randomUUID(),
    roleIds: new Map(managementRoles.map((role) => [role, randomUUID()])),
    clients: new Map(),
    users: new Map(),
    groups: new Map()
  }
  world.realms.set(name, realm)
  addClient(world, realm, { clientId: "admin-cli", isPublic: true })
  return realm
}

export interface NewUser {
  readonly username: string
  readonly id?: string
  readonly email?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly emailVerified?: boolean
  readonly enabled?: boolean
  readonly password?: string | undefined
  readonly roles?: ReadonlyArray<string>
  readonly serviceAccount?: boolean
}

/** Names and addresses are kept in lower case (recordings 043, 044). */
export const addUser = (world: World, realm: Realm, given: NewUser): KeycloakUser => {
  const user: KeycloakUser = {
    id: given.id ?? randomUUID(),
    username: given.username.toLowerCase(),
    created: world.now(),
    email: given.email?.toLowerCase(),
    firstName: given.firstName,
    lastName: given.lastName,
    emailVerified: given.emailVerified ?? false,
    enabled: given.enabled ?? true,
    password: given.password,
    roles: new Set(given.roles ?? []),
    serviceAccount: given.serviceAccount ?? false
  }
  realm.users.set(user.id, user)
  return user
}

export interface NewClient {
  readonly clientId: string
  readonly secret?: string
  readonly isPublic?: boolean
  readonly serviceAccount?: boolean
  /** Of its service account. */
  readonly roles?: ReadonlyArray<string>
}

export const addClient = (world: World, realm: Realm, given: NewClient): Client => {
  const account = given.serviceAccount
    ? addUser(world, realm, {
        username: `service-account-${given.clientId}`,
        serviceAccount: true,
        roles: given.roles ?? []
      })
    : undefined
  const client: Client = {
    id: randomUUID(),
    clientId: given.clientId,
    secret: given.secret ?? randomBytes(24).toString("base64url"),
    isPublic: given.isPublic ?? false,
    account,
    enabled: true
  }
  realm.clients.set(client.id, client)
  return client
}

export const addGroup = (
  realm: Realm,
  name: string,
  more: { readonly parent?: Group | undefined; readonly attributes?: Group["attributes"] } = {}
): Group => {
  const group: Group = {
    id: randomUUID(),
    name,
    parent: more.parent,
    attributes: more.attributes ?? {},
    members: new Set()
  }
  realm.groups.set(group.id, group)
  return group
}

const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
/** By name; groups of one name in the order in which they were made. */
export const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  byText(one.name, other.name)
export const byUsername = (one: KeycloakUser, other: KeycloakUser): number => byText(one.username, other.username)

/** A `/` in a name is not escaped, so paths are ambiguous (recordings 178, 199). */
export const pathOf = (group: Group): string =>
  `${group.parent === undefined ? "" : pathOf(group.parent)}/${group.name}`
export const childrenOf = (realm: Realm, parent: Group | undefined): ReadonlyArray<Group> =>
  [...realm.groups.values()].filter((group) => group.parent === parent).sort(byName)

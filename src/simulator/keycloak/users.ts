/** `/admin/realms/{realm}/users...` */
import {
  type Answer,
  conflict,
  created,
  done,
  doneUncached,
  flagOf,
  invalid,
  isObject,
  type JsonObject,
  paged,
  readFields,
  readJson,
  refusal,
  shown
} from "./http.js"
import { maySee, requireRight, rightsIn } from "./rights.js"
import { type Call, defaultMax, groupInUser, memberView } from "./views.js"
import { addUser, byName, byUsername, type Group, type KeycloakUser, type Realm } from "./world.js"

const userNotFound = refusal(404, { error: "User not found" })
const groupNotFound = refusal(404, { error: "Group not found" })

const listView = (call: Call, user: KeycloakUser, brief: boolean): JsonObject => ({
  ...memberView(user, brief),
  access: { manage: rightsIn(call.token, call.realm).has("manage-users") }
})

const listed = ({ users }: Realm): ReadonlyArray<KeycloakUser> =>
  [...users.values()].filter(({ serviceAccount }) => !serviceAccount).sort(byUsername)

/** Substrings, unless `exact`; case never counts (recordings 060 to 067). */
const matching = (realm: Realm, query: URLSearchParams): ReadonlyArray<KeycloakUser> => {
  // Attributes that the profile does not declare are not kept, so nothing is found by them (recording 274).
  if (query.get("q") !== null) return []
  const exact = flagOf(query, "exact", false)
  const fits = (value: string | undefined, wanted: string | null): boolean =>
    wanted === null || (exact ? value === wanted.toLowerCase() : (value?.includes(wanted.toLowerCase()) ?? false))
  const search = query.get("search")
  return listed(realm).filter(
    (user) =>
      fits(user.username, query.get("username")) &&
      fits(user.email, query.get("email")) &&
      (search === null ||
        [user.username, user.email, user.firstName?.toLowerCase(), user.lastName?.toLowerCase()].some((value) =>
          value?.includes(search.toLowerCase())
        ))
  )
}

export const listUsers = (call: Call): Answer => {
  requireRight(call.token, call.realm, "view-users", "manage-users", "query-users")
  const { query } = call.request
  const page = paged(matching(call.realm, query), query, defaultMax)
  const brief = flagOf(query, "briefRepresentation", false)
  return shown(maySee(call.token, call.realm) ? page.map((user) => listView(call, user, brief)) : [])
}

export const countUsers = (call: Call): Answer => {
  requireRight(call.token, call.realm, "view-users", "manage-users")
  return shown(matching(call.realm, call.request.query).length)
}

const userFields: ReadonlySet<string> = new Set([
  ..."id username email firstName lastName enabled emailVerified credentials attributes requiredActions groups".split(
    " "
  ),
  ..."createdTimestamp totp disableableCredentialTypes notBefore access realmRoles clientRoles federationLink".split(
    " "
  )
])

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const checkMail = (email: string | undefined): void => {
  if (email === undefined || /^[^@\s]+@[^@\s]+$/.test(email)) return
  throw refusal(400, { field: "email", errorMessage: "error-invalid-email", params: ["email", email] })
}

export const createUser = (call: Call): Answer => {
  const { world, realm, request } = call
  requireRight(call.token, realm, "manage-users")
  const given = readFields(request, "UserRepresentation", userFields)
  const [username, email] = [textOf(given.username), textOf(given.email)]
  if (username === undefined) throw invalid("User name is missing")
  const others = [...realm.users.values()]
  if (others.some((user) => user.username === username.toLowerCase())) throw conflict("User exists with same username")
  if (email !== undefined && others.some((user) => user.email === email.toLowerCase())) {
    throw conflict("User exists with same email")
  }
  checkMail(email)
  const [credential] = Array.isArray(given.credentials) ? given.credentials : []
  const user = addUser(world, realm, {
    username,
    email,
    firstName: textOf(given.firstName),
    lastName: textOf(given.lastName),
    emailVerified: given.emailVerified === true,
    // Left out is disabled (recording 054).
    enabled: given.enabled === true,
    password: isObject(credential) ? textOf(credential.value) : undefined
  })
  return created(`${request.origin}/admin/realms/${realm.name}/users/${user.id}`)
}

const userOf = (call: Call, id: string): KeycloakUser => {
  const user = call.realm.users.get(id)
  if (user === undefined) throw userNotFound
  return user
}
const visibleUser = (call: Call, id: string): KeycloakUser => {
  const user = userOf(call, id)
  requireRight(call.token, call.realm, "view-users", "manage-users")
  return user
}
const managedUser = (call: Call, id: string): KeycloakUser => {
  const user = userOf(call, id)
  requireRight(call.token, call.realm, "manage-users")
  return user
}

export const showUser = (call: Call, id: string): Answer => {
  const user = visibleUser(call, id)
  const manage = rightsIn(call.token, call.realm).has("manage-users")
  return shown({
    ...memberView(user, false),
    access: {
      manageGroupMembership: manage,
      resetPassword: manage,
      view: true,
      mapRoles: manage,
      impersonate: false,
      manage
    }
  })
}

/** What is left out stays (recording 077); the name cannot be changed (recording 285). */
export const changeUser = (call: Call, id: string): Answer => {
  const user = managedUser(call, id)
  const given = readFields(call.request, "UserRepresentation", userFields)
  const name = textOf(given.username)
  if (name !== undefined && name.toLowerCase() !== user.username) {
    throw refusal(400, { field: "username", errorMessage: "error-user-attribute-read-only", params: ["username"] })
  }
  const email = textOf(given.email)
  checkMail(email)
  user.email = email?.toLowerCase() ?? user.email
  user.firstName = textOf(given.firstName) ?? user.firstName
  user.lastName = textOf(given.lastName) ?? user.lastName
  if (typeof given.enabled === "boolean") user.enabled = given.enabled
  return done
}

export const deleteUser = (call: Call, id: string): Answer => {
  const user = managedUser(call, id)
  call.realm.users.delete(id)
  for (const group of call.realm.groups.values()) group.members.delete(user)
  return doneUncached
}

export const resetPassword = (call: Call, id: string): Answer => {
  const user = managedUser(call, id)
  const given = readJson(call.request)
  user.password = isObject(given) ? textOf(given.value) : undefined
  return done
}

const groupsOf = (call: Call, user: KeycloakUser): ReadonlyArray<Group> =>
  [...call.realm.groups.values()].filter(({ members }) => members.has(user)).sort(byName)

export const userGroups = (call: Call, id: string): Answer => {
  const { query } = call.request
  const search = query.get("search")?.toLowerCase() ?? ""
  const found = groupsOf(call, visibleUser(call, id)).filter(({ name }) => name.toLowerCase().includes(search))
  const brief = flagOf(query, "briefRepresentation", true)
  return shown(paged(found, query).map((group) => groupInUser(group, brief)))
}
export const countUserGroups = (call: Call, id: string): Answer =>
  shown({ count: groupsOf(call, visibleUser(call, id)).length })

const membership = (call: Call, userId: string, groupId: string): readonly [KeycloakUser, Group] => {
  const user = userOf(call, userId)
  const group = call.realm.groups.get(groupId)
  if (group === undefined) throw groupNotFound
  requireRight(call.token, call.realm, "manage-users")
  return [user, group]
}
/** Also fine the second time (recordings 139, 158). */
export const joinGroup = (call: Call, userId: string, groupId: string): Answer => {
  const [user, group] = membership(call, userId, groupId)
  group.members.add(user)
  return doneUncached
}
export const leaveGroup = (call: Call, userId: string, groupId: string): Answer => {
  const [user, group] = membership(call, userId, groupId)
  group.members.delete(user)
  return doneUncached
}

/** Roles of `realm-management` given to or taken from a user. */
export const mapRoles = (call: Call, userId: string, clientId: string): Answer => {
  const user = userOf(call, userId)
  requireRight(call.token, call.realm, "manage-users")
  if (clientId !== call.realm.managementClient) throw refusal(404, { error: "Client not found" })
  const given = readJson(call.request)
  for (const role of Array.isArray(given) ? given : []) {
    if (!isObject(role) || typeof role.name !== "string") continue
    if (call.request.method === "DELETE") user.roles.delete(role.name)
    else user.roles.add(role.name)
  }
  return done
}

/** `/admin/realms...`: realms, their clients, and the roles of `realm-management`. What a realm has beyond this is not simulated. */
import {
  type Answer,
  conflict,
  created,
  deleted,
  done,
  forbidden,
  isObject,
  type Json,
  type Request,
  readJson,
  refusal,
  shown
} from "./http.js"
import { requireRight } from "./rights.js"
import { type Call, memberView } from "./views.js"
import { addClient, addRealm, type Client, compositeRoles, type Realm, type Token, type World } from "./world.js"

const objectOf = (request: Request): Readonly<Record<string, unknown>> => {
  const given = readJson(request)
  return isObject(given) ? given : {}
}

export const createRealm = (world: World, token: Token, request: Request): Answer => {
  if (token.realm.name !== "master" || !token.user.roles.has("realm-admin")) throw forbidden
  const name = String(objectOf(request).realm ?? "")
  if (world.realms.has(name)) throw conflict(`Realm ${name} already exists`)
  addRealm(world, name)
  return created(`${request.origin}/admin/realms/${name}`)
}

export const realmOf = (world: World, name: string): Realm => {
  const realm = world.realms.get(name)
  if (realm === undefined) throw refusal(404, { error: "Realm not found." })
  return realm
}

export const showRealm = (call: Call): Answer => {
  const { realm } = call
  requireRight(call.token, realm, "view-realm", "manage-realm", "view-users", "manage-users")
  return shown({
    id: realm.id,
    realm: realm.name,
    accessTokenLifespan: realm.accessTokenLifespan,
    enabled: realm.enabled
  })
}

export const changeRealm = (call: Call): Answer => {
  requireRight(call.token, call.realm, "manage-realm")
  const given = objectOf(call.request)
  if (typeof given.enabled === "boolean") call.realm.enabled = given.enabled
  if (typeof given.accessTokenLifespan === "number") call.realm.accessTokenLifespan = given.accessTokenLifespan
  return done
}

export const deleteRealm = (call: Call): Answer => {
  requireRight(call.token, call.realm, "manage-realm")
  call.world.realms.delete(call.realm.name)
  return deleted
}

export const createClient = (call: Call): Answer => {
  requireRight(call.token, call.realm, "manage-clients")
  const given = objectOf(call.request)
  const client = addClient(call.world, call.realm, {
    clientId: String(given.clientId ?? ""),
    isPublic: given.publicClient === true,
    serviceAccount: given.serviceAccountsEnabled === true,
    ...(typeof given.secret === "string" ? { secret: given.secret } : {})
  })
  return created(`${call.request.origin}/admin/realms/${call.realm.name}/clients/${client.id}`)
}

const clientOf = ({ realm }: Call, id: string): Client => {
  const client = realm.clients.get(id)
  if (client === undefined) throw refusal(404, { error: "Could not find client" })
  return client
}

export const changeClient = (call: Call, id: string): Answer => {
  requireRight(call.token, call.realm, "manage-clients")
  const client = clientOf(call, id)
  const given = objectOf(call.request)
  if (typeof given.enabled === "boolean") client.enabled = given.enabled
  return done
}

export const serviceAccount = (call: Call, id: string): Answer => {
  requireRight(call.token, call.realm, "view-clients", "manage-clients")
  const { account } = clientOf(call, id)
  if (account === undefined) throw refusal(400, { error: "unknown_error" })
  return shown(memberView(account, false))
}

/** Only `realm-management` is shown (recording 033). */
export const listClients = (call: Call): Answer => {
  requireRight(call.token, call.realm, "view-clients", "manage-clients")
  return shown(call.request.query.get("clientId") === "realm-management" ? [managementClient(call.realm)] : [])
}

const managementClient = (realm: Realm): Json => ({
  id: realm.managementClient,
  clientId: "realm-management",
  name: `\${client_realm-management}`,
  surrogateAuthRequired: false,
  enabled: true,
  alwaysDisplayInConsole: false,
  clientAuthenticatorType: "client-secret",
  redirectUris: [],
  webOrigins: [],
  notBefore: 0,
  bearerOnly: true,
  consentRequired: false,
  standardFlowEnabled: true,
  implicitFlowEnabled: false,
  directAccessGrantsEnabled: false,
  serviceAccountsEnabled: false,
  publicClient: false,
  frontchannelLogout: false,
  protocol: "openid-connect",
  attributes: { realm_client: "true" },
  authenticationFlowBindingOverrides: {},
  fullScopeAllowed: false,
  nodeReRegistrationTimeout: 0,
  defaultClientScopes: ["web-origins", "acr", "profile", "roles", "basic", "email"],
  optionalClientScopes: ["address", "phone", "offline_access", "organization", "microprofile-jwt"],
  access: { view: true, configure: false, manage: false }
})

export const listRoles = (call: Call, clientId: string): Answer => {
  requireRight(call.token, call.realm, "view-clients", "manage-clients")
  if (clientId !== call.realm.managementClient) throw refusal(404, { error: "Could not find client" })
  return shown(
    [...call.realm.roleIds].map(([name, id]) => ({
      id,
      name,
      description: `\${role_${name}}`,
      composite: compositeRoles[name] !== undefined,
      clientRole: true,
      containerId: clientId
    }))
  )
}

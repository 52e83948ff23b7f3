/** Paths of the API, and who answers them. */
import * as groups from "./groups.js"
import { type Answer, noSuchPath, Refusal, type Request, wrongMethod } from "./http.js"
import * as realms from "./realms.js"
import { authenticated } from "./rights.js"
import { realmEndpoint } from "./tokens.js"
import * as users from "./users.js"
import type { Call } from "./views.js"
import type { World } from "./world.js"

type Handler = (call: Call, ...ids: ReadonlyArray<string>) => Answer
interface Route {
  /** Below `/admin/realms/{realm}`; `*` is one segment, `**` all that is left. */
  readonly path: string
  readonly methods: Readonly<Record<string, Handler>>
}

const on =
  (handler: (call: Call, id: string) => Answer): Handler =>
  (call, id = "") =>
    handler(call, id)
const onTwo =
  (handler: (call: Call, one: string, other: string) => Answer): Handler =>
  (call, one = "", other = "") =>
    handler(call, one, other)

const routes: ReadonlyArray<Route> = [
  { path: "", methods: { GET: realms.showRealm, PUT: realms.changeRealm, DELETE: realms.deleteRealm } },
  { path: "users", methods: { GET: users.listUsers, POST: users.createUser } },
  { path: "users/count", methods: { GET: users.countUsers } },
  { path: "users/*", methods: { GET: on(users.showUser), PUT: on(users.changeUser), DELETE: on(users.deleteUser) } },
  { path: "users/*/reset-password", methods: { PUT: on(users.resetPassword) } },
  { path: "users/*/groups", methods: { GET: on(users.userGroups) } },
  { path: "users/*/groups/count", methods: { GET: on(users.countUserGroups) } },
  { path: "users/*/groups/*", methods: { PUT: onTwo(users.joinGroup), DELETE: onTwo(users.leaveGroup) } },
  { path: "users/*/role-mappings/clients/*", methods: { POST: onTwo(users.mapRoles), DELETE: onTwo(users.mapRoles) } },
  { path: "groups", methods: { GET: groups.listGroups, POST: groups.createGroup } },
  { path: "groups/count", methods: { GET: groups.countGroups } },
  {
    path: "groups/*",
    methods: { GET: on(groups.showGroup), PUT: on(groups.changeGroup), DELETE: on(groups.deleteGroup) }
  },
  { path: "groups/*/children", methods: { GET: on(groups.listChildren), POST: on(groups.createChild) } },
  { path: "groups/*/members", methods: { GET: on(groups.listMembers) } },
  { path: "group-by-path/**", methods: { GET: on(groups.groupByPath) } },
  { path: "clients", methods: { GET: realms.listClients, POST: realms.createClient } },
  { path: "clients/*", methods: { PUT: on(realms.changeClient) } },
  { path: "clients/*/service-account-user", methods: { GET: on(realms.serviceAccount) } },
  { path: "clients/*/roles", methods: { GET: on(realms.listRoles) } }
]

const patterns = routes.map(({ path, methods }) => ({
  pattern: new RegExp(`^${path.replaceAll("**", "(.+)").replaceAll("*", "([^/]+)")}$`),
  methods
}))

/** The answer to one request. Refusals are answers too; anything else that is thrown is a bug of the simulator. */
export const answer = (world: World, request: Request): Answer => {
  try {
    return dispatch(world, request)
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.answer
    throw thrown
  }
}

const dispatch = (world: World, request: Request): Answer => {
  const [, area, ...segments] = request.path.replace(/\/$/, "").split("/")
  if (area === "realms") return realmEndpoint(world, request, segments[0] ?? "", segments.slice(1).join("/"))
  if (area !== "admin" || segments[0] !== "realms") throw noSuchPath
  const token = authenticated(world, request)
  const [, name, ...rest] = segments
  if (name === undefined) {
    if (request.method !== "POST") throw wrongMethod
    return realms.createRealm(world, token, request)
  }
  const call = { world, token, request, realm: realms.realmOf(world, decodeURIComponent(name)) }
  for (const { pattern, methods } of patterns) {
    const found = pattern.exec(rest.join("/"))
    if (found === null) continue
    const handler = methods[request.method]
    if (handler === undefined) throw wrongMethod
    return handler(call, ...found.slice(1).map(decodeURIComponent))
  }
  throw noSuchPath
}

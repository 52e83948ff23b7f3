/** From a request to its answer: the path, who asks, the method, and then the route's rules. */
import { Either } from "effect"
import { type Answer, json, methodNotAllowed, noSuchPath, unauthorised } from "./answers.js"
import type { User } from "./model.js"
import { issueToken, isTokenEndpoint } from "./oidc.js"
import { isProvider } from "./permissions.js"
import type { ApiRequest } from "./request.js"
import { memberRoutes } from "./routes/members.js"
import { offeringRoutes } from "./routes/offerings.js"
import { orderRoutes } from "./routes/orders.js"
import { resourceRoutes } from "./routes/resources.js"
import { type Match, type Route, routeFinder } from "./routes/route.js"
import { siteAgentRoutes } from "./routes/site-agents/index.js"
import { slurmRoutes } from "./routes/slurm.js"
import { usageRoutes } from "./routes/usages.js"
import { userRoutes } from "./routes/users.js"
import { normaliseUuid, type World } from "./world.js"

const findRoute = routeFinder([
  ...orderRoutes,
  ...resourceRoutes,
  ...slurmRoutes,
  ...offeringRoutes,
  ...userRoutes,
  ...usageRoutes,
  ...memberRoutes,
  ...siteAgentRoutes
])

export interface Answered {
  readonly answer: Answer
  readonly user: User | null
}

export const dispatch = (world: World, request: ApiRequest): Answered => {
  if (isTokenEndpoint(request)) return { answer: issueToken(world, request), user: null }
  const match = findRoute(world.behaviour, request.path)
  if (match === null) return { answer: noSuchPath, user: null }
  if (!request.path.endsWith("/")) return { answer: toSlash(request), user: null }
  return Either.match(authenticate(world, request), {
    onLeft: (refusal) => ({ answer: withAllow(refusal, match.route), user: null }),
    onRight: (user) => {
      noteAgent(world, request, user)
      return { answer: withAllow(answer(world, request, user, match), match.route), user }
    }
  })
}

/** Any method is sent on, and most clients then repeat a POST as a GET (recording 049). */
const toSlash = ({ path, query }: ApiRequest): Answer => {
  const search = query.toString()
  return {
    status: 301,
    headers: { "Content-Type": "text/html; charset=utf-8", Location: `${path}/${search === "" ? "" : `?${search}`}` }
  }
}

/** Django's own pages (a crash) carry no `Allow`. */
const withAllow = (reply: Answer, route: Route): Answer =>
  reply.body !== undefined && "html" in reply.body
    ? reply
    : { ...reply, headers: { Allow: route.allow, ...reply.headers } }

const answer = (world: World, request: ApiRequest, user: User, { route, params }: Match): Answer => {
  if (request.method === "OPTIONS") return options(route)
  const handler = route.methods[request.method === "HEAD" ? "GET" : request.method]
  if (handler === undefined) return methodNotAllowed(request.method)
  const reply = Either.merge(handler({ world, user, request, params }))
  return request.method === "HEAD" ? { status: reply.status, headers: reply.headers } : reply
}

const options = (route: Route): Answer =>
  json(200, {
    name: route.name ?? "",
    description: "",
    renders: ["application/json"],
    parses: ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
  })

/**
 * `Token` with an API token, or `Bearer` with an access token from the token endpoint (recordings 001 to 003), or with a personal access token
 * (source: waldur-mastermind, core/tests/test_personal_access_tokens.py).
 */
const authenticate = (world: World, { headers }: ApiRequest): Either.Either<User, Answer> => {
  const header = headers.authorization?.trim() ?? ""
  const [scheme = "", ...rest] = header.split(/\s+/)
  const credentials = rest.join(" ")
  if (header === "" || !["token", "bearer"].includes(scheme.toLowerCase()))
    return Either.left(unauthorised("Authentication credentials were not provided."))
  if (credentials === "") return Either.left(unauthorised("Invalid token. No credentials provided."))
  const user = scheme.toLowerCase() === "token" ? byToken(world, credentials) : byAccessToken(world, credentials)
  return user === undefined ? Either.left(unauthorised("Invalid token.")) : Either.right(user)
}

const byToken = (world: World, token: string): User | undefined => {
  if (isPersonal(token)) return undefined
  for (const user of world.users.values()) if (user.token === token) return user
  return undefined
}

/** `w_<when it expires, in seconds>_<secret>` */
const isPersonal = (token: string): boolean => /^w_\d+_/.test(token)

const byAccessToken = (world: World, token: string): User | undefined => {
  if (isPersonal(token)) {
    const expires = Number(token.split("_")[1]) * 1000
    return expires > world.now() ? [...world.users.values()].find((user) => user.token === token) : undefined
  }
  const grant = world.accessTokens.get(token)
  return grant !== undefined && grant.expiresAt > world.now() ? grant.user : undefined
}

/** A site agent is known by its User-Agent, and shows in the status of the offering that it asks about (recording 209). */
const noteAgent = (world: World, { headers, query }: ApiRequest, user: User): void => {
  if (!/site-(agent|actors)/.test(headers["user-agent"] ?? "")) return
  const offering = world.offerings.get(normaliseUuid(query.get("offering_uuid") ?? "") ?? "")
  if (offering !== undefined && isProvider(user, offering)) offering.agentSeenAt = world.now()
}

/** What is asked of Keycloak. Every method may be called again; what is as asked already is success. */
import KeycloakAdminClient from "@keycloak/keycloak-admin-client"
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import { throughGate } from "../core/calls/gate.js"
import { observed, underWay } from "../core/calls/observed.js"
import { spanned } from "../core/lean/spans.js"
import {
  type KeycloakConflict,
  type KeycloakError,
  KeycloakForbidden,
  KeycloakMalformedAnswer,
  KeycloakNotFound
} from "./errors.js"
import { attempt, type Line } from "./requests.js"
import type { KeycloakSettings } from "./settings.js"
import type { Tokens } from "./tokens.js"

export const KeycloakUser = Schema.Struct({ id: Schema.String, username: Schema.String, enabled: Schema.Boolean })
export type KeycloakUser = typeof KeycloakUser.Type

export const KeycloakGroup = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** None at the top. */
  parentId: Schema.optional(Schema.String),
  attributes: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) }), {
    default: () => ({})
  })
})
export type KeycloakGroup = typeof KeycloakGroup.Type

export type Attributes = Readonly<Record<string, ReadonlyArray<string>>>

export interface KeycloakService {
  /** The server and the realm, for people. */
  readonly endpoint: string
  /** Whether the agent can do its work: it has a token, and sees groups and users. */
  readonly ping: Effect.Effect<void, KeycloakError>
  /** By id or by name. Names are compared whole, and without regard to case, as Keycloak does (recordings 060 to 062). */
  readonly user: (idOrName: string) => Effect.Effect<Option.Option<KeycloakUser>, KeycloakError>
  /** A group at the top, by its exact name. */
  readonly group: (name: string) => Effect.Effect<Option.Option<KeycloakGroup>, KeycloakError>
  /** All groups right below another. KeycloakNotFound if that is gone. */
  readonly children: (parent: string) => Effect.Effect<ReadonlyArray<KeycloakGroup>, KeycloakError>
  /** Its id. KeycloakConflict: the name is taken, by whomever. */
  readonly createGroup: (
    name: string,
    attributes: Attributes,
    parent?: string
  ) => Effect.Effect<string, KeycloakError | KeycloakConflict>
  /** Replaces all attributes. */
  readonly setAttributes: (group: KeycloakGroup, attributes: Attributes) => Effect.Effect<void, KeycloakError>
  /** With its children and memberships (recordings 215 to 217). */
  readonly deleteGroup: (group: string) => Effect.Effect<void, KeycloakError>
  /** All of them. KeycloakNotFound if the group is gone: that is not the same as nobody. */
  readonly members: (group: string) => Effect.Effect<ReadonlyArray<KeycloakUser>, KeycloakError>
  readonly join: (user: string, group: string) => Effect.Effect<void, KeycloakError>
  readonly leave: (user: string, group: string) => Effect.Effect<void, KeycloakError>
}

/** Some 25 kB: small enough never to make a connection pause, in which undici 7 does not survive the server's closing it. */
const pageSize = 100
/** More than any group has: a server that ignores `first` would be read for ever. */
const mostPages = 1_000

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const makeCalls = (settings: KeycloakSettings, tokens: Tokens, line: Line): KeycloakService => {
  const { realm, url, timeout } = settings

  /** With a token; renewed once, if it was refused: whoever it belongs to may have been logged out. */
  const request = <A>(
    call: string,
    ask: (client: KeycloakAdminClient) => Promise<A>
  ): Effect.Effect<A, KeycloakError> => {
    const once = Effect.flatMap(tokens.current, (token) => {
      const client = new KeycloakAdminClient({
        baseUrl: url,
        realmName: realm,
        requestOptions: line.requestOptions,
        timeout
      })
      client.registerTokenProvider({ getAccessToken: () => Promise.resolve(Redacted.value(token)) })
      return attempt(line, call, "admin", () => ask(client)).pipe(
        Effect.tapErrorTag("KeycloakUnauthorized", () => tokens.refused(token))
      )
    })
    return Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const tell = (outcome: string) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          observed({ system: "keycloak", call, about: "", milliseconds: now - before, outcome })
        )
      return yield* throughGate(/^(create|change|delete|add|remove) /.test(call))(
        underWay({ system: "keycloak", call, about: "" })(Effect.catchTag(once, "KeycloakUnauthorized", () => once))
      ).pipe(Effect.tapBoth({ onFailure: (error) => tell(error._tag), onSuccess: () => tell("ok") }))
    }).pipe(spanned(`keycloak ${call}`, { kind: "client" }))
  }

  const decoded = <A, I>(call: string, schema: Schema.Schema<A, I>) => {
    const decode = Schema.decodeUnknown(schema)
    return (answer: unknown): Effect.Effect<A, KeycloakError> =>
      // The admin client turns a 404 of these into null: no such group, and not an empty one.
      answer === null
        ? Effect.fail(new KeycloakNotFound({ call }))
        : Effect.mapError(
            decode(answer),
            () => new KeycloakMalformedAnswer({ call, reason: "it is not what was asked for" })
          )
  }

  const all = <A, I>(
    call: string,
    item: Schema.Schema<A, I>,
    page: (client: KeycloakAdminClient, at: { readonly first: number; readonly max: number }) => Promise<unknown>
  ): Effect.Effect<ReadonlyArray<A>, KeycloakError> => {
    const read = decoded(call, Schema.Array(item))
    const from = (first: number, before: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<A>, KeycloakError> =>
      first >= mostPages * pageSize
        ? Effect.fail(new KeycloakMalformedAnswer({ call, reason: `more than ${mostPages} pages` }))
        : request(call, (client) => page(client, { first, max: pageSize })).pipe(
            Effect.flatMap(read),
            Effect.flatMap((items) => {
              const found = [...before, ...items]
              return items.length < pageSize ? Effect.succeed(found) : from(first + pageSize, found)
            })
          )
    return from(0, [])
  }

  /** An empty list may mean: no right to see any (recordings 241, 244). A realm has users, so an empty list of them tells. */
  const seesUsers = request("users", (client) => client.users.find({ max: 1 })).pipe(
    Effect.flatMap(decoded("users", Schema.Array(KeycloakUser))),
    Effect.filterOrFail(
      (users) => users.length > 0,
      () => new KeycloakForbidden({ call: "users", detail: `it shows no user of realm ${realm}` })
    ),
    Effect.asVoid
  )

  const groupsNamed = (name: string) =>
    all("groups by name", KeycloakGroup, (client, at) =>
      client.groups.find({ search: name, exact: true, populateHierarchy: false, briefRepresentation: false, ...at })
    )

  const gone = (removal: Effect.Effect<unknown, KeycloakError>): Effect.Effect<void, KeycloakError> =>
    Effect.catchTag(Effect.asVoid(removal), "KeycloakNotFound", () => Effect.void)

  return {
    endpoint: `${url} realm ${realm}`,
    ping: Effect.zipRight(
      request("groups", (client) => client.groups.find({ max: 1 })),
      seesUsers
    ),
    user: (idOrName) =>
      Effect.gen(function* () {
        if (uuid.test(idOrName)) {
          const byId = yield* request("a user by id", (client) => client.users.findOne({ id: idOrName }))
          // Unknown ids come as null or undefined from the admin client.
          if (byId !== null && byId !== undefined)
            return Option.some(yield* decoded("a user by id", KeycloakUser)(byId))
        }
        const named = yield* all("users by name", KeycloakUser, (client, at) =>
          client.users.find({ username: idOrName, exact: true, ...at })
        )
        const found = named.find(({ username }) => username === idOrName.toLowerCase())
        if (found === undefined) yield* seesUsers
        return Option.fromNullable(found)
      }),
    group: (name) =>
      Effect.gen(function* () {
        // Children of that name are among the hits; `exact` is not, on every database.
        const found = (yield* groupsNamed(name)).find((group) => group.name === name && group.parentId === undefined)
        if (found === undefined) yield* seesUsers
        return Option.fromNullable(found)
      }),
    children: (parentId) =>
      all("children of a group", KeycloakGroup, (client, at) =>
        client.groups.listSubGroups({ parentId, briefRepresentation: false, ...at })
      ),
    createGroup: (name, attributes, parent) => {
      const given = { name, attributes: { ...attributes } }
      return request("create a group", (client) =>
        parent === undefined ? client.groups.create(given) : client.groups.createChildGroup({ id: parent }, given)
      ).pipe(Effect.map(({ id }) => id))
    },
    setAttributes: (group, attributes) =>
      request("change a group", (client) =>
        client.groups.update({ id: group.id }, { name: group.name, attributes: { ...attributes } })
      ),
    deleteGroup: (id) => gone(request("delete a group", (client) => client.groups.del({ id }))),
    members: (id) => all("members of a group", KeycloakUser, (client, at) => client.groups.listMembers({ id, ...at })),
    join: (id, groupId) =>
      request("add a member", (client) => client.users.addToGroup({ id, groupId })).pipe(
        Effect.asVoid,
        // Somebody did the same at the same moment (recording 255).
        Effect.catchTag("KeycloakConflict", () => Effect.void)
      ),
    leave: (id, groupId) => gone(request("remove a member", (client) => client.users.delFromGroup({ id, groupId })))
  }
}

/**
 * Databases on a PostgreSQL server: a role that may hold so many connections, and a database of its own with so much room.
 *
 * The role carries the owner tag, the uuid of its Waldur resource, in its comment. PostgreSQL has no quota of its own: the ordered size stands
 * in that comment too, and a database that has outgrown it is made read-only by `enforce`, and closed at twice its size.
 */
import { randomBytes } from "node:crypto"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import {
  type Amounts,
  decide,
  defineBackend,
  ensureDone,
  foreign,
  make,
  missing,
  OrderRefused,
  present,
  type Resource
} from "site-actors/plugin"
import { connect, type Limits, Settings, Tenant } from "./server.js"

const limitsOf = ({ connections = 10, storage = 0 }: Amounts): Limits => ({ connections, storage })
const nameOf = ({ id, slug }: Resource): string => `${slug || "db"}-${id.slice(0, 4)}`.slice(0, 63)
const megabytes = ({ bytes }: Tenant): number => (bytes ?? 0) / 1024 ** 2
const accessFor = (tenant: Tenant): Tenant["access"] => {
  const part = tenant.storage === 0 ? 0 : megabytes(tenant) / tenant.storage
  return part <= 1 ? "open" : part <= 2 ? "read-only" : "closed"
}
const tooLarge = (tenant: Tenant) => ({
  kind: "sizes" as const,
  subject: `database ${tenant.database}`,
  expected: `at most ${tenant.storage} MB`,
  found: `${Math.ceil(megabytes(tenant))} MB`,
  mendable: false,
  advice: "It is not open for writing until the customer has deleted something or ordered more."
})
const gone = new OrderRefused({ customerMessage: "The database does not exist any more: ask the provider." })

export default defineBackend({
  contract: 1,
  type: "postgres-database",
  settings: Settings,
  attributes: Schema.Struct({ name: Schema.optional(Schema.String) }),
  quantities: [
    { name: "storage", unit: "MB", ordered: true, measured: "now" },
    { name: "connections", unit: "connections", ordered: true, measured: "now" }
  ],
  shared: Layer.empty,
  open: ({ settings }) =>
    Effect.gen(function* () {
      const server = yield* connect(settings)
      const address = new URL(Redacted.value(settings.url)).host
      const tenantOf = (resource: string) =>
        Effect.flatMap(server.ofResource(resource), (found) => (found === null ? gone : Effect.succeed(found)))
      const renewed = (role: string) =>
        Effect.tap(
          Effect.sync(() => Redacted.make(randomBytes(24).toString("base64url"))),
          (password) => server.setPassword(role, password)
        )
      return {
        create: ({ amounts, resource }) =>
          Effect.gen(function* () {
            const name = nameOf(resource)
            const found = <A>(look: (tenant: Tenant) => A | null) =>
              Effect.map(server.ofResource(resource.id), (tenant) => Option.fromNullable(tenant && look(tenant)))
            const role = yield* make("role", {
              result: Schema.String,
              find: found((tenant) => tenant.oid),
              create: Effect.zipRight(
                server.createRole(name, resource.id, limitsOf(amounts)),
                Effect.map(tenantOf(resource.id), (tenant) => tenant.oid)
              ),
              undo: () => server.dropRole(name)
            })
            const database = yield* make("database", {
              result: Schema.String,
              find: found((tenant) => tenant.database),
              create: Effect.as(server.createDatabase(name), name),
              undo: server.dropDatabase
            })
            yield* ensureDone("closed to others", server.closeToOthers(database))
            return {
              backendId: role,
              metadata: { database, role: name, address, url: `postgres://${name}@${address}/${database}` },
              issueSecrets: Effect.map(renewed(name), (password) => ({ password }))
            }
          }),
        update: ({ amounts, resource }) =>
          Effect.gen(function* () {
            const before = yield* decide("before", Tenant, tenantOf(resource.id))
            const wanted = limitsOf(amounts)
            const used = Math.ceil(megabytes(before))
            if (wanted.storage < used)
              return yield* new OrderRefused({
                customerMessage: `The database holds ${used} MB: delete some of it before you order less than that.`
              })
            const set = (limits: Limits) => server.setLimits(before.role, resource.id, limits)
            yield* ensureDone("limits", set(wanted), set(before))
            return {}
          }),
        terminate: ({ resource }) =>
          Effect.gen(function* () {
            const left = yield* decide("what there is", Schema.NullOr(Tenant), server.ofResource(resource.id))
            if (left) yield* ensureDone("drop role and database", server.dropRole(left.role))
            return {}
          }),
        usage: (resources) =>
          Effect.map(server.all, (all) =>
            resources.map(({ id }) => {
              const tenant = all.find(({ resource }) => resource === id)
              return tenant === undefined
                ? { resource: id, amounts: {}, problem: "There is no role with this resource's tag." }
                : { resource: id, amounts: { storage: megabytes(tenant), connections: tenant.connections } }
            })
          ),
        observe: (resources) =>
          Effect.map(server.all, (all) =>
            resources.map(({ backendId, id }) => {
              const tenant = all.find(({ oid }) => oid === backendId)
              if (tenant === undefined) return missing(id)
              if (tenant.resource !== id) return foreign(id, `role ${tenant.role}`, tenant.resource)
              return present(id, {
                state: tenant.database === null ? "without a database" : "there",
                healthy: tenant.database !== null,
                amounts: { storage: tenant.storage, connections: tenant.connections },
                findings: accessFor(tenant) === "open" ? [] : [tooLarge(tenant)],
                toEnforce:
                  accessFor(tenant) === tenant.access ? undefined : `Its database is to be ${accessFor(tenant)}.`
              })
            })
          ),
        enforce: ({ id }) => Effect.flatMap(tenantOf(id), (tenant) => server.setAccess(tenant, accessFor(tenant))),
        accounts: {
          resetPassword: ({ id }) =>
            Effect.flatMap(tenantOf(id), ({ role }) =>
              Effect.map(renewed(role), (password) => ({ account: role, password }))
            ),
          storedPasswords: () => Effect.succeed([])
        },
        ping: Effect.asVoid(server.version),
        check: Effect.match(server.version, {
          onFailure: (error) => [{ subject: "PostgreSQL", status: "failed" as const, detail: error.message }],
          onSuccess: (version) => [{ subject: "PostgreSQL", status: "ok" as const, detail: version }]
        })
      }
    })
})

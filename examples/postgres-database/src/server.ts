/** A PostgreSQL server as the plugin speaks to it: statements, and what follows from their failures. */
import { Effect, Redacted, Schema } from "effect"
import pg from "pg"
import { codeOf, NotYet, OfferingFault, OrderRefused, type SiteError } from "site-actors/plugin"

/** The administrator's connection: `postgres://admin:password@db.example.com:5432/postgres`. */
export const Settings = Schema.Struct({ url: Schema.Redacted(Schema.String.pipe(Schema.startsWith("postgres://"))) })

const pool = { max: 8, connectionTimeoutMillis: 5_000, query_timeout: 30_000 }
const name = pg.escapeIdentifier
const text = pg.escapeLiteral

/** Error codes of PostgreSQL 18, appendix A. */
export const errorOf = (error: unknown): SiteError => {
  const code = codeOf(error)
  if (code === "42710" || code === "42P04")
    return new OrderRefused({
      customerMessage: "A database of this name is there already: choose another name and order again."
    })
  if (/^(28|42501)/.test(code))
    return new OfferingFault({
      reason: `PostgreSQL lets the plugin do nothing (${code}).`,
      hint: "Check the user and password in backend_settings.url; it needs CREATEDB and CREATEROLE."
    })
  // Connections, shutdowns, too many connections, locks; and what is no error of PostgreSQL's. Node's own EPIPE and EPERM are as long as a code of
  // PostgreSQL's, none of which begins with E.
  if (/^(08|53|55|57|58|XX|40|E)/.test(code) || !/^[0-9A-Z]{5}$/.test(code))
    return new NotYet({ reason: `PostgreSQL cannot be asked now (${code}).` })
  return new OrderRefused({ customerMessage: "The database server refused the order.", detail: `SQLSTATE ${code}` })
}

/** "database with OID 16404 does not exist" (42704), of PostgreSQL 18: somebody else's has gone while it was measured. */
export const errorOfMeasuring = (error: unknown): SiteError =>
  codeOf(error) === "42704" ? new NotYet({ reason: "A database has gone while it was measured." }) : errorOf(error)

/** A tenant: a role that can log in, with what belongs to it. */
export const Tenant = Schema.Struct({
  oid: Schema.String,
  role: Schema.String,
  /** Of the role's comment: the resource that it belongs to, and the ordered size. */
  resource: Schema.String,
  storage: Schema.Number,
  connections: Schema.Number,
  database: Schema.NullOr(Schema.String),
  bytes: Schema.NullOr(Schema.NumberFromString),
  /** Less than `open` where it holds more than was ordered. */
  access: Schema.Literal("open", "read-only", "closed")
})
export type Tenant = typeof Tenant.Type

/** Statements sent together are one transaction: no role is ever without its tag. A database is found by its owner. */
const tenants = `
  SELECT role.oid::text AS oid, role.rolname AS role, role.rolconnlimit AS connections,
    tag.value->>'waldur_resource' AS resource, (tag.value->>'storage')::float8 AS storage,
    db.datname AS database, pg_database_size(db.oid)::text AS bytes,
    CASE WHEN NOT role.rolcanlogin THEN 'closed'
      WHEN role.rolconfig @> '{default_transaction_read_only=on}' THEN 'read-only' ELSE 'open' END AS access
  FROM pg_roles AS role
  CROSS JOIN LATERAL (SELECT shobj_description(role.oid, 'pg_authid') AS value) AS comment
  CROSS JOIN LATERAL (SELECT CASE WHEN comment.value LIKE '{"waldur_resource":%' THEN comment.value::jsonb END AS value) AS tag
  LEFT JOIN pg_database AS db ON db.datdba = role.oid
  WHERE tag.value IS NOT NULL`

export type Limits = Pick<Tenant, "storage" | "connections">

export const connect = ({ url }: typeof Settings.Type) =>
  Effect.gen(function* () {
    const connections = yield* Effect.acquireRelease(
      // A connection that dies while nobody uses it: the next call finds out.
      Effect.sync(() => new pg.Pool({ connectionString: Redacted.value(url), ...pool }).on("error", () => undefined)),
      (open) => Effect.promise(() => open.end())
    )
    const query = (sql: string, failed = errorOf) =>
      Effect.tryPromise({ try: () => connections.query(sql), catch: failed })
    const dropDatabase = (database: string) => query(`DROP DATABASE IF EXISTS ${name(database)} WITH (FORCE)`)
    const all = Effect.flatMap(query(tenants, errorOfMeasuring), ({ rows }) =>
      Effect.orDie(Schema.decodeUnknown(Schema.Array(Tenant))(rows))
    )
    const limited = (role: string, { connections }: Limits) =>
      `ROLE ${name(role)} LOGIN CONNECTION LIMIT ${Math.trunc(connections)}`
    const tagged = (role: string, resource: string, { storage }: Limits) =>
      `COMMENT ON ROLE ${name(role)} IS ${text(JSON.stringify({ waldur_resource: resource, storage }))}`
    return {
      all,
      ofResource: (resource: string) =>
        Effect.map(all, (found) => found.find((one) => one.resource === resource) ?? null),
      createRole: (role: string, resource: string, limits: Limits) =>
        query(`CREATE ${limited(role, limits)}; ${tagged(role, resource, limits)}`),
      setLimits: (role: string, resource: string, limits: Limits) =>
        // Open, too: what is in use fits. Where that is not so, the next look finds it.
        query(`ALTER ${limited(role, limits)}; ${tagged(role, resource, limits)};
          ALTER ROLE ${name(role)} RESET default_transaction_read_only`),
      /** For who connects from now on, so whoever is connected has to come anew. */
      setAccess: ({ role }: Tenant, access: Tenant["access"]) =>
        query(`ALTER ROLE ${name(role)} ${access === "closed" ? "NOLOGIN" : "LOGIN"};
          ALTER ROLE ${name(role)} SET default_transaction_read_only = ${access === "open" ? "off" : "on"};
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${text(role)}`),
      /**
       * With what it owns: a `CREATE DATABASE` of an agent that died may have come after the look for it. PostgreSQL locks the owner until the database
       * is made, so a `DROP ROLE` in the meantime waits, and is refused then: the next look finds it.
       */
      dropRole: (role: string) =>
        query(
          `SELECT datname FROM pg_database JOIN pg_roles AS role ON role.oid = datdba WHERE rolname = ${text(role)}`
        ).pipe(
          Effect.flatMap(({ rows }) => Effect.forEach(rows, ({ datname }) => dropDatabase(String(datname)))),
          Effect.zipRight(query(`DROP ROLE IF EXISTS ${name(role)}`)),
          Effect.retry({ times: 1, while: (error) => error._tag === "OrderRefused" }),
          Effect.asVoid
        ),
      createDatabase: (role: string) => query(`CREATE DATABASE ${name(role)} OWNER ${name(role)} TEMPLATE template0`),
      closeToOthers: (database: string) => query(`REVOKE ALL ON DATABASE ${name(database)} FROM PUBLIC`),
      dropDatabase,
      setPassword: (role: string, password: Redacted.Redacted) =>
        query(`ALTER ROLE ${name(role)} PASSWORD ${text(Redacted.value(password))}`),
      version: Effect.map(query("SHOW server_version"), ({ rows }) => String(rows[0]?.server_version))
    }
  })

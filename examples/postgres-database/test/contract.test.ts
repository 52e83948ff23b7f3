/** The example keeps the contract, on a real PostgreSQL. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import pg from "pg"
import { type Backend, OfferingId, ResourceId } from "site-actors/plugin"
import { renderReport, testBackend } from "site-actors/plugin/testing"
import { postgres } from "../../../test/support/postgres.js"
import plugin from "../src/index.js"
import { connect, errorOf, errorOfMeasuring } from "../src/server.js"

/** What a tenant does with its own database, in one session. */
const as = (url: string, name: string, statements: ReadonlyArray<string>) =>
  Effect.tryPromise(async () => {
    const own = new URL(url)
    own.username = name
    own.pathname = `/${name}`
    const client = new pg.Client({ connectionString: own.href })
    client.on("error", () => undefined)
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  })

const makeBackend = Effect.gen(function* () {
  const { password, query, url } = yield* postgres
  const text = (value: unknown) => (typeof value === "string" ? value : "")
  const tagOf = (comment: unknown): { readonly waldur_resource?: string; readonly storage?: number } =>
    text(comment).startsWith("{") ? JSON.parse(text(comment)) : {}
  const roles = query(
    "SELECT oid::text AS oid, rolname, rolconnlimit, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE oid >= 16384"
  )
  const databases = query(
    "SELECT oid::text AS oid, datdba::text AS owner, datacl::text AS acl FROM pg_database WHERE oid >= 16384"
  )
  return {
    settings: { url: Redacted.value(url) },
    secrets: [password],
    objects: Effect.map(Effect.all([roles, databases]), ([some, others]) => [
      ...some.map(({ comment, oid, rolconnlimit }) => ({
        kind: "role",
        id: text(oid),
        owner: tagOf(comment).waldur_resource,
        detail: `${String(rolconnlimit)} connections, ${tagOf(comment).storage ?? 0} MB`
      })),
      ...others.map(({ acl, oid, owner }) => ({
        kind: "database",
        id: text(oid),
        owner: tagOf(some.find((role) => role.oid === owner)?.comment).waldur_resource,
        detail: text(acl).includes("{=") ? "open to all" : "closed"
      }))
    ]),
    foreign: ({ id, slug }: { readonly id: string; readonly slug: string }) =>
      query(`CREATE ROLE "${slug}-${id.slice(0, 4)}"`),
    disturb: (oid: string) =>
      Effect.flatMap(query(`SELECT rolname FROM pg_roles WHERE oid = ${oid}`), ([role]) =>
        query(`ALTER ROLE "${text(role?.rolname)}" CONNECTION LIMIT 3`)
      ),
    /** Some MB more than the test orders, written as the tenant. */
    outgrow: (oid: string) =>
      Effect.gen(function* () {
        const name = text((yield* query(`SELECT rolname FROM pg_roles WHERE oid = ${oid}`))[0]?.rolname)
        yield* as(Redacted.value(url), name, [
          "CREATE TABLE filled AS SELECT repeat('x', 1000) FROM generate_series(1, 16000)"
        ])
      })
  }
})

it.live("databases of a real PostgreSQL keep the plugin contract", () =>
  Effect.gen(function* () {
    const report = yield* testBackend(plugin, {
      makeBackend,
      orders: {
        components: [
          { type: "storage", measuredUnit: "MB" },
          { type: "connections", measuredUnit: "connections" }
        ],
        create: { amounts: { storage: 12, connections: 10 } },
        update: { amounts: { storage: 16, connections: 20 } }
      }
    })
    console.log(renderReport(report))
    expect(report.problems).toEqual([])
  })
)

it("a connection that breaks is no refusal of the server's", () => {
  const disposition = (code: string) => errorOf(Object.assign(new Error(code), { code })).disposition
  expect(["EPIPE", "EPERM", "ECONNRESET", "57P01", "40001"].map(disposition)).toEqual(Array(5).fill("retry"))
  expect(disposition("22023")).toBe("fail-order")
})

it("a database that goes while it is measured is no refusal of the server's", () => {
  // As PostgreSQL 18.4 said 47 times of 5,300 looks, beside 15 connections that made and dropped some.
  const gone = Object.assign(new Error("database with OID 16404 does not exist"), { code: "42704" })
  expect(errorOfMeasuring(gone).disposition).toBe("retry")
  expect(errorOf(gone).disposition).toBe("fail-order")
})

it.scopedLive("a role that is dropped while its database is still being made leaves nothing", () =>
  Effect.gen(function* () {
    const { query, url } = yield* postgres
    const server = yield* connect({ url })
    for (const name of ["early", "late"]) {
      yield* server.createRole(name, ResourceId.make("b".repeat(32)), { storage: 14, connections: 5 })
      const making = yield* Effect.fork(Effect.either(server.createDatabase(name)))
      if (name === "late")
        // On its way once it has locked the role; or over.
        yield* query(
          `SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_authid'::regclass
            UNION ALL SELECT FROM pg_database WHERE datname = 'late'`
        ).pipe(Effect.repeat({ until: (locks) => locks.length > 0 }))
      yield* server.dropRole(name)
      yield* making
    }
    expect(yield* query("SELECT datname FROM pg_database WHERE oid >= 16384")).toEqual([])
    expect(yield* query("SELECT rolname FROM pg_roles WHERE oid >= 16384")).toEqual([])
  })
)

const filled = (rows: number) => `INSERT INTO filled SELECT repeat('x', 1000) FROM generate_series(1, ${rows})`

it.scopedLive(
  "a database that has outgrown its size is read-only, closed at twice its size, and open again when there is room",
  () =>
    Effect.gen(function* () {
      const { url } = yield* postgres
      const settings = { url: Redacted.value(url) }
      const context = { offering: OfferingId.make("a".repeat(32)), name: "Databases", settings, components: [] }
      const opened: Backend<unknown> = yield* plugin.open(context, yield* Layer.makeMemoMap)
      const server = yield* connect({ url })
      const id = ResourceId.make("b".repeat(32))
      const limits = { storage: 14, connections: 5 }
      yield* server.createRole("acme", id, limits)
      yield* server.createDatabase("acme")
      const tenant = (...statements: ReadonlyArray<string>) => Effect.either(as(settings.url, "acme", statements))
      const works = (...statements: ReadonlyArray<string>) =>
        Effect.map(tenant(...statements), ({ _tag }) => _tag === "Right")

      /** As the agent does it: what a look finds is enforced, and found no more. */
      const kept = Effect.gen(function* () {
        const here = { id, backendId: (yield* server.ofResource(id))?.oid ?? "" }
        const look = Effect.map(opened.observe([here]), ([found]) => (found?._tag === "Present" ? found : undefined))
        const before = yield* look
        if (before?.toEnforce !== undefined) yield* opened.enforce?.(here) ?? Effect.void
        expect((yield* look)?.toEnforce).toBe(undefined)
        return [before?.toEnforce, before?.findings.length]
      })

      expect(yield* works("CREATE TABLE filled (text text)", filled(1_000))).toBe(true)
      expect(yield* kept).toEqual([undefined, 0])
      expect(yield* works(filled(10_000))).toBe(true)
      expect(yield* kept).toEqual(["Its database is to be read-only.", 1])
      expect(yield* works("SELECT count(*) FROM filled")).toBe(true)
      expect(yield* works(filled(1))).toBe(false)
      // It is told so, and goes on all the same.
      const own = "SET default_transaction_read_only = off"
      expect(yield* works(own, filled(20_000))).toBe(true)
      expect(yield* kept).toEqual(["Its database is to be closed.", 1])
      expect(yield* works("SELECT 1")).toBe(false)

      // The customer orders more: at once it is open.
      yield* server.setLimits("acme", id, { ...limits, storage: 60 })
      expect(yield* works(filled(1))).toBe(true)
      expect(yield* kept).toEqual([undefined, 0])
      // Or makes room: with the next look.
      yield* server.setLimits("acme", id, { ...limits, storage: 40 })
      expect(yield* kept).toEqual(["Its database is to be read-only.", 1])
      expect(yield* works(own, "TRUNCATE filled")).toBe(true)
      expect(yield* kept).toEqual(["Its database is to be open.", 0])
      expect(yield* works(filled(1))).toBe(true)
    })
)

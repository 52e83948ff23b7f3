/** The example keeps the contract, on a real PostgreSQL. */
import { expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { renderReport, testBackend } from "site-actors/plugin/testing"
import { postgres } from "../../../test/support/postgres.js"
import plugin from "../src/index.js"

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
      )
  }
})

it.live("databases of a real PostgreSQL keep the plugin contract", () =>
  Effect.gen(function* () {
    const report = yield* testBackend(plugin, {
      makeBackend,
      orders: {
        components: [
          { type: "storage", measuredUnit: "GB", unitFactor: 1024 },
          { type: "connections", measuredUnit: "connections" }
        ],
        create: { amounts: { storage: 1, connections: 10 } },
        update: { amounts: { storage: 2, connections: 20 } }
      }
    })
    console.log(renderReport(report))
    expect(report.problems).toEqual([])
  })
)

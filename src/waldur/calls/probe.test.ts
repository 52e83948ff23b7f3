import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect, id, offering } from "../testing/connected.js"
import type { Reply, Request } from "../testing/scripted-server.js"

describe("the probe", () => {
  const permission = (role: string) => ({ role_name: role, scope_type: "offering", scope_uuid: offering })
  const world =
    (roles: ReadonlyArray<string>, type = "Marketplace.Slurm") =>
    ({ path }: Request): Reply => {
      if (path === "users/me/") return { json: { uuid: id(1), username: "agent", permissions: roles.map(permission) } }
      if (path === "version/") return { status: 403, json: { detail: "No." } }
      if (path.startsWith("marketplace-provider-offerings/")) {
        const components = [{ type: "cpu", name: "CPU" }]
        return { json: { uuid: offering, name: "VDC", state: "Active", type, components } }
      }
      return { json: [] }
    }

  it.scopedLive("is content with a user that has what it takes", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(world(["CUSTOMER.OWNER", "OFFERING.MANAGER"]))
      const results = yield* waldur.probe(offering)
      expect(results.filter(({ ok }) => !ok)).toEqual([])
      expect(results.map(({ detail }) => detail)).toContain('"VDC" is Active, with cpu')
      expect(server.seen.every(({ method }) => method === "GET")).toBe(true)
    })
  )

  it.scopedLive("says that an offering manager alone can finish nothing", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(world(["OFFERING.MANAGER"]))
      expect((yield* waldur.probe(offering)).filter(({ ok }) => !ok)).toMatchObject([
        { what: "the user's role with the provider" }
      ])
    })
  )

  it.scopedLive("says that orders of an offering of another type cannot be ended", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(world(["CUSTOMER.OWNER"], "Marketplace.Basic"))
      expect((yield* waldur.probe(offering)).filter(({ ok }) => !ok)).toMatchObject([{ what: "the offering's type" }])
    })
  )

  it.scopedLive("says one thing if the token is wrong", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 401, json: { detail: "Invalid token." } }))
      const results = yield* waldur.probe(offering)
      expect(results).toMatchObject([{ ok: false }])
      expect(results[0]?.detail).not.toContain("waldur_api_url")
    })
  )

  it.scopedLive(
    "says where it asked, and in which key that stands, if what answers there is no Waldur, or nobody",
    () =>
      Effect.gen(function* () {
        const page = yield* connect(() => ({ status: 404, text: "<html><h1>Not Found</h1></html>" }))
        const results = yield* page.waldur.probe(offering)
        expect(results).toMatchObject([{ ok: false, what: "Waldur accepts the credentials" }])
        expect(results[0]?.detail).toContain("there is no such address")
        expect(results[0]?.detail).toContain(
          `Asked at ${page.waldur.apiUrl}: correct waldur_api_url if that is not Waldur.`
        )

        const nobody = yield* connect(() => (response) => response.destroy())
        const [found] = yield* nobody.waldur.probe(offering)
        expect(found?.detail).toContain(`Asked at ${nobody.waldur.apiUrl}`)
      })
  )

  it.scopedLive("says one thing of an offering that is not there, and which key to correct", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect((request) =>
        request.path.startsWith("marketplace-provider-offerings/")
          ? { status: 404, json: { detail: "No Offering matches the given query." } }
          : world(["CUSTOMER.OWNER"])(request)
      )
      const bad = (yield* waldur.probe(offering)).filter(({ ok }) => !ok)
      expect(bad).toMatchObject([{ what: "the offering can be read" }])
      expect(bad[0]?.detail).toContain(
        "Correct waldur_offering_uuid, or give the agent's user a role with the provider."
      )
    })
  )
})

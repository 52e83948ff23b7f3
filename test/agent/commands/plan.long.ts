/** `site-actors plan`: what it says is what is done afterwards, and until then nothing is. */
import { SqlClient } from "@effect/sql"
import { describe, expect } from "@effect/vitest"
import { Array, Effect, Option } from "effect"
import { journalPlace } from "../../../src/runtime/cli/open-journal.js"
import * as Database from "../../../src/runtime/journal/database.js"
import { onCopy, planOffering } from "../../../src/runtime/plan/plan.js"
import { doubled, makeSite, type Site, scenario, vdcLimits } from "../../support/agent.js"
import { databases } from "../../support/databases.js"

const placeOf = ({ dataDir, file }: Site) => journalPlace({ config: Option.some(file), dataDir: Option.some(dataDir) })

/** The plan of all open orders of the site. */
const planOf = (site: Site) =>
  Effect.gen(function* () {
    const { there, where } = yield* placeOf(site)
    const planned = yield* Effect.forEach(site.config.offerings, (offering) =>
      planOffering(offering, Option.none())
    ).pipe(Effect.provide(onCopy(where, there)))
    return planned.flat()
  }).pipe(Effect.scoped)

/** Everything in the journal. */
const entries = (site: Site) =>
  Effect.flatMap(placeOf(site), ({ where }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT * FROM journal ORDER BY id`).pipe(
      Effect.provide(Database.layer(where))
    )
  )

const looks = /\.(info\w*|accounting|version)$/

/** How often each changing call of OpenNebula was made since `from`. */
const changes = ({ cloud }: Site, from: number) =>
  tally(
    cloud.calls
      .slice(from)
      .map(({ method }) => method)
      .filter((method) => !looks.test(method))
  )
/**
 * The same of Waldur, without the uuids; of other orders nothing: an agent that was stopped at the end of one says `done` again when it
 * is started for the next.
 */
const posts = ({ marketplace }: Site, from: number, order: string) =>
  tally(
    marketplace.calls
      .slice(from)
      .filter(({ method, path }) => method === "POST" && /set_|approve_/.test(path))
      .filter(({ path }) => !path.includes("/marketplace-orders/") || path.includes(order))
      .map(({ path }) => `POST ${path.replace(/^\/api\//, "").replace(/[0-9a-f]{32}/, "{uuid}")}`)
  )
const tally = (calls: ReadonlyArray<string>) => Array.groupBy(calls, (call) => call)

describe("a plan", () => {
  scenario("of each of the six orders says exactly the calls that then carry it out, and makes none of them", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { cloud, marketplace } = site
      const resourceNamed = (name: string) => {
        const found = [...marketplace.resources.values()].find((one) => one.name === name)
        if (found === undefined) throw new Error(`no resource ${name}`)
        return found
      }
      const orders = [
        Effect.suspend(() => site.place.vdc("planned", { limits: vdcLimits })),
        Effect.suspend(() => site.place.updateLimits(resourceNamed("planned").uuid, doubled)),
        Effect.suspend(() => site.place.vm("machine", resourceNamed("planned").backendId)),
        Effect.suspend(() => site.place.switchToMedium(resourceNamed("machine").uuid)),
        Effect.suspend(() => site.place.terminate(resourceNamed("machine").uuid)),
        Effect.suspend(() => site.place.terminate(resourceNamed("planned").uuid))
      ]
      for (const placing of orders) {
        const order = yield* placing
        const before = { cloud: cloud.calls.length, marketplace: marketplace.calls.length, made: site.made() }
        const [planned, ...others] = yield* planOf(site)
        expect(others).toEqual([])
        expect(planned).toMatchObject({ order, outcome: "done" })
        expect(changes(site, before.cloud)).toEqual({})
        expect(posts(site, before.marketplace, order)).toEqual({})
        expect(site.made()).toEqual(before.made)
        expect(marketplace.orders.get(order)?.state).toBe("pending-provider")

        const from = { cloud: cloud.calls.length, marketplace: marketplace.calls.length }
        const agent = yield* site.start()
        expect((yield* site.ended(Effect.succeed(order))).state).toBe("done")
        yield* agent.stop
        const said = (system: string) =>
          tally((planned?.calls ?? []).filter((call) => call.system === system).map(({ call }) => call))
        expect(said("opennebula")).toEqual(changes(site, from.cloud))
        expect(said("waldur")).toEqual(posts(site, from.marketplace, order))
      }
    })
  )

  describe.each(databases)("with the journal in %s", (_, fresh) => {
    scenario("of an order that would be refused says the sentence; and of one in work only what is left", () =>
      Effect.gen(function* () {
        const place = yield* fresh
        const database = typeof place === "string" ? {} : { database: place.url }
        const site = yield* makeSite({ cloud: { times: { boot: 60_000 } }, ...database })
        yield* site.place.vm("orphan", "4711")
        const [refused] = yield* planOf(site)
        expect(refused?.outcome).toBe("refused")
        expect(refused?.calls.at(-1)?.about).toBe(
          '"4711" is not a virtual data centre of this project: choose one of this project and order again.'
        )

        yield* site.place.vdc("begun")
        const agent = yield* site.start()
        yield* site.awaitLogged((line) => line.includes("one.group.quota"))
        yield* agent.stop
        const before = yield* entries(site)
        const begun = (yield* planOf(site)).find(({ resource }) => resource === "begun")
        expect(begun?.calls.map(({ call }) => call)).not.toContain("one.group.allocate")
        expect(begun?.outcome).toBe("done")
        expect(yield* entries(site)).toEqual(before)
      })
    )
  })
})

/**
 * What operators do to the configuration while an order is in the middle: its offering is taken out, put back, put back otherwise. Each time the
 * agent is killed at a call and started with another file.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { expect } from "@effect/vitest"
import { Deferred, Effect, Exit, Schema } from "effect"
import { parse, stringify } from "yaml"
import * as OpenNebula from "../../src/simulator/opennebula/index.js"
import { long, newSite, withAgent } from "./harness.js"
import { readJournal } from "./journal.js"
import { pictureOfCloud } from "./picture.js"
import type { Site, SiteOptions } from "./site.js"
import { closeDown } from "./trial.js"
import { atWork, ended, orNever, stopped, until } from "./waits.js"
import { watchForDoubles } from "./watch.js"

type Keys = Readonly<Record<string, unknown>>
const Keys = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const File = Schema.Struct(
  { offerings: Schema.Array(Schema.Struct({ backend_settings: Keys }, Keys)) },
  { key: Schema.String, value: Schema.Unknown }
)
type Offering = (typeof File.Type)["offerings"][number]

/** Writes the configuration anew, with these in the place of its offerings. Gives what puts the first back. */
const reconfigured = (site: Site, change: (offerings: ReadonlyArray<Offering>) => ReadonlyArray<Keys>) => {
  const before = readFileSync(site.configFile, "utf8")
  const file = Schema.decodeUnknownSync(File)(parse(before))
  writeFileSync(site.configFile, stringify({ ...file, offerings: change(file.offerings) }))
  return () => writeFileSync(site.configFile, before)
}

/** With these over the backend settings of the first offering, which is that of data centres. */
const withSettings = (settings: Keys) => (offerings: ReadonlyArray<Offering>) =>
  offerings.map((one, at) => (at === 0 ? { ...one, backend_settings: { ...one.backend_settings, ...settings } } : one))

/** A data centre's order, the agent killed at this call of it; in a site that looks who makes what. */
const cutOffAt = (call: string, options: Omit<SiteOptions, "main"> = {}) =>
  Effect.gen(function* () {
    const site = yield* newSite(options)
    const atFirst = pictureOfCloud(site.cloud)
    const watched = watchForDoubles(site.cloud)
    const agent = yield* site.start()
    const killed = yield* Deferred.make<void>()
    site.tap.guard(({ name }) => {
      if (name !== call) return "pass"
      agent.kill()
      Deferred.unsafeDone(killed, Exit.void)
      return "lose request"
    })
    const order = yield* site.place.vdc()
    yield* orNever(() => `the call ${call}`)(Deferred.await(killed))
    yield* agent.ended
    site.tap.open()
    return { site, order, atFirst, watched }
  })
type CutOff = Effect.Effect.Success<ReturnType<typeof cutOffAt>>

/** Started once more, it carries the order out, having made nothing for a second time; and what was made can be ended. */
const carriesItOut = ({ atFirst, order, site, watched }: CutOff, isRenamed = false) =>
  Effect.gen(function* () {
    const agent = yield* site.start()
    const { errorMessage, state } = yield* ended(site, order)
    expect([state, errorMessage]).toEqual(["done", ""])
    for (const call of ["one.group.allocate", "one.vdc.allocate", "one.vn.allocate", "one.user.allocate"])
      expect([call, watched.made.get(call)]).toEqual([call, 1])
    const left = yield* closeDown(site, agent, atFirst)
    // Of a front-end by its address: the journal lets go of it within a day (`retention.ts`).
    expect(left.filter(({ text }) => !isRenamed || !text.startsWith("reservation subnets of "))).toEqual([])
  })

withAgent("an order whose offering is changed in the configuration while it is in the middle", (it) => {
  it.scoped(
    "waits while the file does not have the offering, says so, and goes on when it is back: the time in between counts against no deadline",
    () =>
      Effect.gen(function* () {
        const cutOff = yield* cutOffAt("one.user.allocate", { offerings: { order_deadlines: { create: "30s" } } })
        const { order, site } = cutOff
        const putBack = reconfigured(site, (offerings) => offerings.slice(1))
        const agent = yield* site.start()
        yield* until("its word on the order", () => agent.output().includes("cannot go on"))
        expect(agent.output()).toContain(
          `1 order of offering ${site.world.vdcOffering.uuid} cannot go on: the configuration does not have it (any more).`
        )
        // Longer than the deadline, which is many times what the order's work takes.
        yield* Effect.sleep("31 seconds")
        expect(site.marketplace.orders.get(order)?.state).toBe("executing")
        agent.kill()
        yield* agent.ended
        putBack()
        yield* carriesItOut(cutOff)
      }),
    long
  )

  it.scoped(
    "waits while the offering is at another front-end, touches nothing there, and goes on when it is back",
    () =>
      Effect.gen(function* () {
        const cutOff = yield* cutOffAt("one.user.allocate")
        const { order, site } = cutOff
        const other = yield* OpenNebula.serve({ port: 0, bootTime: 30 })
        const before = pictureOfCloud(other.frontEnd)
        const putBack = reconfigured(site, withSettings({ api_url: other.url, credentials: other.frontEnd.session }))
        const agent = yield* site.start()
        yield* until("its word on the order", () => agent.output().includes("Waits: It was begun at"))
        expect(site.marketplace.orders.get(order)?.state).toBe("executing")
        expect(pictureOfCloud(other.frontEnd)).toEqual(before)
        expect((yield* stopped(agent)).code).toBe(0)
        putBack()
        yield* carriesItOut(cutOff)
      }),
    long
  )

  it.scoped(
    "goes on at once where only the front-end's address is written otherwise",
    () =>
      Effect.gen(function* () {
        const cutOff = yield* cutOffAt("one.user.allocate")
        const { site } = cutOff
        const url = new URL(site.cloudUrl)
        url.hostname = "localhost"
        reconfigured(site, withSettings({ api_url: url.href }))
        yield* carriesItOut(cutOff, true)
      }),
    long
  )

  it.scoped(
    "goes on as it was begun where names, subnets and the order's options are others by now",
    () =>
      Effect.gen(function* () {
        const cutOff = yield* cutOffAt("one.user.allocate")
        const { order, site } = cutOff
        const named = pictureOfCloud(site.cloud).filter((line) => line.startsWith("group 1"))
        reconfigured(site, (offerings) =>
          withSettings({
            allocation_prefix: "other-",
            internal_network_base: "172.16.0.0",
            internal_network_prefix: 12,
            create_opennebula_user: false,
            security_group_defaults: [],
            cluster_ids: []
          })(offerings).map((one, at) => (at === 0 ? { ...one, name: "Renamed" } : one))
        )
        expect(named.length).toBeGreaterThan(0)
        expect(site.marketplace.orders.get(order)?.state).toBe("executing")
        yield* carriesItOut(cutOff)
      }),
    long
  )

  it.scoped(
    "waits while its credentials have no rights, and goes on when they have",
    () =>
      Effect.gen(function* () {
        const cutOff = yield* cutOffAt("one.user.allocate")
        const { order, site } = cutOff
        const putBack = reconfigured(site, withSettings({ credentials: "serveradmin:opennebula" }))
        const agent = yield* site.start()
        yield* atWork(site, agent)
        yield* until("its word on it", () => /Takes no orders|Waits: |Cannot be opened/.test(agent.output()))
        yield* Effect.sleep("3 seconds")
        expect([site.marketplace.orders.get(order)?.state, readJournal(site.dataDir).openOrders]).toEqual([
          "executing",
          [order]
        ])
        yield* stopped(agent)
        putBack()
        yield* carriesItOut(cutOff)
      }),
    long
  )
})

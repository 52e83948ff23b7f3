/** The journal is lost with its disk, and a backup takes its place that knows nothing of what happened since it was taken. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { expect } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import Database from "libsql"
import { backUp } from "../../../src/runtime/journal/backup.js"
import { afterCall, expectNothingLeft, kinds, makeSite, type Site, scenario, vdcObjects } from "../../support/agent.js"

const takeBackup = (site: Site) =>
  Effect.gen(function* () {
    const backup = `${site.dataDir}-backup.db`
    yield* backUp((yield* Path.Path).join(site.dataDir, "journal.db"), backup)
    return backup
  })

/** A disk breaks, and an operator puts the backup in the journal's place. */
const putBack = (site: Site, backup: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.remove(site.dataDir, { recursive: true })
    yield* fs.makeDirectory(site.dataDir)
    yield* fs.copyFile(backup, (yield* Path.Path).join(site.dataDir, "journal.db"))
  })

type Call = { readonly method: string; readonly params: ReadonlyArray<unknown> }

const about = (name: string, method: string) => (call: Call) =>
  call.method === method && JSON.stringify(call.params).includes(name)

/** The front-end breaks such calls off before they are carried out. */
const breakOff = (site: Site, ...which: ReadonlyArray<(call: Call) => boolean>) =>
  Effect.sync(() =>
    site.cloud.intercept((call) => (which.some((isIt) => isIt(call)) ? { _tag: "Drop", when: "before" } : undefined))
  )

/** Places an order, and waits until the front-end has made something for it. */
const until = <E, R>(site: Site, isIt: (call: Call) => boolean, placing: Effect.Effect<string, E, R>) =>
  Effect.gen(function* () {
    const called = yield* Effect.fork(afterCall(site, isIt))
    yield* Effect.yieldNow()
    const order = yield* placing
    yield* Fiber.join(called)
    return order
  })

scenario("orders that went on after the backup, and orders that it never heard of, make nothing twice", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const first = yield* site.start()
    const { resource: tenant } = yield* site.order.vdc("tenant")

    // In the backup both have a VDC, and no network.
    yield* breakOff(site, about("", "one.vn.allocate"))
    const ended = yield* until(site, about("ended", "one.vdc.allocate"), site.place.vdc("ended"))
    const inWork = yield* until(site, about("in-work", "one.vdc.allocate"), site.place.vdc("in-work"))
    const backup = yield* takeBackup(site)

    // After it one ends, the other gets its network, and two orders are begun of which the backup knows nothing.
    const noRouters = [about("in-work", "one.vrouter.allocate"), about("unheard", "one.vrouter.allocate")]
    const network = yield* Effect.fork(afterCall(site, about("in-work", "one.vn.allocate")))
    yield* Effect.yieldNow()
    yield* breakOff(site, ...noRouters)
    expect((yield* site.marketplace.awaitOrderEnd(ended)).state).toBe("done")
    yield* Fiber.join(network)
    const unheard = yield* until(site, about("unheard", "one.vn.allocate"), site.place.vdc("unheard"))
    yield* breakOff(site, ...noRouters, ({ method }) => /^one\.vm(pool)?\.info/.test(method))
    const machine = yield* until(
      site,
      about("machine", "one.template.instantiate"),
      site.place.vm("machine", tenant.backendId)
    )
    yield* first.stop
    yield* putBack(site, backup)
    yield* breakOff(site)

    const second = yield* site.start()
    const left = yield* Effect.forEach([inWork, unheard, machine], site.marketplace.awaitOrderEnd, {
      concurrency: "unbounded"
    })
    expect(left.map(({ state }) => state)).toEqual(["done", "done", "done"])
    expect(site.marketplace.orders.get(ended)?.state).toBe("done")
    const four = Object.fromEntries(Object.entries(vdcObjects).map(([kind, count]) => [kind, count * 4]))
    expect(kinds(site.made())).toEqual({ ...four, vm: (four.vm ?? 0) + 1, lease: (four.lease ?? 0) + 1 })

    const [vm, ...centres] = [...site.marketplace.resources.values()].toReversed()
    yield* site.order.terminate(vm?.uuid ?? "")
    yield* Effect.forEach(centres, ({ uuid }) => site.order.terminate(uuid), { concurrency: "unbounded" })
    yield* expectNothingLeft(
      site,
      second,
      ["tenant", "ended", "in-work", "unheard", "machine"].map((name) => `${name} Terminated`)
    )
  })
)

scenario("an order of which the backup knows no more than that it was accepted is not taken for another agent's", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const first = yield* site.start()
    const { resource: tenant } = yield* site.order.vdc("tenant")
    yield* breakOff(site, ({ method }) => /^one\.vm(pool)?\.info/.test(method))
    const made = about("machine", "one.template.instantiate")
    const machine = yield* until(site, made, site.place.vm("machine", tenant.backendId))
    const backup = yield* takeBackup(site)
    yield* first.stop
    // As of the moment between its acceptance and its approval.
    const journal = new Database(backup)
    journal.prepare("DELETE FROM journal WHERE order_id = ? AND event <> 'accepted'").run(machine)
    journal.close()
    yield* putBack(site, backup)
    yield* breakOff(site)

    const next = yield* site.start()
    const { resource, state } = yield* site.marketplace.awaitOrderEnd(machine)
    expect([state, kinds(site.made())]).toEqual(["done", { ...vdcObjects, vm: 2, lease: 3 }])
    yield* site.order.terminate(resource.uuid)
    yield* site.order.terminate(tenant.uuid)
    yield* expectNothingLeft(site, next, ["tenant Terminated", "machine Terminated"])
  })
)

scenario("without any backup, what an order has made already is looked for, and not made again", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const first = yield* site.start()
    yield* breakOff(site, about("lost", "one.vrouter.allocate"))
    // The group has its tag by then: without it, only the journal knows that it is the order's.
    const order = yield* until(site, about("", "one.vdc.addgroup"), site.place.vdc("lost"))
    yield* first.stop
    yield* (yield* FileSystem.FileSystem).remove(site.dataDir, { recursive: true })

    yield* breakOff(site)
    const next = yield* site.start()
    const { resource, state } = yield* site.marketplace.awaitOrderEnd(order)
    expect([state, kinds(site.made())]).toEqual(["done", vdcObjects])
    yield* site.order.terminate(resource.uuid)
    yield* expectNothingLeft(site, next, ["lost Terminated"])
  })
)

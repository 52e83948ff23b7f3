/** What a create will come to is told while its machine boots, over real HTTP: once, and taken back if it comes to nothing. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { Lcm } from "../../../src/simulator/opennebula/index.js"
import { fault } from "../../../src/simulator/waldur/index.js"
import { readJournal } from "../../crash/journal.js"
import { expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"

/** From now on machines boot until they are told to have done so. */
const bootsOnWord = ({ cloud }: Site) => Object.assign(cloud.world.times, { boot: 3_600_000 })

const when = <A>(look: () => A | undefined) =>
  Effect.sync(look).pipe(
    Effect.delay("5 millis"),
    Effect.repeat({ until: (seen) => seen !== undefined }),
    Effect.flatMap(Effect.fromNullable),
    Effect.timeout("60 seconds")
  )

/** `how`: OpenNebula's 1 (it runs) or 0 (it failed). */
const boots = ({ cloud }: Site, how: 0 | 1) =>
  Effect.gen(function* () {
    const { id } = yield* when(() => [...cloud.world.vms].find((vm) => vm.lcm === Lcm.boot))
    expect((yield* cloud.call("one.vm.recover", [id, how]))._tag).toBe("Ok")
  })

/** As Waldur's staff does by hand. */
const staffErrs = ({ waldurUrl, world }: Site, order: string) =>
  HttpClientRequest.post(`${waldurUrl}marketplace-orders/${order}/set_state_erred/`).pipe(
    HttpClientRequest.setHeader("authorization", `Token ${world.agentToken}`),
    HttpClientRequest.bodyUnsafeJson({ error_message: "It hangs.", error_traceback: "" }),
    HttpClient.execute,
    Effect.tap(({ status }) => expect(status).toBe(200))
  )

const toldOf = ({ marketplace }: Site, resource: string) =>
  marketplace.calls
    .map(({ path }) => path)
    .filter((path) => path.includes(resource) && path.includes("/set_"))
    .map((path) => path.split("/").at(-2))

const placed = ({ marketplace }: Site, order: string) => {
  const found = marketplace.orders.get(order)?.resource
  if (found === undefined) throw new Error("no such order")
  return found
}

describe("while a machine boots", () => {
  scenario("its backend id and metadata are told, once, and the order is done when it runs", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const centre = (yield* site.order.vdc("around")).resource
      bootsOnWord(site)
      const order = yield* site.place.vm("slow", centre.backendId)
      const resource = placed(site, order)
      yield* when(() => resource.backendMetadata.ip_address)
      expect(resource).toMatchObject({ state: "Creating", backendMetadata: { vm_id: Number(resource.backendId) } })
      yield* boots(site, 1)
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect(toldOf(site, resource.uuid)).toEqual(["set_backend_id", "set_backend_metadata"])
      yield* site.order.terminate(resource.uuid)
      yield* site.order.terminate(centre.uuid)
      yield* expectNothingLeft(site, agent, ["around Terminated", "slow Terminated"])
    })
  )

  scenario("they are taken back if it fails", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const centre = (yield* site.order.vdc("around")).resource
      bootsOnWord(site)
      const order = yield* site.place.vm("broken", centre.backendId)
      const resource = placed(site, order)
      yield* when(() => resource.backendMetadata.ip_address)
      yield* boots(site, 0)
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("erred")
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("erred")
      yield* untilSettled(agent)
      expect([resource.state, resource.backendId, resource.backendMetadata]).toEqual(["Terminated", "", {}])
    })
  )

  scenario("they are taken back if staff sets its order to erred, and the customer ends the resource", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const centre = (yield* site.order.vdc("around")).resource
      bootsOnWord(site)
      const order = yield* site.place.vm("stuck", centre.backendId)
      const resource = placed(site, order)
      yield* when(() => resource.backendMetadata.ip_address)
      yield* staffErrs(site, order)
      expect([resource.state, resource.backendId]).toEqual(["Erred", expect.stringMatching(/^\d+$/)])
      yield* boots(site, 1)
      yield* untilSettled(agent)
      expect([resource.state, resource.backendId, resource.backendMetadata]).toEqual(["Erred", "", {}])
      expect(site.logged.some((line) => line.includes("Waldur keeps the resource as Erred"))).toBe(true)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* site.order.terminate(centre.uuid)
      yield* expectNothingLeft(site, agent, ["around Terminated", "stuck Terminated"])
    })
  )

  scenario("a Waldur that does not take them hears of them when it runs", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const centre = (yield* site.order.vdc("around")).resource
      bootsOnWord(site)
      let refused = 0
      site.marketplace.intercept(({ path }) => {
        if (!path.endsWith("/set_backend_id/") || refused > 0) return undefined
        refused += 1
        return fault.status(403)
      })
      const order = yield* site.place.vm("slow", centre.backendId)
      yield* when(() => (refused > 0 ? true : undefined))
      yield* boots(site, 1)
      const { resource, state } = yield* site.marketplace.awaitOrderEnd(order)
      expect([state, resource.backendMetadata.vm_id]).toEqual(["done", Number(resource.backendId)])
      expect(toldOf(site, resource.uuid)).toEqual(["set_backend_id", "set_backend_id", "set_backend_metadata"])
    })
  )
})

scenario("of a data centre all is told while its router boots, and after a restart nothing of it again", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const first = yield* site.start()
    bootsOnWord(site)
    const order = yield* site.place.vdc("centre")
    const resource = placed(site, order)
    // Until that is written down it would be told again, with another password.
    yield* when(() =>
      readJournal(site.dataDir).rows.find(({ event, step }) => step === "waldur: told ahead" && event === "finished")
    )
    const shown = { ...resource.backendMetadata }
    expect(shown).toMatchObject({
      router_address: expect.stringMatching(/^\d+\./),
      group_id: Number(resource.backendId)
    })
    yield* first.stop
    yield* site.start()
    yield* boots(site, 1)
    expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
    expect(resource.backendMetadata).toEqual(shown)
    expect(toldOf(site, resource.uuid)).toEqual(["set_backend_id", "set_limits", "set_backend_metadata"])
  })
)

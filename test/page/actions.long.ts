/** What operators do on the page, end to end: each says what it will do, does it, and is written down with who did it. */
import { connect, type Socket } from "node:net"
import { describe, expect } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { type LiveEvent, LiveEventJson } from "../../src/api/index.js"
import { away, expectNothingLeft, makeSite, scenario } from "../support/agent.js"
import { fragile } from "../support/fragile.js"
import { refuse } from "../support/vmCloud.js"
import { ask, show, until } from "./support.js"

describe("an operator", () => {
  scenario("cancels an order that does not get on: what it did is undone, and the customer is told", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client } = yield* show(site, agent)
      // One call that fails for ever, while all others are answered: the order rests and tries again.
      site.cloud.intercept(({ method }) => (method === "one.vrouter.allocate" ? away : undefined))
      const order = yield* site.place.vdc("stuck")
      const path = { order }
      const waits = yield* Effect.option(client.orders.order({ path })).pipe(
        until(
          (found) => found._tag === "Some" && found.value.next.what === "It is tried again." && found.value.retries > 0
        )
      )
      if (waits._tag === "None") return expect.unreachable()
      expect(waits.value.state).toBe("waits")
      expect(waits.value.next.at).toBeGreaterThan(waits.value.now - 1_000)
      expect(waits.value.deadline).toBeGreaterThan(waits.value.now)
      expect(waits.value.actions).toEqual(["retry", "cancel"])
      expect(waits.value.steps.find(({ name }) => name === "router")).toMatchObject({ status: "waits" })

      const action = { kind: "cancel" as const, order, reason: "asked by phone" }
      const preview = yield* client.actions.preview({ payload: action })
      expect(preview).toMatchObject({
        title: 'Cancel the Create order of "stuck"?',
        impossible: null,
        weight: "removes"
      })
      expect(preview.will.join(" ")).toContain("network")
      expect(yield* client.actions.perform({ payload: action })).toMatchObject({ ok: true })
      const ended = yield* site.marketplace.awaitOrderEnd(order)
      expect([ended.state, ended.errorMessage]).toEqual([
        "erred",
        "The provider has cancelled the order, and it has been undone."
      ])
      yield* expectNothingLeft(site, agent, ["stuck Terminated"])
      const after = yield* client.orders.order({ path })
      expect(after.refusal?.detail).toContain("cancelled by this machine (asked by phone)")
      expect(after.marks.map(({ event }) => event)).toContain("cancel")
      expect(after.leftovers).toEqual([])
      expect(yield* client.actions.perform({ payload: action })).toEqual({ ok: false, outcome: "The order has ended." })

      // Taken up again, what was cancelled is not cancelled any more.
      site.cloud.intercept(undefined)
      expect(yield* client.actions.perform({ payload: { kind: "retry", order } })).toMatchObject({ ok: true })
      yield* client.orders
        .order({ path })
        .pipe(until(({ earlierRounds, state }) => earlierRounds === 1 && state === "done"))
      const { rows } = yield* client.actions.audit({ urlParams: { subject: order } })
      expect(rows.map(({ detail, kind, ok }) => [kind, detail, ok])).toEqual([
        ["retry", "", true],
        ["cancel", "asked by phone", false],
        ["cancel", "asked by phone", true]
      ])
    })
  )

  scenario("pauses an offering over a restart: nothing is begun, and all goes on when it is resumed", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const first = yield* site.start()
      const offering = site.world.vdcOffering.uuid
      const pause = { kind: "pause" as const, offering, reason: "the storage is moved" }
      yield* Effect.gen(function* () {
        const { client } = yield* show(site, first)
        expect((yield* client.actions.preview({ payload: pause })).title).toBe("Pause VDC?")
        expect(yield* client.actions.perform({ payload: pause })).toMatchObject({ ok: true })
      }).pipe(Effect.scoped)
      yield* first.stop

      const agent = yield* site.start()
      const { client } = yield* show(site, agent)
      const overview = yield* client.overview
        .overview()
        .pipe(until(({ offerings }) => offerings[0]?.state === "paused" && offerings[1]?.state === "ok"))
      expect(overview.offerings[0]).toMatchObject({
        ready: true,
        paused: { by: "this machine", reason: "the storage is moved" },
        reasons: ["Paused by this machine: the storage is moved"]
      })
      expect(overview.troubles).toMatchObject([{ severity: "warning", where: { kind: "offering", id: offering } }])
      const order = yield* site.place.vdc("later")
      // It is looked at, and left: an order of the other offering's look has come and gone meanwhile.
      yield* site.awaitActivity((one) => one._tag === "Call" && one.call === "GET marketplace-orders/", 12)
      expect(site.marketplace.orders.get(order)?.state).toBe("pending-provider")
      expect(yield* client.actions.perform({ payload: { kind: "resume", offering } })).toMatchObject({ ok: true })
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect((yield* client.overview.overview()).offerings[0]?.state).toBe("ok")
    })
  )

  scenario("releases what a bug stopped, and sees all of it happen live", () =>
    Effect.gen(function* () {
      let mended = false
      const uuid = "0ffe0000000040000000000000000003"
      const site = yield* makeSite({
        plugins: [fragile(() => !mended)],
        offerings: ({ marketplace, world }) => {
          marketplace.addOffering({ customer: world.vdcOffering.customer, name: "Fragile", uuid, components: [] })
          return [
            {
              name: "Fragile",
              waldur_offering_uuid: uuid,
              backend_type: "fragile",
              order_processing_backend: "fragile",
              backend_settings: {}
            }
          ]
        }
      })
      const agent = yield* site.start()
      const { client, url } = yield* show(site, agent)
      const live = yield* listenTo(`${url}/api/live`)
      yield* live.until((event) => event._tag === "Hello")
      const plan = site.marketplace.world.offerings.get(uuid)?.plans[0]?.uuid ?? ""
      const order = yield* site.place.wish({
        offering: uuid,
        project: site.world.project.uuid,
        plan,
        attributes: { name: "cursed" }
      })
      const isNow = (state: string) => (event: LiveEvent) =>
        event._tag === "Changed" && event.orders.some((row) => row.order === order && row.state === state)
      yield* live.until(isNow("quarantined"))
      const [held] = yield* client.troubles.quarantine()
      expect(held).toMatchObject({ order, name: "cursed", offeringName: "Fragile" })
      const detail = yield* client.orders.order({ path: { order } })
      expect([detail.next.what.slice(0, 18), detail.actions]).toEqual(["Nothing by itself:", ["release"]])
      expect((yield* client.overview.overview()).troubles[0]).toMatchObject({
        severity: "critical",
        where: { kind: "order", id: order }
      })

      mended = true
      const release = { kind: "release" as const, resource: held?.resource ?? "" }
      expect(yield* client.actions.preview({ payload: release })).toMatchObject({ impossible: null })
      expect(yield* client.actions.perform({ payload: release })).toMatchObject({ ok: true })
      yield* live.until(isNow("done"))
      expect(yield* client.troubles.quarantine()).toEqual([])
      expect(yield* client.actions.perform({ payload: release })).toMatchObject({ ok: false })
    })
  )

  scenario("takes off the list what was removed by hand, and has the rest removed", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client } = yield* show(site, agent)
      site.cloud.intercept((call) =>
        call.method === "one.group.quota" || call.method === "one.secgroup.delete" ? refuse(call) : undefined
      )
      const order = yield* site.order.vdc("leaves something")
      expect(order.state).toBe("erred")
      const leftovers = yield* client.troubles.leftovers().pipe(until((rows) => rows.length > 0))
      expect(leftovers).toMatchObject([{ order: order.uuid, step: "security group", name: "leaves something" }])
      const remove = { kind: "remove-leftovers" as const, order: order.uuid }
      expect((yield* client.actions.preview({ payload: remove })).will[0]).toContain("security group")
      expect(yield* client.actions.perform({ payload: remove })).toMatchObject({ ok: false })
      site.cloud.intercept(undefined)
      expect(yield* client.actions.perform({ payload: remove })).toMatchObject({ ok: true })
      expect(yield* client.troubles.leftovers()).toEqual([])
      const forget = { kind: "forget-leftover" as const, order: order.uuid, step: "security group" }
      expect((yield* client.actions.preview({ payload: forget })).impossible).not.toBe(null)
      yield* expectNothingLeft(site, agent, ["leaves something Terminated"])
    })
  )
})

describe("the live view", () => {
  scenario("tells of what was done and taken back before anybody could see a difference", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client, url } = yield* show(site, agent)
      const live = yield* listenTo(`${url}/api/live`)
      yield* live.until((event) => event._tag === "Hello")
      const offering = site.world.vdcOffering.uuid
      yield* client.actions.perform({ payload: { kind: "pause", offering, reason: "" } })
      yield* client.actions.perform({ payload: { kind: "resume", offering } })
      yield* live.until((event) => event._tag === "Changed" && event.more)
      // Fifty watch at most; the next one is told so.
      const others = yield* Effect.all(Array.from({ length: 49 }, () => listenTo(`${url}/api/live`)))
      yield* Effect.forEach(others, (other) => other.until((event) => event._tag === "Hello"))
      const refused = yield* ask(`${url}/api/live`)
      expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("50 pages watch already")])
    })
  )

  scenario("says goodbye when the agent stops, and holds it up for no moment", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { url } = yield* show(site, agent)
      const live = yield* listenTo(`${url}/api/live`)
      yield* live.until((event) => event._tag === "Hello")
      yield* agent.stop.pipe(Effect.timeout("30 seconds"))
      yield* live.until((event) => event._tag === "Bye")
      yield* live.ended
    })
  )

  scenario(
    "takes nobody out of its limits who asks for a web socket, and keeps nobody from ending who does not end a request",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const { url } = yield* show(site, agent)
        const { port } = new URL(url)
        // Taken for a web socket's, a connection is never read again; its breaking off would be an error that ends the process.
        const ordinary = yield* Effect.async<string>((resume) => {
          const answers: Array<string> = []
          const socket = connect(Number(port), "127.0.0.1")
          socket.on("error", () => undefined).on("close", () => resume(Effect.succeed(answers.join(""))))
          socket.on("data", (data) => {
            if (answers.push(String(data)) === 1)
              socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
          })
          socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        })
        expect(ordinary.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
        const slow = yield* Effect.acquireRelease(
          Effect.async<Socket>((resume) => {
            const socket = connect(Number(port), "127.0.0.1", () => {
              socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n", () => resume(Effect.succeed(socket)))
            })
            socket.on("error", () => undefined).resume()
          }),
          (socket) => Effect.sync(() => socket.destroy())
        )
        // Answered, so the server has begun with what came before it.
        yield* ask(`${url}/healthz`)
        yield* agent.stop.pipe(Effect.disconnect, Effect.timeout("30 seconds"))
        yield* until((is: boolean) => is)(Effect.sync(() => slow.closed))
      })
  )
})

/** What an `EventSource` would see. */
const listenTo = (url: string) =>
  Effect.gen(function* () {
    const events: Array<LiveEvent> = []
    let over = false
    const controller = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => controller.abort()))
    const decode = Schema.decodeSync(LiveEventJson)
    const response = yield* Effect.promise(() => fetch(url, { signal: controller.signal }))
    expect(response.headers.get("content-type")).toContain("text/event-stream")
    const read = async () => {
      let text = ""
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true })
        const parts = text.split("\n\n")
        text = parts.pop() ?? ""
        for (const part of parts) if (part.startsWith("data: ")) events.push(decode(part.slice(6)))
      }
    }
    yield* Effect.forkDaemon(
      Effect.ensuring(
        Effect.ignore(Effect.tryPromise(read)),
        Effect.sync(() => {
          over = true
        })
      )
    )
    const when = (isIt: () => boolean) =>
      Effect.asVoid(
        Effect.sync(isIt).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (is) => is }),
          Effect.timeout("60 seconds")
        )
      )
    return {
      events,
      until: (isIt: (event: LiveEvent) => boolean) => when(() => events.some(isIt)),
      ended: when(() => over)
    }
  })

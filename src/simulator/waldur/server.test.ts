import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { demoWorld, fault, serve } from "./index.js"

const call = (url: string, token: string, method: string, path: string, body?: unknown) =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/api/${path}`, {
      method,
      headers: { Authorization: `Token ${token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    const json: unknown = text === "" ? undefined : JSON.parse(text)
    return { status: response.status, json, headers: response.headers }
  })

const field = (json: unknown, name: string): string => {
  const value = typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined
  return typeof value === "string" ? value : ""
}

describe("the simulated marketplace on HTTP", () => {
  it.scopedLive("takes an order from the customer through the agent's hands to its end", () =>
    Effect.gen(function* () {
      const { url, marketplace } = yield* serve()
      const world = yield* demoWorld(marketplace)
      const offering = `${url}/api/marketplace-public-offerings/${world.vdcOffering.uuid}/`
      const created = yield* call(url, world.customerToken, "POST", "marketplace-orders/", {
        offering,
        project: `${url}/api/projects/${world.project.uuid}/`,
        plan: `${offering}plans/${world.plans.vdc.uuid}/`,
        attributes: { name: "vdc" },
        limits: { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }
      })
      expect(created.status).toBe(201)
      const uuid = field(created.json, "uuid")
      const resource = field(created.json, "marketplace_resource_uuid")
      const agent = (method: string, path: string, body?: unknown) => call(url, world.agentToken, method, path, body)

      const list = yield* agent(
        "GET",
        `marketplace-orders/?offering_uuid=${world.vdcOffering.uuid}&state=pending-provider`
      )
      expect(list.headers.get("x-result-count")).toBe("1")
      expect((yield* agent("POST", `marketplace-orders/${uuid}/approve_by_provider/`, {})).status).toBe(200)
      const set = `marketplace-provider-resources/${resource}/set_backend_id/`
      expect((yield* agent("POST", set, { backend_id: "201" })).json).toEqual({
        status: "Resource backend_id has been changed."
      })
      expect((yield* agent("POST", `marketplace-orders/${uuid}/set_state_done/`)).status).toBe(200)

      const order = yield* marketplace.awaitOrderEnd(uuid)
      expect(order.state).toBe("done")
      expect(marketplace.resources.get(resource)?.backendId).toBe("201")
      expect(marketplace.resources.get(resource)?.state).toBe("OK")
      expect(marketplace.calls.map(({ method, status, as }) => ({ method, status, as })).at(-1)).toEqual({
        method: "POST",
        status: 200,
        as: "site-agent"
      })
    })
  )

  it.scopedLive("can lose an answer after carrying the request out", () =>
    Effect.gen(function* () {
      const { url, marketplace } = yield* serve()
      const world = yield* demoWorld(marketplace)
      marketplace.intercept(({ path, earlier }) =>
        path.endsWith("/users/me/") && earlier === 0 ? fault.dropAnswer : undefined
      )
      const lost = yield* Effect.exit(call(url, world.agentToken, "GET", "users/me/"))
      expect(lost._tag).toBe("Failure")
      expect((yield* call(url, world.agentToken, "GET", "users/me/")).status).toBe(200)
      expect(marketplace.calls.map(({ status }) => status)).toEqual([null, 200])
    })
  )

  it.scopedLive("can cut, refuse, delay or garble a call", () =>
    Effect.gen(function* () {
      const { url, marketplace } = yield* serve()
      const world = yield* demoWorld(marketplace)
      const project = `${url}/api/projects/${world.project.uuid}/`
      const offering = `${url}/api/marketplace-public-offerings/${world.vmOffering.uuid}/`
      const plan = `${offering}plans/${world.plans.small.uuid}/`
      const order = call(url, world.customerToken, "POST", "marketplace-orders/", {
        offering,
        project,
        plan,
        attributes: { name: "vm" }
      })
      const faults = [fault.dropRequest, fault.status(503), fault.garbage(), fault.delay("20 millis")]
      const stop = marketplace.intercept(({ earlier }) => faults[earlier])

      expect((yield* Effect.exit(order))._tag).toBe("Failure")
      expect(marketplace.orders.size).toBe(0)
      expect((yield* Effect.exit(order))._tag).toBe("Failure")
      expect(marketplace.orders.size).toBe(0)
      expect((yield* Effect.exit(order))._tag).toBe("Failure")
      expect(marketplace.orders.size).toBe(1)
      expect((yield* order).status).toBe(201)
      stop()
      expect(marketplace.calls.map(({ status }) => status)).toEqual([null, 503, 201, 201])
    })
  )

  it.scopedLive("says so when the port is taken", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const refused = yield* Effect.flip(serve({ port }))
      expect(refused._tag).toBe("ServeError")
      expect(refused.message).toContain(`127.0.0.1:${port}`)
    })
  )

  it.scopedLive("sends a path without its slash on, and answers a HEAD with the count alone", () =>
    Effect.gen(function* () {
      const { url, marketplace } = yield* serve()
      const world = yield* demoWorld(marketplace)
      const headers = { Authorization: `Token ${world.agentToken}` }
      const get = (path: string, method: string) =>
        Effect.promise(() => fetch(`${url}/api/${path}`, { method, headers, redirect: "manual" }))
      const sent = yield* get("marketplace-orders?page_size=2", "GET")
      expect([sent.status, sent.headers.get("location")]).toEqual([301, "/api/marketplace-orders/?page_size=2"])
      const head = yield* get("marketplace-orders/", "HEAD")
      expect([head.status, head.headers.get("x-result-count")]).toEqual([200, "0"])
    })
  )
})

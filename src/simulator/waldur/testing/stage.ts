/** For tests of the simulated marketplace's rules: calls without HTTP. */
import { expect } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { demoWorld, type Marketplace, type MarketplaceOptions, makeMarketplace } from "../index.js"

export const origin = "http://waldur.test"

/** One call, answered without HTTP. */
export const ask = (marketplace: Marketplace, authorization: string, method: string, address: string, body?: unknown) =>
  Effect.gen(function* () {
    const url = new URL(`${origin}/api/${address}`)
    const reply = yield* marketplace.handle({
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: { authorization, "content-type": "application/json" },
      body: body === undefined ? "" : JSON.stringify(body),
      origin
    })
    if (reply._tag === "Cut") return yield* Effect.dieMessage("the connection was cut")
    const { status, headers, body: answered } = reply.answer
    const json: unknown = answered !== undefined && "json" in answered ? answered.json : undefined
    return { status, headers, json }
  })

export const field = (json: unknown, name: string): string => {
  const value: unknown = typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined
  return typeof value === "string" ? value : ""
}

export const limits = { cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 }

/** A marketplace with the demo world, and short ways to act as its agent and its customer. */
export const stage = (options: MarketplaceOptions = {}) =>
  Effect.gen(function* () {
    const marketplace = yield* makeMarketplace({ seed: 7, ...options })
    const world = yield* demoWorld(marketplace)
    const agent = (method: string, address: string, body?: unknown) =>
      ask(marketplace, `Token ${world.agentToken}`, method, address, body)
    const customer = (method: string, address: string, body?: unknown) =>
      ask(marketplace, `Token ${world.customerToken}`, method, address, body)
    const offeringAt = (uuid: string) => `${origin}/api/marketplace-public-offerings/${uuid}/`
    const vdcAddress = offeringAt(world.vdcOffering.uuid)
    const vmAddress = offeringAt(world.vmOffering.uuid)
    const project = `${origin}/api/projects/${world.project.uuid}/`
    const placed = (body: object) =>
      Effect.map(customer("POST", "marketplace-orders/", { project, ...body }), ({ json, status }) => {
        expect(status).toBe(201)
        return { order: field(json, "uuid"), resource: field(json, "marketplace_resource_uuid") }
      })
    const orderVdc = (more: object = {}) =>
      placed({
        offering: vdcAddress,
        plan: `${vdcAddress}plans/${world.plans.vdc.uuid}/`,
        attributes: { name: "vdc" },
        limits,
        ...more
      })
    const orderVm = placed({
      offering: vmAddress,
      plan: `${vmAddress}plans/${world.plans.small.uuid}/`,
      attributes: { name: "vm" }
    })
    const decide = (order: string, action: string, body: unknown = {}) =>
      agent("POST", `marketplace-orders/${order}/${action}/`, body)
    const write = (resource: string, action: string, body: unknown) =>
      agent("POST", `marketplace-provider-resources/${resource}/${action}/`, body)
    const runningVm = Effect.gen(function* () {
      const vm = yield* orderVm
      yield* decide(vm.order, "approve_by_provider")
      yield* TestClock.adjust("1 second")
      yield* write(vm.resource, "set_backend_id", { backend_id: "42" })
      yield* decide(vm.order, "set_state_done")
      return vm.resource
    })
    const toMedium = (resource: string) =>
      Effect.map(
        customer("POST", `marketplace-resources/${resource}/switch_plan/`, {
          plan: `${vmAddress}plans/${world.plans.medium.uuid}/`
        }),
        ({ json }) => field(json, "order_uuid")
      )
    return { marketplace, world, agent, customer, orderVdc, orderVm, decide, write, runningVm, toMedium }
  })

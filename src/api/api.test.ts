import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { Action, api, LiveEventJson, type OrderDetail, Uuid } from "./index.js"

const uuid = "0d5a1f6b8c3e4b7f9a2d6e8c1b3f5a70"

describe("the API", () => {
  it("describes every one of its paths in the OpenAPI document, with its refusals", () => {
    const { paths } = OpenApi.fromApi(api)
    expect(Object.keys(paths).toSorted()).toEqual([
      "/api/actions",
      "/api/actions/preview",
      "/api/audit",
      "/api/differences",
      "/api/leftovers",
      "/api/live",
      "/api/orders",
      "/api/orders/{order}",
      "/api/orphans",
      "/api/overview",
      "/api/quarantine",
      "/api/resources",
      "/api/resources/{resource}",
      "/api/resources/{resource}/look",
      "/api/series",
      "/api/session",
      "/healthz",
      "/metrics",
      "/readyz"
    ])
    expect(Object.keys(paths["/api/actions"]?.post?.responses ?? {})).toEqual(["200", "400", "401", "403", "503"])
  })

  it("takes uuids as people paste them, and nothing else", () => {
    const decode = Schema.decodeUnknownOption(Uuid)
    expect(decode("0D5A1F6B-8C3E-4B7F-9A2D-6E8C1B3F5A70")).toMatchObject({ value: uuid })
    expect(decode(`${uuid}'`)._tag).toBe("None")
  })

  it("knows an action by its kind", () => {
    expect(Schema.decodeUnknownSync(Action)({ kind: "cancel", order: uuid })).toEqual({
      kind: "cancel",
      order: uuid,
      reason: ""
    })
    expect(Schema.decodeUnknownOption(Action)({ kind: "cancel", resource: uuid })._tag).toBe("None")
  })

  it("gives a typed client", () => {
    const order = Effect.flatMap(HttpApiClient.make(api), (client) => client.orders.order({ path: { order: uuid } }))
    expectTypeOf<Effect.Effect.Success<typeof order>>().toEqualTypeOf<OrderDetail>()
  })

  it("says what has changed as one line of JSON", () => {
    const line = Schema.encodeSync(LiveEventJson)({ _tag: "Heartbeat", at: 1 })
    expect(Schema.decodeSync(LiveEventJson)(line)).toEqual({ _tag: "Heartbeat", at: 1 })
  })
})

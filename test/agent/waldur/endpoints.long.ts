/** Addresses that a plugin wants shown, and that Waldur does not take: 400 (source: waldur-mastermind, core/validators.py, `BackendURLValidator`). */
import { expect } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { defineBackend } from "../../../src/core/index.js"
import { makeSite, scenario, untilSettled } from "../../support/agent.js"

const nothing = () => Effect.succeed({})
const databases = defineBackend({
  contract: 1,
  type: "databases",
  settings: Schema.Struct({}),
  attributes: Schema.Unknown,
  shared: Layer.empty,
  open: () =>
    Effect.succeed({
      create: () =>
        Effect.succeed({
          backendId: "17",
          metadata: { database: "d" },
          endpoints: [{ name: "PostgreSQL", url: "postgres://d@db.example.org/d" }]
        }),
      update: nothing,
      terminate: nothing,
      usage: () => Effect.succeed([]),
      observe: () => Effect.succeed([]),
      ping: Effect.void,
      check: Effect.succeed([])
    })
})

scenario("an endpoint of a kind that Waldur does not take undoes nothing: the order is done, and the log says so", () =>
  Effect.gen(function* () {
    const site = yield* makeSite({
      plugins: [databases],
      vdcOffering: { backend_type: "databases", order_processing_backend: "databases", backend_settings: {} }
    })
    const agent = yield* site.start()
    const { errorMessage, resource, state } = yield* site.order.vdc("one")
    expect([state, errorMessage]).toEqual(["done", ""])
    expect(resource).toMatchObject({ backendId: "17", backendMetadata: { database: "d" }, endpoints: [] })
    yield* site.awaitLogged(
      (line) => line.includes("does not show this resource's endpoints") && line.includes("valid URL")
    )
    yield* untilSettled(agent)
  }).pipe(Effect.timeout("60 seconds"))
)

/** A backend with a bug, for tests of what becomes of an order that meets one. */
import { Effect, Layer, Schema } from "effect"
import { defineBackend, ensureDone, type Resource } from "../../src/core/index.js"

/** Makes nothing. Has a bug that every create of such a resource meets. */
export const fragile = (dies: (resource: Resource) => boolean) =>
  defineBackend({
    contract: 1,
    type: "fragile",
    settings: Schema.Struct({}),
    attributes: Schema.Struct({}),
    shared: Layer.empty,
    open: () => {
      const done = Effect.succeed({})
      return Effect.succeed({
        create: ({ resource }) =>
          ensureDone("thing", Effect.void).pipe(
            Effect.zipRight(dies(resource) ? Effect.die(new Error("a bug in the plugin")) : Effect.void),
            Effect.as({ backendId: resource.slug })
          ),
        update: () => done,
        terminate: () => done,
        usage: () => Effect.succeed([]),
        observe: () => Effect.succeed([]),
        ping: Effect.void,
        check: Effect.succeed([])
      })
    }
  })

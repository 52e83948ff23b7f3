import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { OpenNebulaEndpoints } from "./endpoints.js"
import { connect, OpenNebulaConnections } from "./service.js"

const settings = (password: string) => ({
  apiUrl: "http://127.0.0.1:2633/RPC2",
  credentials: Redacted.make(`oneadmin:${password}`)
})

/** Endpoints whose clients count when they begin and end. */
const counted = () => {
  const seen = { opened: 0, closed: 0 }
  const layer = Layer.succeed(OpenNebulaEndpoints, {
    client: ({ apiUrl }) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          seen.opened += 1
          return { endpoint: apiUrl, call: () => Effect.dieMessage("no calls here") }
        }),
        () => Effect.sync(() => (seen.closed += 1))
      )
  })
  return { seen, connections: Layer.provide(OpenNebulaConnections.layer, layer) }
}

describe("connecting", () => {
  it.scoped("shares client and watcher between offerings with the same settings, until the last has gone", () => {
    const { seen, connections } = counted()
    return Effect.gen(function* () {
      const first = yield* Scope.make()
      const second = yield* Scope.make()
      const one = yield* Scope.extend(connect(settings("a")), first)
      const two = yield* Scope.extend(connect(settings("a")), second)
      expect(two.watcher).toBe(one.watcher)
      yield* Scope.close(first, Exit.void)
      expect(seen).toEqual({ opened: 1, closed: 0 })
      yield* Scope.close(second, Exit.void)
      expect(seen).toEqual({ opened: 1, closed: 1 })
    }).pipe(Effect.provide(connections))
  })

  it.scoped("keeps users apart", () => {
    const { connections } = counted()
    return Effect.gen(function* () {
      const one = yield* connect(settings("a"))
      const two = yield* connect(settings("b"))
      expect(two.watcher).not.toBe(one.watcher)
    }).pipe(Effect.provide(connections))
  })

  it.scoped("says what is wrong in the settings before any call", () =>
    Effect.gen(function* () {
      const fault = yield* Effect.flip(connect({ ...settings("a"), apiUrl: "not a url" }))
      expect(fault._tag).toBe("OfferingFault")
    }).pipe(Effect.provide(OpenNebulaConnections.live()))
  )
})

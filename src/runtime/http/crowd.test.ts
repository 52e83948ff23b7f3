import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { makeCrowd } from "./crowd.js"

describe("requests at work", () => {
  it.effect("are so many; others are refused until one is over, but never a probe", () =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const app = makeCrowd(2)(Effect.as(Deferred.await(over), HttpServerResponse.empty({ status: 204 })))
      const ask = (path: string) =>
        Effect.provideService(
          Effect.map(app, ({ status }) => status),
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(new Request(`http://127.0.0.1${path}`))
        )
      const first = yield* Effect.fork(ask("/metrics"))
      const second = yield* Effect.fork(ask("/metrics"))
      yield* Effect.yieldNow()
      expect(yield* ask("/metrics")).toBe(503)
      const probe = yield* Effect.fork(ask("/healthz"))
      // Whoever goes away makes room as well.
      yield* Fiber.interrupt(second)
      const third = yield* Effect.fork(ask("/metrics"))
      yield* Deferred.succeed(over, undefined)
      expect(yield* Effect.all([first, probe, third].map(Fiber.join))).toEqual([204, 204, 204])
      expect(yield* ask("/metrics")).toBe(204)
    })
  )
})

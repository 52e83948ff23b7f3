/** Traces of orders, as a collector gets them. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Either, Exit, Fiber, Scope, TestClock } from "effect"
import { exportingTracer } from "../../src/runtime/tracing/exporting.js"
import { tracingEnvironment } from "../../src/runtime/tracing/index.js"
import { makeSite, scenario } from "../support/agent.js"
import { serveHttp } from "../support/tinyServers.js"
import { collector } from "./collector.js"

/** OpenTelemetry's exporter reads the process's environment, and nothing else. */
const withEnvironment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

const always = { kind: "on", ratio: 1, parentBased: true } as const

describe("traces", () => {
  scenario("tell a collector of an order from its beginning to set_state_done, each step and call, and no secret", () =>
    Effect.gen(function* () {
      const received = yield* collector
      yield* withEnvironment({
        OTEL_EXPORTER_OTLP_ENDPOINT: received.url,
        OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=cloud",
        OTEL_SERVICE_NAME: "agent-of-tartu",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=trial"
      })
      const scope = yield* Scope.make()
      const tracer = yield* Scope.extend(exportingTracer(always), scope)
      const site = yield* makeSite({ cloud: { password: "xyzzy-plugh" }, traced: true })
      let lost = false
      site.cloud.intercept(({ method }) => {
        if (method !== "one.vdc.allocate" || lost) return undefined
        lost = true
        return { _tag: "Drop", when: "after" }
      })
      const agent = yield* Effect.withTracer(site.start(), tracer)
      const order = yield* site.order.vdc("traced")
      expect(order.state).toBe("done")
      yield* site.awaitActivity((activity) => activity._tag === "Order" && activity.event === "done")
      yield* agent.stop
      yield* Scope.close(scope, Exit.void)

      const { bodies, requests, resources } = received
      expect(requests[0]).toMatchObject({
        path: "/v1/traces",
        headers: { "x-tenant": "cloud", "content-type": "application/x-protobuf" }
      })
      expect(resources[0]).toMatchObject({ "service.name": "agent-of-tartu", "deployment.environment": "trial" })

      const spans = received.spans.filter(({ trace }) => trace === order.uuid)
      const named = (name: string) => spans.filter((span) => span.name === name)
      const [root] = named("order")
      expect(root).toMatchObject({ parent: "", failed: false })
      expect(root?.attributes).toMatchObject({ order: order.uuid, resource: order.resource.uuid })
      // Its first attempt broke off at the answer that was lost; the second one found what that had made.
      expect(named("attempt").map(({ failed }) => failed)).toEqual([true, false])
      const parents = new Map(spans.map((span) => [span.id, span]))
      for (const span of spans) {
        expect(span.start).toBeLessThanOrEqual(span.end)
        if (span !== root) expect(parents.has(span.parent), `${span.name} hangs on a span of the trace`).toBe(true)
      }
      const done = named("waldur POST marketplace-orders/{uuid}/set_state_done/")
      expect(done).toHaveLength(1)
      expect(done[0]?.attributes).toMatchObject({ "waldur.uuid": order.uuid, "http.response.status_code": "200" })
      const [allocate] = named("one.group.allocate")
      expect(parents.get(allocate?.parent ?? "")?.name).toMatch(/^step /)
      expect(Number(allocate?.attributes["opennebula.bytes"])).toBeGreaterThan(0)
      expect(named("one.vdc.allocate")[0]?.attributes["error.type"]).toBeDefined()
      // Nothing of the libraries' own.
      expect(received.spans.filter(({ name }) => /sql|http\.|Process/.test(name))).toEqual([])

      const secrets = [site.world.agentToken, site.cloud.session, "xyzzy-plugh"]
      for (const secret of secrets) expect(bodies.some((body) => body.includes(secret))).toBe(false)
    })
  )

  it.scoped(
    "are not waited for at the end, where the collector takes them and never answers",
    () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const port = yield* serveHttp(() => Deferred.unsafeDone(asked, Effect.void))
        yield* withEnvironment({
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_TIMEOUT: "300000"
        })
        const closed = yield* exportingTracer(always).pipe(
          Effect.flatMap((tracer) => Effect.void.pipe(Effect.withSpan("order"), Effect.withTracer(tracer))),
          Effect.scoped,
          Effect.fork
        )
        yield* Deferred.await(asked)
        expect(closed.unsafePoll()).toBeNull()
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(closed)
      }),
    // OpenTelemetry's processor of spans gives up by itself after 30 s.
    29_000
  )

  const read = (variables: Readonly<Record<string, string>>) => tracingEnvironment(variables)
  const somewhere = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }

  it("are off unless there is somewhere to send them, and where they are switched off", () => {
    expect(read({})).toEqual(Either.right(undefined))
    expect(read({ ...somewhere, OTEL_SDK_DISABLED: "true" })).toEqual(Either.right(undefined))
    expect(read({ ...somewhere, OTEL_TRACES_EXPORTER: "none" })).toEqual(Either.right(undefined))
  })

  it("are sampled as the environment says", () => {
    expect(read(somewhere)).toEqual(Either.right(always))
    expect(read({ ...somewhere, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" })).toEqual(
      Either.right({ kind: "ratio", ratio: 0.25, parentBased: false })
    )
    expect(read({ ...somewhere, OTEL_TRACES_SAMPLER: "sometimes" })).toEqual(
      Either.left(
        'OTEL_TRACES_SAMPLER is "sometimes": use one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio.'
      )
    )
    expect(read({ ...somewhere, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" })).toEqual(
      Either.left('OTEL_TRACES_SAMPLER_ARG is "2": use a number from 0 to 1.')
    )
    expect(Either.isLeft(read({ ...somewhere, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }))).toBe(true)
  })
})

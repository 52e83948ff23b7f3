/** What Sentry is told, at a receiver on real HTTP. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Layer, Logger, Option, Redacted, Schedule, Schema } from "effect"
import { defineBackend } from "../../src/core/index.js"
import { accepted, file } from "../../src/runtime/config/harness.js"
import { sentry } from "../../src/runtime/telemetry/index.js"
import { makeSite, scenario } from "../support/agent.js"
import { serveHttp } from "../support/tinyServers.js"

const Event = Schema.Struct({
  level: Schema.String,
  message: Schema.String,
  release: Schema.String,
  tags: Schema.Record({ key: Schema.String, value: Schema.String }),
  extra: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  exception: Schema.optional(
    Schema.Struct({
      values: Schema.Array(
        Schema.Struct({
          type: Schema.String,
          value: Schema.String,
          stacktrace: Schema.optional(Schema.Struct({ frames: Schema.Array(Schema.Unknown) }))
        })
      )
    })
  )
})

/** Sentry, as far as an agent sees it. */
const receiver = (status = 200) =>
  Effect.gen(function* () {
    const bodies: Array<string> = []
    const paths: Array<string> = []
    const port = yield* serveHttp((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        paths.push(request.url ?? "")
        bodies.push(Buffer.concat(chunks).toString())
        response.writeHead(status).end("{}")
      })
    })
    const events = () =>
      bodies.map((body) => Schema.decodeUnknownSync(Schema.parseJson(Event))(body.split("\n")[2] ?? ""))
    return { dsn: `http://public@127.0.0.1:${port}/7`, bodies, paths, events }
  })

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({ duration: "1 minute", onTimeout: () => new Error("it never came") })
  )

/** Runs it with a log that goes to Sentry, and gives the lines of that log when all has been sent. */
const reporting = (dsn: string, effect: Effect.Effect<void, unknown>, secrets: string) =>
  Effect.gen(function* () {
    const config = yield* Effect.promise(() => accepted(file()))
    const [offering] = config.offerings
    if (offering === undefined) return yield* Effect.dieMessage("the file of the tests has an offering")
    const lines: Array<string> = []
    const told = sentry({
      ...config,
      offerings: [
        {
          ...offering,
          waldur: { ...offering.waldur, credentials: { _tag: "Token", token: Redacted.make(secrets) } }
        }
      ],
      sentryDsn: Option.some(Redacted.make(dsn))
    })
    const local = Logger.replace(
      Logger.defaultLogger,
      Logger.map(Logger.logfmtLogger, (line) => {
        lines.push(line)
      })
    )
    yield* effect.pipe(Effect.provide(Layer.provideMerge(told, local)))
    return lines
  })

describe("Sentry", () => {
  it.scopedLive("is told errors and bugs, with what they are about and without secrets; and nothing less", () =>
    Effect.gen(function* () {
      const { dsn, bodies, events, paths } = yield* receiver()
      const bug = new Error("it broke with hunter2-token")
      yield* reporting(
        dsn,
        Effect.logInfo("fine").pipe(
          Effect.zipRight(Effect.logWarning("odd")),
          Effect.zipRight(Effect.logError("Quarantined by hunter2-token", Cause.die(bug))),
          Effect.annotateLogs({ offering: "VDC", order: "0a", resource: "0b", path: "hunter2-token" })
        ),
        "hunter2-token"
      )
      expect(paths.map((path) => path.split("?")[0])).toEqual(["/api/7/envelope/"])
      expect(bodies.join()).not.toContain("hunter2")
      const [event] = events()
      expect(event).toMatchObject({
        level: "error",
        message: "Quarantined by <redacted>",
        tags: { offering: "VDC", order: "0a", resource: "0b" },
        extra: { path: "<redacted>", met_before: 0 },
        exception: { values: [{ type: "Error", value: "it broke with <redacted>" }] }
      })
      expect(event?.release).toMatch(/^site-actors@\d/)
      expect(event?.exception?.values[0]?.stacktrace?.frames.length).toBeGreaterThan(0)
    })
  )

  it.scopedLive("hears of the same fault once a minute, however often it is met, and of another at once", () =>
    Effect.gen(function* () {
      const { dsn, events } = yield* receiver()
      const met = Effect.forEach(Array.from({ length: 50 }), (_, n) => Effect.logError(`Order ${n} cannot be undone`))
      yield* reporting(dsn, Effect.zipRight(met, Effect.logError("Something else")), "no-secret")
      expect(events().map(({ message }) => message)).toEqual(["Order 0 cannot be undone", "Something else"])
    })
  )

  it.scopedLive("that is broken or away is said once in the log, which is not told to it", () =>
    Effect.gen(function* () {
      const { bodies, dsn } = yield* receiver(503)
      const lines = yield* reporting(
        dsn,
        Effect.gen(function* () {
          yield* Effect.logError("first")
          yield* until(() => bodies.length === 1)
          yield* Effect.logError("second")
          yield* until(() => bodies.length === 2)
          yield* Effect.sleep(Duration.millis(20))
        }),
        "no-secret"
      )
      expect(lines.filter((line) => line.includes("Sentry does not take"))).toHaveLength(1)
      const nobody = yield* reporting("http://public@127.0.0.1:1/7", Effect.logError("first"), "no-secret")
      expect(nobody.some((line) => line.includes("first"))).toBe(true)
    })
  )
})

const offering = "0ffe0000000040000000000000000003"
const cursed = defineBackend({
  contract: 1,
  type: "cursed",
  settings: Schema.Struct({}),
  attributes: Schema.Struct({}),
  shared: Layer.empty,
  open: () =>
    Effect.succeed({
      create: () => Effect.die(new Error("a bug in the plugin")),
      update: () => Effect.succeed({}),
      terminate: () => Effect.succeed({}),
      usage: () => Effect.succeed([]),
      observe: () => Effect.succeed([]),
      ping: Effect.void,
      check: Effect.succeed([])
    })
})

scenario("a bug that an order meets is told to Sentry with its offering, order and resource", () =>
  Effect.gen(function* () {
    const { dsn, events } = yield* receiver()
    const site = yield* makeSite({
      root: { sentry_dsn: dsn },
      plugins: [cursed],
      offerings: ({ marketplace, world }) => {
        marketplace.addOffering({
          customer: world.vdcOffering.customer,
          name: "Cursed",
          uuid: offering,
          components: []
        })
        const type = { backend_type: "cursed", order_processing_backend: "cursed", backend_settings: {} }
        return [{ name: "Cursed", waldur_offering_uuid: offering, ...type }]
      }
    })
    yield* site.start()
    const { marketplace, world } = site
    const plan = marketplace.world.offerings.get(offering)?.plans[0]?.uuid ?? ""
    const order = yield* site.place.wish({ offering, project: world.project.uuid, plan, attributes: { name: "one" } })
    yield* until(() => events().length === 1)
    const [event] = events()
    const resource = marketplace.world.orders.get(order)?.resource.uuid
    expect(event?.tags).toMatchObject({ offering: "Cursed", order, resource })
    expect(event?.exception?.values.map(({ value }) => value)).toEqual(["a bug in the plugin"])
  })
)

/** A plugin that breaks every promise, and the kit that says so: a kit that found nothing would prove nothing. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { startFakeCloud } from "../../packages/create-site-actors-plugin/template/src/fake-cloud.js"
import { renderReport, testBackend } from "../../src/kit/index.js"
import { defineBackend, ensureDone, make } from "../../src/plugin/index.js"

const present = {
  state: "there",
  healthy: true,
  measures: "quotas",
  mayExceed: [],
  standings: [],
  findings: [],
  facts: {}
} as const

const sender = (url: string, token: string) => (method: string, path: string, body?: unknown) =>
  Effect.promise(
    (): Promise<{ readonly id: string }> =>
      fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
        .then((answer) => answer.text())
        .then((text) => JSON.parse(text))
  )

/** Buckets of the scaffold's fake cloud, made by somebody who has not read the contract. */
const careless = defineBackend({
  contract: 1,
  type: "careless",
  settings: Schema.Struct({ url: Schema.String, token: Schema.String }),
  attributes: Schema.Struct({ name: Schema.optional(Schema.String) }),
  shared: Layer.empty,
  open: ({ settings: { token, url } }) => {
    const send = sender(url, token)
    return Effect.succeed({
      create: ({ resource }) =>
        Effect.gen(function* () {
          yield* Effect.logInfo(`Says ${token}`)
          const { id } = yield* make("bucket", {
            result: Schema.Struct({ id: Schema.String, access: Schema.Struct({ header: Schema.String }) }),
            // Never looks, and cannot take back.
            find: Effect.succeed(Option.none()),
            create: Effect.map(
              send("POST", "/buckets", { name: `${resource.name}-${crypto.randomUUID()}`, tag: resource.id }),
              (bucket) => ({ id: bucket.id, access: { header: `Bearer ${token}` } })
            )
          })
          yield* ensureDone("quota", send("PATCH", `/buckets/${id}`, { quotaMegabytes: 10 }))
          return { backendId: id }
        }),
      update: () => Effect.succeed({}),
      terminate: ({ resource }) =>
        Effect.as(ensureDone("remove", send("DELETE", `/buckets/${resource.backendId}`)), {}),
      usage: (resources) => Effect.succeed(resources.map(({ id }) => ({ resource: id, amounts: { storage: 0 } }))),
      observe: (resources) =>
        Effect.succeed(
          resources.map(({ id }) => ({
            ...present,
            _tag: "Present" as const,
            resource: id,
            amounts: { storage: 11 },
            standing: { standing: "active" as const, complete: true, detail: "" }
          }))
        ),
      ping: Effect.void,
      check: Effect.succeed([{ subject: "cloud", status: "failed" as const, detail: "never looked at" }])
    })
  }
})

const makeBackend = Effect.gen(function* () {
  const { buckets, token, url } = yield* Effect.acquireRelease(Effect.promise(startFakeCloud), ({ close }) =>
    Effect.promise(close)
  )
  return {
    settings: { url, token },
    secrets: [token],
    objects: Effect.sync(() => [...buckets.values()].map(({ id, tag }) => ({ kind: "bucket", id, owner: tag })))
  }
})

it.live("the kit finds what a careless plugin does wrong, and where", () =>
  Effect.gen(function* () {
    const orders = { components: [{ type: "storage" }], create: { amounts: { storage: 10 } } }
    const report = yield* testBackend(careless, { makeBackend, orders, patience: 20 })
    const found = (status: string) => report.checks.filter((check) => check.status === status).map(({ name }) => name)
    expect(found("broken")).toEqual([
      "usage: one answer for each, and no number for what is not there",
      "observe: a fresh resource is as it was ordered",
      "observe: what is not there is missing",
      "ping and check: the offering is well",
      "observe: a terminated resource is missing",
      "a create that is given up leaves nothing",
      "many resources at once, and nothing is left in the end",
      "no secret in log or journal"
    ])
    const secrets = report.checks.find(({ name }) => name === "no secret in log or journal")?.detail
    expect(secrets).toMatch(/^a secret is in the log: .*message="Says <secret>"/)
    expect(secrets).toMatch(
      /; a secret is in the journal: step "bucket", entry "finished", at data(\.\w+)*\.access\.header$/
    )
    const cellsWith = (kind: string) =>
      report.cells
        .filter(({ problems }) => problems.some((one) => one.kind === kind))
        .map(({ moment, operation, step }) => `${operation}, ${step}, ${moment}`)
    // What is made by a call whose answer is lost is made again; what is given up stays.
    expect(cellsWith("duplicate")).toEqual(["create, bucket, during", "create, bucket, lost"])
    expect(cellsWith("leftover")).toEqual(expect.arrayContaining(["create, bucket, refused", "create, quota, unknown"]))
    expect(report.problems).toContain('create, step "bucket", during: duplicate: 2 of kind bucket, should be 1')
    expect(renderReport(report)).toContain("careless: the plugin contract is broken")
  })
)

/** Buckets with a bug of their own: `undo`, the name of the second step, and whether the bucket is made in no step at all. */
const withBug = (undo: Effect.Effect<void>, second: string, isInStep = true) =>
  defineBackend({
    contract: 1,
    type: "buggy",
    settings: Schema.Struct({ url: Schema.String, token: Schema.String }),
    attributes: Schema.Struct({ name: Schema.optional(Schema.String) }),
    shared: Layer.empty,
    open: ({ settings: { token, url } }) => {
      const send = sender(url, token)
      return Effect.succeed({
        create: ({ resource }) =>
          Effect.gen(function* () {
            const create = Effect.map(
              send("POST", "/buckets", { name: `${resource.name}-${crypto.randomUUID()}`, tag: resource.id }),
              (bucket) => bucket.id
            )
            const id = yield* isInStep
              ? make("bucket", {
                  result: Schema.String,
                  find: Effect.succeed(Option.none()),
                  create,
                  undo: () => undo
                })
              : create
            yield* ensureDone(second, send("PATCH", `/buckets/${id}`, { quotaMegabytes: 10 }))
            return { backendId: id }
          }),
        update: () => Effect.succeed({}),
        terminate: ({ resource }) =>
          Effect.as(ensureDone("remove", send("DELETE", `/buckets/${resource.backendId}`)), {}),
        usage: () => Effect.succeed([]),
        observe: () => Effect.succeed([]),
        ping: Effect.void,
        check: Effect.succeed([])
      })
    }
  })

/** The patience is longer than the test's: nothing waits for an order that a bug keeps from its end. */
it.live("the kit names a plugin's bug at once, where its order does not end", () =>
  Effect.gen(function* () {
    const orders = { components: [{ type: "storage" }], create: { amounts: { storage: 10 } } }
    const told = (plugin: ReturnType<typeof withBug>) =>
      Effect.map(testBackend(plugin, { makeBackend, orders, patience: 600 }), ({ problems }) => problems.join("\n"))
    expect(yield* told(withBug(Effect.void, "bucket"))).toContain(
      'the create order does not end, by a bug: StepDefect: Step "bucket": the name is used twice in this order'
    )
    expect(yield* told(withBug(Effect.die(new Error("no such field")), "quota"))).toContain(
      'create, step "bucket", undo after: wrong: the create order does not end, by a bug: Error: no such field'
    )
    expect(yield* told(withBug(Effect.void, "quota", false))).toMatch(
      /^create: what it makes, it makes in its steps: made before its first step, so it may be made before the order is approved: bucket /m
    )
  })
)

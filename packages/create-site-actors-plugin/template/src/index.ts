/**
 * A backend for Waldur's marketplace: buckets, with a quota. Read `create`, `update` and `terminate` from top to bottom: each is what happens to
 * the resource, step by step. A step that was begun is in the journal, so a crash anywhere loses nothing and makes nothing twice.
 */
import { Effect, Layer, Option, Schema } from "effect"
import {
  type Amounts,
  decide,
  defineBackend,
  ensureDone,
  foreign,
  make,
  missing,
  OrderRefused,
  present
} from "site-actors/plugin"
import { connect, Settings } from "./cloud.js"

const quotaOf = (amounts: Amounts): number => amounts.storage ?? 0

export default defineBackend({
  contract: 1,
  type: "example-buckets",
  settings: Settings,
  attributes: Schema.Struct({ name: Schema.optional(Schema.String) }),
  quantities: [{ name: "storage", unit: "MB", ordered: true, measured: "now" }],
  shared: Layer.empty,
  open: ({ components, settings }) => {
    const cloud = connect(settings)
    return Effect.succeed({
      create: ({ amounts, resource }) =>
        Effect.gen(function* () {
          const id = yield* make("bucket", {
            result: Schema.String,
            find: Effect.map(cloud.ownedBy(resource.id), (found) =>
              Option.map(Option.fromNullable(found), (bucket) => bucket.id)
            ),
            create: Effect.map(cloud.create(resource.name, resource.id), (bucket) => bucket.id),
            undo: cloud.remove
          })
          yield* ensureDone("quota", cloud.setQuota(id, quotaOf(amounts)))
          return { backendId: id, metadata: { bucket: resource.name } }
        }),
      update: ({ amounts, resource }) =>
        Effect.gen(function* () {
          const before = yield* decide(
            "quota before",
            Schema.Number,
            Effect.flatMap(cloud.ownedBy(resource.id), (found) =>
              found === undefined
                ? new OrderRefused({ customerMessage: "The bucket does not exist any more: ask the provider." })
                : Effect.succeed(found.quotaMegabytes)
            )
          )
          const set = (quota: number) => Effect.asVoid(cloud.setQuota(resource.backendId, quota))
          yield* ensureDone("quota", set(quotaOf(amounts)), set(before))
          return {}
        }),
      terminate: ({ resource }) =>
        Effect.gen(function* () {
          const found = yield* decide(
            "what there is",
            Schema.NullOr(Schema.String),
            Effect.map(cloud.ownedBy(resource.id), (bucket) => bucket?.id ?? null)
          )
          if (found !== null) yield* ensureDone("remove bucket", cloud.remove(found))
          return {}
        }),
      usage: (resources) =>
        Effect.map(cloud.list, (all) =>
          resources.map(({ id }) => {
            const found = all.find(({ tag }) => tag === id)
            return found === undefined
              ? { resource: id, amounts: {}, problem: "There is no bucket of this resource." }
              : { resource: id, amounts: { storage: found.quotaMegabytes } }
          })
        ),
      observe: (resources) =>
        Effect.map(cloud.list, (all) =>
          resources.map(({ backendId, id }) => {
            const found = all.find((bucket) => bucket.id === backendId)
            if (found === undefined) return missing(id)
            if (found.tag !== id) return foreign(id, `bucket ${found.id}`, found.tag || "nobody")
            return present(id, { amounts: { storage: found.quotaMegabytes } })
          })
        ),
      ping: Effect.asVoid(cloud.list),
      check: Effect.match(cloud.list, {
        onFailure: (error) => [{ subject: "cloud", status: "failed" as const, detail: error.message }],
        onSuccess: (all) => [
          { subject: "cloud", status: "ok" as const, detail: `${all.length} buckets, ${components.length} components` }
        ]
      })
    })
  }
})

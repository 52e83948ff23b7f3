/** Runs the plugin through crashes at each of its steps, lost answers, refusals and more: the contract kit. */
import { Effect } from "effect"
import { renderReport, testBackend } from "site-actors/plugin/testing"
import { expect, test } from "vitest"
import { startFakeCloud } from "../src/fake-cloud.js"
import plugin from "../src/index.js"

/** A cloud for one run, with everything in it as the kit wants to see it. */
const makeBackend = Effect.gen(function* () {
  const cloud = yield* Effect.acquireRelease(Effect.promise(startFakeCloud), ({ close }) => Effect.promise(close))
  const { buckets, token, url } = cloud
  return {
    settings: { url, token },
    secrets: [token],
    objects: Effect.sync(() =>
      [...buckets.values()].map((bucket) => ({
        kind: "bucket",
        id: bucket.id,
        owner: bucket.tag,
        detail: `${bucket.quotaMegabytes} MB`
      }))
    ),
    foreign: (resource: { readonly name: string }) =>
      Effect.sync(() => {
        buckets.set("theirs", { id: "theirs", name: resource.name, tag: "", quotaMegabytes: 1 })
      }),
    disturb: (id: string) =>
      Effect.sync(() => {
        const bucket = buckets.get(id)
        if (bucket !== undefined) buckets.set(id, { ...bucket, quotaMegabytes: 7 })
      })
  }
})

test("the plugin keeps the contract", { timeout: 120_000 }, async () => {
  const report = await Effect.runPromise(
    testBackend(plugin, {
      makeBackend,
      orders: {
        components: [{ type: "storage", measuredUnit: "GB", unitFactor: 1024 }],
        create: { amounts: { storage: 10 } },
        update: { amounts: { storage: 20 } }
      }
    })
  )
  console.log(renderReport(report))
  expect(report.problems).toEqual([])
})

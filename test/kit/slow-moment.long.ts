/** The kit beside a machine that is slow for a moment: what that costs is time. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { startFakeCloud } from "../../packages/create-site-actors-plugin/template/src/fake-cloud.js"
import template from "../../packages/create-site-actors-plugin/template/src/index.js"
import { testBackend } from "../../src/kit/index.js"
import { NotYet, type Plugin } from "../../src/plugin/index.js"

const makeBackend = Effect.gen(function* () {
  const { buckets, token, url } = yield* Effect.acquireRelease(Effect.promise(startFakeCloud), ({ close }) =>
    Effect.promise(close)
  )
  return {
    settings: { url, token },
    objects: Effect.sync(() => [...buckets.values()].map(({ id, tag }) => ({ kind: "bucket", id, owner: tag })))
  }
})

/** Whatever is asked of the backend between orders, it cannot answer the first time: a slow moment of whatever machine the kit runs on. */
const atASlowMoment: Plugin = {
  ...template,
  open: (context, memoMap) =>
    Effect.map(template.open(context, memoMap), (opened) => {
      const asked = new Set<string>()
      const second = <A, E, R>(question: string, answer: Effect.Effect<A, E, R>) =>
        Effect.suspend((): Effect.Effect<A, E | NotYet, R> => {
          if (asked.has(question)) return answer
          asked.add(question)
          return new NotYet({ reason: "The cloud cannot be asked now." })
        })
      return {
        ...opened,
        usage: (resources, period) => second("usage", opened.usage(resources, period)),
        observe: (resources) => second(JSON.stringify(resources), opened.observe(resources)),
        ping: second("ping", opened.ping),
        check: Effect.catchAll(second("check", opened.check), ({ reason }) =>
          Effect.succeed([{ subject: "cloud", status: "failed" as const, detail: reason }])
        )
      }
    })
}

it.live("a backend that cannot answer now has broken no promise", () =>
  Effect.gen(function* () {
    const orders = {
      components: [{ type: "storage", measuredUnit: "GB", unitFactor: 1024 }],
      create: { amounts: { storage: 10 } },
      update: { amounts: { storage: 20 } }
    }
    const report = yield* testBackend(atASlowMoment, { makeBackend, orders, cells: 2 })
    expect(report.problems).toEqual([])
  })
)

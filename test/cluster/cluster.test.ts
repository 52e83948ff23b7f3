/** Several processes in short: one is killed, one stops for a while and wakes up late. The long form is `npm run cluster`. */
import { expect } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import type { ClusterSite } from "./site.js"
import { storm } from "./storm.js"

const takeover = 3

/** Kills the first, stops the second until it has lost everything. */
const strikes = ({ nodes: [first, second] }: ClusterSite) =>
  Effect.gen(function* () {
    if (first === undefined || second === undefined) return
    yield* Effect.sleep("400 millis")
    first.agent.kill()
    yield* first.agent.ended
    second.agent.signal("SIGSTOP")
    yield* Effect.sleep(Duration.seconds(takeover + 2)).pipe(
      Effect.ensuring(Effect.sync(() => second.agent.signal("SIGCONT")))
    )
    yield* first.restart
  }).pipe(Effect.uninterruptible, Effect.asVoid)

withAgent("three processes over one PostgreSQL", (it) => {
  it.scoped(
    "carry all orders out once, though one is killed and one wakes up late",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const { output, violations } = yield* storm({ main, processes: 3, takeover, vdcs: 2, vmsOfEach: 3, strikes })
        expect(violations, output).toEqual([])
      }),
    long
  )
})

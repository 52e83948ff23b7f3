/** Holds the simulated broker to recordings of a real RabbitMQ's Web STOMP. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { recordings } from "./stomp-recordings.js"
import { replay } from "./stomp-replay.js"

/** Recordings that the simulator does not repeat, and why. */
const knownMismatches: Readonly<Record<string, string>> = {}

it.live("the simulated broker answers every recorded client as the real one did", () =>
  Effect.gen(function* () {
    const outcomes = yield* Effect.forEach(
      recordings(),
      (recording) => Effect.map(replay(recording), (difference) => ({ recording, difference })),
      { concurrency: 8 }
    )
    const mismatches = outcomes.filter(({ difference }) => difference !== undefined)
    for (const { difference, recording } of mismatches) {
      const reason = knownMismatches[recording.number] ?? "unexpected"
      console.log(`mismatch ${recording.number} ${recording.name} (${reason}): ${difference}`)
    }
    console.log(`conformance stomp: ${outcomes.length - mismatches.length} of ${outcomes.length} recordings match`)
    expect(mismatches.map(({ recording }) => recording.number)).toEqual(Object.keys(knownMismatches))
    expect(outcomes.length).toBe(62)
  })
)

/** Holds the simulated OpenNebula to the recorded session with a real one. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { poolOf } from "../../src/opennebula/model/element.js"
import { HistoryRecord } from "../../src/opennebula/model/history.js"
import { decode } from "../support/openNebulaDecoding.js"
import { agentMethods, readRecordings } from "./opennebula-recordings.js"
import { replay } from "./opennebula-replay.js"

/** Raised whenever more match; never lowered. */
const floor = 541

/** Exchanges of which the agent reads nothing, or nothing of what differs; which the simulator answers otherwise, and why. */
const knownMismatches: Readonly<Record<string, string>> = {
  "245": "the simulator does not know a VM's state before the last (PREV_STATE); what the agent reads is the same",
  "246": "the same, with a range of time",
  "254": "the laboratory had two samples of host 0 and one of host 1; the simulator always has two"
}

/** What the agent reads of accounting, whatever the hour. */
const accounts = (answer: string) =>
  Effect.map(decode(poolOf("HISTORY", HistoryRecord), Buffer.from(answer)), (records) =>
    records.map(({ startedAt, endedAt, vmStartedAt, ...record }) => ({
      ...record,
      made: vmStartedAt > 0,
      started: startedAt > 0,
      ended: endedAt > 0
    }))
  )

it.scoped("answers the recorded session as the real front-end did", () =>
  Effect.gen(function* () {
    const outcomes = yield* replay(readRecordings())
    const mismatches = outcomes.filter((outcome) => outcome.difference !== undefined)
    const ofAgent = outcomes.filter((outcome) => agentMethods.has(outcome.recording.method))
    const agentMismatches = ofAgent.filter((outcome) => outcome.difference !== undefined)
    for (const { difference, recording } of mismatches) {
      const reason = knownMismatches[recording.number] ?? "unexpected"
      console.log(`mismatch ${recording.number} ${recording.method} ${recording.case} (${reason}): ${difference}`)
    }
    console.log(
      `conformance opennebula: ${outcomes.length - mismatches.length} of ${outcomes.length} recordings match; ` +
        `methods the agent calls: ${ofAgent.length - agentMismatches.length} of ${ofAgent.length}`
    )
    const accounting = outcomes.filter(({ recording }) => ["245", "246"].includes(recording.number))
    expect(accounting).toHaveLength(2)
    for (const { answer, recording } of accounting)
      expect(yield* accounts(answer)).toEqual(yield* accounts(recording.response))
    expect(agentMismatches.map(({ difference, recording }) => `${recording.number}: ${difference}`)).toEqual([])
    expect(mismatches.map(({ recording }) => recording.number)).toEqual(Object.keys(knownMismatches))
    expect(outcomes.length - mismatches.length).toBeGreaterThanOrEqual(floor)
  })
)

/** Sends the recorded session to a simulated front-end, in order and at the recorded pace, and compares every answer. */
import { Effect, TestClock } from "effect"
import type { DriverAction, FrontEnd } from "../../src/simulator/opennebula/index.js"
import { makeFrontEnd } from "../../src/simulator/opennebula/index.js"
import { refuseRequest } from "../../src/simulator/opennebula/wire/http.js"
import { difference } from "./opennebula-compare.js"
import type { Recording } from "./opennebula-recordings.js"

/**
 * Before these the recording client did not wait for the front-end to settle: their cases say "immediately", "twice" or "while",
 * or the story (narrative.txt) shows no wait there: 184 and 185 follow at once on a resize of a VM that stays PENDING, 468 to 471
 * on a terminate.
 */
const withoutWaiting = new Set([
  "042",
  "093",
  "098",
  "100",
  "184",
  "185",
  "462",
  "463",
  "468",
  "469",
  "470",
  "471",
  "475",
  "497"
])

/** The hypervisor was made to fail on purpose here. */
const failures: Readonly<Record<string, DriverAction>> = {
  "190": "deploy",
  "195": "shutdown",
  "197": "cancel",
  "198": "live-resize",
  "200": "live-disk-resize"
}

/** HTTP methods and paths that are not POST /RPC2. */
const heads: Readonly<Record<string, { readonly method: string; readonly url: string }>> = {
  get: { method: "GET", url: "/RPC2" },
  "get-root": { method: "GET", url: "/" },
  "post-other-path": { method: "POST", url: "/other" },
  "post-root-path": { method: "POST", url: "/" }
}

/** When the laboratory's front-end was started: 2026-11-22T20:24:11Z. */
const startedAt = 1795379051000

export interface Outcome {
  readonly recording: Recording
  /** Undefined: it matches. */
  readonly difference: string | undefined
  /** What the simulator answered. */
  readonly answer: string
}

const settle = (frontEnd: FrontEnd): Effect.Effect<void> =>
  Effect.suspend(() =>
    frontEnd.pendingWork() === 0 ? Effect.void : Effect.zipRight(TestClock.adjust("20 millis"), settle(frontEnd))
  )

const exchange = (frontEnd: FrontEnd, recording: Recording, request: Uint8Array) => {
  const head = heads[recording.case] ?? { method: "POST", url: "/RPC2" }
  const refused = refuseRequest({ ...head, contentLength: String(request.length) })
  return refused === undefined
    ? frontEnd.handle(request)
    : Effect.succeed({ status: refused.status, body: refused.body })
}

const tokenIn = (body: string): string | undefined => /<string>([0-9a-f]{64})<\/string>/.exec(body)?.[1]

export const replay = (recordings: ReadonlyArray<Recording>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(startedAt)
    const frontEnd = yield* makeFrontEnd()
    const outcomes: Array<Outcome> = []
    /** A client uses the login token that it was given, not the recorded one. */
    let token: { readonly recorded: string; readonly given: string } | undefined
    for (const recording of recordings) {
      if (!withoutWaiting.has(recording.number)) yield* settle(frontEnd)
      const failure = failures[recording.number]
      if (failure !== undefined) frontEnd.faults.failNext(failure)
      const request =
        token === undefined
          ? recording.request
          : Buffer.from(
              Buffer.from(recording.request).toString("latin1").replaceAll(token.recorded, token.given),
              "latin1"
            )
      const { body, status } = yield* exchange(frontEnd, recording, request)
      const recorded = tokenIn(recording.response)
      const given = tokenIn(body)
      if (recorded !== undefined && given !== undefined) token = { recorded, given }
      const found =
        status === recording.status
          ? difference(recording.response, body)
          : `expected HTTP ${recording.status} but was ${status}`
      outcomes.push({ recording, difference: found, answer: body })
      if (frontEnd.pendingWork() > 0) yield* TestClock.adjust(recording.millis)
    }
    return outcomes
  })

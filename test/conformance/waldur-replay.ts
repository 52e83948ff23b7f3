/** Sends every recorded request to the simulator, in order, as whoever sent it then, and compares the answers. */
import { Effect } from "effect"
import { type Generation, serve } from "../../src/simulator/waldur/index.js"
import {
  type Correspondence,
  differences,
  emptyCorrespondence,
  originOf,
  type SimulatedAnswer,
  translate,
  translateValue
} from "./waldur-compare.js"
import { type Recording, recordingsOf } from "./waldur-recordings.js"
import { worldOf } from "./waldur-world.js"

export interface Verdict {
  readonly recording: Recording
  /** Empty: it matches. */
  readonly differences: ReadonlyArray<string>
}

/**
 * The recorded path, and the query of the recorded address. They are of the request as it was sent: for a path without its trailing
 * slash the client was redirected, and the recorded `url` is where it ended.
 */
const addressOf = ({ request }: Recording, known: Correspondence, url: string): string =>
  `${url}${translate(request.path + new URL(request.url).search, known)}`

const bodyOf = ({ request }: Recording, known: Correspondence, url: string): string | undefined => {
  if (request.body === null) return undefined
  // Bodies that were no JSON were recorded as text.
  if (typeof request.body === "string") return request.body
  return JSON.stringify(translateValue(request.body, known, originOf(request.url), url))
}

const userAgent = (as: string): string => (as.includes("UA waldur-site-agent") ? "waldur-site-agent/1.0" : "recorder")

const ask = (
  recording: Recording,
  authorization: string | undefined,
  known: Correspondence,
  url: string
): Effect.Effect<SimulatedAnswer> =>
  Effect.promise(async () => {
    const body = bodyOf(recording, known, url)
    const contentType = recording.request.headers["Content-Type"]
    const response = await fetch(addressOf(recording, known, url), {
      method: recording.request.method,
      headers: {
        Accept: "*/*",
        "User-Agent": userAgent(recording.as),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...(contentType === undefined ? {} : { "Content-Type": contentType })
      },
      ...(body === undefined ? {} : { body })
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

/** The recorded servers had none of the published extras, and the recording client waited for background tasks. */
export const replay = (generation: Generation) =>
  Effect.gen(function* () {
    const recordings = recordingsOf(generation)
    const { url, marketplace } = yield* serve({ generation, published: false, seed: 1, taskAfter: "1 millis" })
    const authorizations = worldOf(recordings, marketplace)
    const known = emptyCorrespondence()
    return yield* Effect.forEach(recordings, (recording) =>
      Effect.gen(function* () {
        const answer = yield* ask(recording, authorizations.get(recording.as), known, url)
        yield* marketplace.settled
        const verdict: Verdict = { recording, differences: differences(recording, answer, known, url) }
        return verdict
      })
    )
  })

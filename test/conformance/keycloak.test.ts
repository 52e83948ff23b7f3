/**
 * The simulated Keycloak against recordings of a real one. What the agent calls has to match in every recording; the rest is counted, may
 * not get less, and is listed with its reason.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { isRace } from "./keycloak-recordings.js"
import { replay, type Verdict } from "./keycloak-replay.js"

/** Method and path of every call that the agent makes, below a realm. */
const agentCalls = [
  "POST /realms/:/protocol/openid-connect/token",
  "GET /admin/realms/:/users",
  "GET /admin/realms/:/users/:",
  "PUT /admin/realms/:/users/:/groups/:",
  "DELETE /admin/realms/:/users/:/groups/:",
  "GET /admin/realms/:/groups",
  "POST /admin/realms/:/groups",
  "PUT /admin/realms/:/groups/:",
  "DELETE /admin/realms/:/groups/:",
  "GET /admin/realms/:/groups/:/children",
  "POST /admin/realms/:/groups/:/children",
  "GET /admin/realms/:/groups/:/members"
]

const noOrder = "hits of one name come in no order that follows from them"
const oneByOne = "two requests that meet in the database: the simulator answers one after another"
/** What is known not to match, and why. */
const unlike: { readonly [id: string]: string } = {
  "016-oidc-discovery": "the discovery document is nothing that the agent reads",
  "019-realm-create-old-token-then-get": "a realm has some hundred settings that nobody here reads",
  "254-race-user-create": `${oneByOne}, so the text of a 409 is always the first of two`,
  "255-race-member-add": `${oneByOne}, so there is no 409`,
  "256-race-group-delete": `${oneByOne}, so the later ones get 404`,
  "267-groups-search-child-default-max": noOrder,
  "268-groups-search-child-first0-max20": noOrder,
  "269-groups-search-child-first100-max20": noOrder
}

/** The number that matched when this was written: it may only grow. */
const floor = 284

const callOf = ({ recording: { exchange } }: Verdict): string | undefined => {
  const { method, path } = exchange.request
  return agentCalls.find((call) => new RegExp(`^${call.replaceAll(":", "[^/]+")}/?$`).test(`${method} ${path}`))
}

const shown = ({ recording, differences }: Verdict): string =>
  [recording.id, ...differences.slice(0, 6).map((line) => `    ${line}`)].join("\n")

describe("the simulated Keycloak answers as the recorded one did", () => {
  it.scopedLive("in every exchange of a call that the agent makes, and in nearly all others", () =>
    Effect.gen(function* () {
      const verdicts = yield* replay
      const matching = verdicts.filter(({ differences }) => differences.length === 0)
      const others = verdicts.filter(({ differences }) => differences.length > 0)
      const recorded = agentCalls.filter((call) => verdicts.some((verdict) => callOf(verdict) === call))
      // Races, and a search for what the agent never searches, apart: those have their reasons.
      const unexplained = others.filter(({ recording }) => unlike[recording.id] === undefined)
      const whole = recorded.filter((call) => !unexplained.some((verdict) => callOf(verdict) === call))
      yield* Effect.sync(() => {
        console.log(
          `conformance keycloak: ${matching.length} of ${verdicts.length} recordings match; methods the agent calls: ${whole.length} of ${agentCalls.length}`
        )
        for (const { recording } of others) {
          console.log(`  unlike: ${recording.id} (${unlike[recording.id] ?? "not explained"})`)
        }
      })
      expect(unexplained.map(shown)).toEqual([])
      expect(recorded).toEqual(agentCalls)
      expect(matching.length).toBeGreaterThanOrEqual(floor)
      expect(verdicts.filter(({ recording }) => isRace(recording.exchange)).length).toBe(5)
    })
  )
})

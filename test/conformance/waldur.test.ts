/**
 * The simulated marketplace against recordings of real servers. What the agent calls has to match in every recording; the rest is
 * counted, may not get less, and is listed with its reason.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { replay, type Verdict } from "./waldur-replay.js"

/** Method and path of every call that the agent makes. `:uuid` is any one segment. */
const agentCalls = [
  "GET users/me/",
  "GET version/",
  "GET marketplace-provider-offerings/:uuid/",
  "GET marketplace-provider-offerings/",
  "GET marketplace-plans/",
  "GET marketplace-plans/:uuid/",
  "GET marketplace-service-providers/",
  "GET marketplace-service-providers/:uuid/keys/",
  "GET marketplace-orders/",
  "GET marketplace-orders/:uuid/",
  "POST marketplace-orders/:uuid/approve_by_provider/",
  "POST marketplace-orders/:uuid/set_backend_id/",
  "POST marketplace-orders/:uuid/set_state_done/",
  "POST marketplace-orders/:uuid/set_state_erred/",
  "POST marketplace-orders/:uuid/set_state_executing/",
  "GET marketplace-provider-resources/",
  "GET marketplace-provider-resources/:uuid/",
  "GET marketplace-provider-resources/:uuid/team/",
  "POST marketplace-provider-resources/:uuid/set_backend_id/",
  "POST marketplace-provider-resources/:uuid/set_backend_metadata/",
  "POST marketplace-provider-resources/:uuid/set_endpoints/",
  "POST marketplace-provider-resources/:uuid/set_limits/",
  "POST marketplace-slurm-remote/:uuid/set_limits/",
  "POST marketplace-component-usages/set_usage/",
  "GET marketplace-component-usages/"
]

/** What is known not to match, and why. Nothing that the agent calls may stand here. */
const unlike: { readonly [name: string]: string } = {
  configuration: "the settings page has some hundred entries that nobody here reads",
  options: "the answer describes the form's fields, which no client here asks for"
}

/** The number that matched when this was written: it may only grow. */
const floor = 399

const pathOf = (path: string): string => path.slice("/api/".length).replace(/\/?$/, "/")

const callOf = ({ recording }: Verdict): string | undefined =>
  agentCalls.find((call) => {
    const [method, pattern = ""] = call.split(" ")
    return (
      recording.request.method === method &&
      new RegExp(`^${pattern.replaceAll(":uuid", "[0-9a-f]{32}")}$`).test(pathOf(recording.request.path))
    )
  })

const shown = ({ recording, differences }: Verdict): string =>
  [recording.id, ...differences.slice(0, 8).map((line) => `    ${line}`)].join("\n")

describe("the simulated marketplace answers as the recorded servers did", () => {
  it.scopedLive("in every exchange of a call that the agent makes, and in nearly all others", () =>
    Effect.gen(function* () {
      const verdicts = [...(yield* replay("2024")), ...(yield* replay("current"))]
      const matching = verdicts.filter(({ differences }) => differences.length === 0)
      const others = verdicts.filter(({ differences }) => differences.length > 0)
      const recorded = agentCalls.filter((call) => verdicts.some((verdict) => callOf(verdict) === call))
      const whole = recorded.filter((call) => !others.some((verdict) => callOf(verdict) === call))
      yield* Effect.sync(() => {
        console.log(
          `conformance waldur: ${matching.length} of ${verdicts.length} recordings match; methods the agent calls: ${whole.length} of ${recorded.length}`
        )
        const silent = agentCalls.filter((call) => !recorded.includes(call))
        console.log(`conformance waldur: the agent also calls, without a recording: ${silent.join(", ")}`)
        for (const verdict of others)
          console.log(`  unlike: ${verdict.recording.id} (${unlike[verdict.recording.name] ?? "not explained"})`)
      })
      expect(others.filter((verdict) => callOf(verdict) !== undefined).map(shown)).toEqual([])
      expect(others.filter(({ recording }) => unlike[recording.name] === undefined).map(shown)).toEqual([])
      expect(matching.length).toBeGreaterThanOrEqual(floor)
    })
  )
})

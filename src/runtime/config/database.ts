/** Which PostgreSQL keeps the journal, if one does: the file's, or else the environment's. */
import { Effect, Config as Environment, Option, Redacted } from "effect"
import { addressHint, addressProblem, Postgres } from "../database/place.js"
import type { Problem } from "./problem.js"

const variable = "SITE_ACTORS_DATABASE"

/** `inFile`: what the file says, checked already. */
export const databaseOf = (
  inFile: Option.Option<Redacted.Redacted>,
  connections: number
): Effect.Effect<Option.Option<Postgres>, Problem> =>
  Effect.gen(function* () {
    const said = Option.filter(inFile, (url) => Redacted.value(url) !== "")
    if (Option.isSome(said)) return Option.some(new Postgres({ url: said.value, connections }))
    const set = yield* Effect.orElseSucceed(Environment.string(variable), () => "")
    if (set === "") return Option.none()
    const what = addressProblem(set)
    if (what !== undefined) {
      return yield* Effect.fail({ path: `the environment variable ${variable}`, what, hint: addressHint })
    }
    return Option.some(new Postgres({ url: Redacted.make(set), connections }))
  })

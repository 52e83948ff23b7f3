/**
 * A personal access token of Waldur's says when it expires: `w_<seconds since 1970>_<secret>` (source: waldur-mastermind,
 * core/tests/test_personal_access_tokens.py, `test_generate_token_format`). From then on each call is refused.
 */
import { Clock, Effect, Redacted } from "effect"
import type { Credentials } from "../../waldur/index.js"
import { type Finding, ok, warning } from "./row.js"

const subject = "API token"
/** ms: enough to hear of it at a look that is made once a month. */
const soon = 30 * 86_400_000

/** None of a token that does not say. */
export const tokenFindings = (credentials: Credentials): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const [, seconds] =
      credentials._tag === "Token" ? (/^w_(\d{1,11})_/.exec(Redacted.value(credentials.token).trim()) ?? []) : []
    if (seconds === undefined) return []
    const expires = Number(seconds) * 1000
    const day = new Date(expires).toISOString().slice(0, 10)
    if (expires > now + soon) return [ok(subject, `A personal access token, which expires on ${day}.`)]
    return [
      warning(
        subject,
        `This personal access token ${expires > now ? "expires" : "expired"} on ${day}: from then on all orders wait. Make a new one in Waldur, and start the agent with it.`
      )
    ]
  })

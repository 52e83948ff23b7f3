/** `site-actors token`: with what people sign in on the page. */
import { Command, Options } from "@effect/cli"
import { Console, Effect, Redacted } from "effect"
import { nameOf } from "../../database/place.js"
import { readTokens, rotateToken } from "../../http/tokens.js"
import { when } from "../../terminal/times.js"
import { described } from "../help.js"
import { journalFor, journalPlace } from "../open-journal.js"
import * as options from "../options.js"

const rotate = Options.boolean("rotate").pipe(
  Options.withDescription(
    "Make a new one. The one before ends, and everybody who signed in with it has to sign in anew."
  )
)
const role = Options.choice("role", ["operator", "viewer"]).pipe(
  Options.withDescription("Whose, an operator's if it is not said: an operator may do something, a viewer only looks."),
  Options.withDefault("operator" as const)
)

export const token = Command.make(
  "token",
  { ...options.journal, rotate, role, json: options.json },
  ({ config, dataDir, json, role, rotate }) =>
    Effect.gen(function* () {
      const known = rotate ? undefined : (yield* readTokens).find((kept) => kept.role === role)
      if (known !== undefined && json) {
        return yield* Console.log(JSON.stringify({ role, made: new Date(known.made).toISOString() }, null, 2))
      }
      if (known !== undefined) {
        return yield* Console.log(
          `There is a token for ${role}s, made on ${when(known.made)} (UTC). It is kept nowhere and cannot be shown again: --rotate makes another.`
        )
      }
      const made = yield* rotateToken(role)
      if (json) return yield* Console.log(JSON.stringify({ role, token: Redacted.value(made) }, null, 2))
      const { where } = yield* journalPlace({ config, dataDir })
      yield* Console.error(`For ${role}s, kept as a hash in ${nameOf(where)}. It is shown only now:`)
      yield* Console.log(Redacted.value(made))
    }).pipe(Effect.provide(journalFor({ config, dataDir }, false)), Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "Makes a token with which people sign in on the page, or says since when there is one.",
      "site-actors token -c config.yaml",
      "site-actors token -c config.yaml --rotate --role viewer"
    )
  )
)

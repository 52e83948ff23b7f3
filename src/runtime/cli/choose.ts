/** Which offerings of the configuration a command is about. */
import { Options } from "@effect/cli"
import { Effect, Option } from "effect"
import type { Config, OfferingConfig } from "../config/index.js"
import { NotPossible } from "./open-journal.js"

export const offering = Options.text("offering").pipe(
  Options.withDescription("Only this offering: its name in the configuration, or its uuid."),
  Options.optional
)

export const chosen = (
  { offerings }: Config,
  wanted: Option.Option<string>
): Effect.Effect<ReadonlyArray<OfferingConfig>, NotPossible> =>
  Option.match(wanted, {
    onNone: () => Effect.succeed(offerings),
    onSome: (text) => {
      const found = offerings.filter(({ id, name }) => name === text || id === text.replaceAll("-", "").toLowerCase())
      return found.length > 0
        ? Effect.succeed(found)
        : new NotPossible({
            reason: `The configuration has no offering ${JSON.stringify(text)}. It has: ${offerings.map(({ name }) => JSON.stringify(name)).join(", ")}.`
          })
    }
  })

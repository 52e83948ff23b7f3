/** Options that several commands share. */
import { Options } from "@effect/cli"
import { Effect, Option } from "effect"
import { NotPossible } from "./open-journal.js"

/**
 * A path, looked at where it is used: the library's own `Options.file` and `directory` (@effect/cli 0.77.2) refuse pipes, and what they say of a path
 * does not name the option. `completion.ts` knows the two words.
 */
export const path = (name: string, kind: "file" | "directory"): Options.Options<string> =>
  Options.text(name).pipe(Options.withPseudoName(kind))

export const config = path("config", "file").pipe(
  Options.withAlias("c"),
  Options.withDescription(
    "The configuration file (YAML), or a pipe that it comes through. The Python agent's works as it is."
  )
)

export const dataDir = path("data-dir", "directory").pipe(
  Options.withDescription("Where the journal is kept. Default: data_dir of the configuration, or ./site-actors-data."),
  Options.optional
)

/** For commands that look at no journal. */
export const unusedDataDir = path("data-dir", "directory").pipe(
  Options.withDescription(
    "Not needed here, as no journal is looked at: taken so that the words of the other commands will do."
  ),
  Options.optional
)

/** A whole number within bounds; anything else is a command line that is none. */
export const wholeNumber = (name: string, least: number, most: number) =>
  Options.integer(name).pipe(
    Options.filterMap(
      Option.liftPredicate((given: number) => given >= least && given <= most),
      `--${name} must be a whole number from ${least} to ${most}`
    )
  )

export const port = (fallback: number) =>
  wholeNumber("port", 0, 65_535).pipe(
    Options.withDescription(`The port to listen on, ${fallback} if it is not said; 0 takes any free one.`),
    Options.withDefault(fallback)
  )

export const json = Options.boolean("json").pipe(Options.withDescription("Print JSON instead of a table."))

/** Where the journal is, for commands that only look at it: one or the other, or the default directory. */
export const journal = { config: Options.optional(config), dataDir }

/** Of options that ask for different things: by name, which of them were given. */
export const onlyOne = (given: Readonly<Record<string, boolean>>): Effect.Effect<void, NotPossible> => {
  const names = Object.keys(given).filter((name) => given[name] === true)
  return names.length < 2
    ? Effect.void
    : new NotPossible({ reason: `${names.join(" and ")} ask for different things: give one of them.` })
}

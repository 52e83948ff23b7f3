/** Options that several commands share. */
import { Options } from "@effect/cli"

export const config = Options.file("config").pipe(
  Options.withAlias("c"),
  Options.withDescription("The configuration file (YAML). The Python agent's works as it is.")
)

export const dataDir = Options.directory("data-dir", { exists: "either" }).pipe(
  Options.withDescription("Where the journal is kept. Default: data_dir of the configuration, or ./site-actors-data."),
  Options.optional
)

export const port = (fallback: number) =>
  Options.integer("port").pipe(
    Options.withDescription("The port to listen on; 0 takes any free one."),
    Options.withDefault(fallback)
  )

export const json = Options.boolean("json").pipe(Options.withDescription("Print JSON instead of a table."))

/** Where the journal is, for commands that only look at it: one or the other, or the default directory. */
export const journal = { config: Options.optional(config), dataDir }

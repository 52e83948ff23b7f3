/** `site-actors journal`: the journal as data. */
import { Args, Command, Options } from "@effect/cli"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Console, Effect, Option, Stream } from "effect"
import { countOf } from "../../../core/index.js"
import { postgresOf } from "../../config/index.js"
import { fileOf, movedFrom } from "../../database/place.js"
import { backUp } from "../../journal/backup.js"
import { inspect } from "../../journal/consistency.js"
import { moveInto } from "../../journal/copy.js"
import { atOneMoment, jsonLines } from "../../journal/history.js"
import { described } from "../help.js"
import {
  dataDirectory,
  findOrder,
  isThere,
  journalAt,
  journalFile,
  journalPlace,
  NotPossible
} from "../open-journal.js"
import * as options from "../options.js"

const order = Options.text("order").pipe(
  Options.withDescription("Only this order: its uuid in Waldur, or its beginning."),
  Options.optional
)

const exportAll = Command.make("export", { ...options.journal, order }, (given) =>
  Effect.gen(function* () {
    const only = yield* Effect.transposeMapOption(given.order, findOrder)
    const lines = jsonLines(Option.map(only, (found) => found.order))
    yield* atOneMoment(
      Stream.runForEachChunk(lines, (chunk) =>
        Console.log([...chunk].join("\n")).pipe(Effect.when(() => chunk.length > 0))
      )
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Writes every entry as one line of JSON, the oldest first.",
      "site-actors journal export --data-dir /var/lib/site-actors > journal.jsonl"
    )
  )
)

const check = Command.make("check", { ...options.journal, json: options.json }, (given) =>
  Effect.gen(function* () {
    const { where } = yield* journalPlace(given)
    const oddities = yield* inspect(typeof where === "string" ? (yield* Path.Path).resolve(fileOf(where)) : where.name)
    yield* Console.log(
      given.json
        ? JSON.stringify({ sound: oddities.length === 0, oddities }, null, 2)
        : oddities.length === 0
          ? "The journal is sound."
          : oddities.join("\n")
    )
    if (oddities.length > 0) return yield* new NotPossible({ reason: `${oddities.length} oddities.` })
  }).pipe(Effect.provide(journalAt(given)))
).pipe(
  Command.withDescription(
    described(
      "Looks whether the file is sound and its orders make sense, as every start does.",
      "site-actors journal check -c config.yaml"
    )
  )
)

const target = Args.path({ name: "file", exists: "either" }).pipe(
  Args.withDescription("The file to make. One that is there already is left alone.")
)

const backup = Command.make(
  "backup",
  { ...options.journal, file: target, json: options.json },
  ({ file, json, ...place }) =>
    Effect.flatMap(journalFile(place), (journal) => backUp(journal, file)).pipe(
      Effect.flatMap((bytes) =>
        Console.log(
          json
            ? JSON.stringify({ file, bytes }, null, 2)
            : `${file}: ${Math.ceil(bytes / 1024)} KiB, readable by its owner only.`
        )
      )
    )
).pipe(
  Command.withDescription(
    described(
      "Copies the journal into a new file, while the agent works: see docs/deploy.md for how it is put back.",
      "site-actors journal backup -c config.yaml /backup/journal.db"
    )
  )
)

const move = Command.make(
  "move",
  { config: options.config, dataDir: options.dataDir, json: options.json },
  ({ config, dataDir, json }) =>
    Effect.gen(function* () {
      const database = yield* postgresOf(Option.some(config))
      if (Option.isNone(database)) {
        return yield* new NotPossible({
          reason:
            "The configuration names no PostgreSQL to move to: write `database: postgres://...` into it, or set SITE_ACTORS_DATABASE."
        })
      }
      const directory = yield* dataDirectory({ config: Option.some(config), dataDir })
      if (!(yield* isThere(directory))) {
        const moved = movedFrom(fileOf(directory))
        const isMoved = yield* Effect.orElseSucceed((yield* FileSystem.FileSystem).exists(moved), () => false)
        return yield* new NotPossible({
          reason: isMoved
            ? `The journal was moved before: its file is kept as ${moved}, and the agent is started with \`database\` in its configuration.`
            : `There is no journal in ${directory}: name its directory with --data-dir.`
        })
      }
      const { entries, moved } = yield* moveInto(directory, database.value)
      yield* Console.log(
        json
          ? JSON.stringify({ database: database.value.name, entries, file: moved }, null, 2)
          : `${countOf(entries, "entry is", "entries are")} in ${database.value.name} now, with all that belongs to them. The file is kept as ${moved}.`
      )
    })
).pipe(
  Command.withDescription(
    described(
      "Copies the journal out of its file into the PostgreSQL that the configuration names, and puts the file aside. The agent must not run.",
      "site-actors journal move -c config.yaml --data-dir /var/lib/site-actors"
    )
  )
)

export const journalCommands = [exportAll, check, backup, move] as const

export const journal = Command.make("journal").pipe(
  Command.withDescription("The journal of what was done: take it out as JSON, check it, back it up, or move it."),
  Command.withSubcommands(journalCommands)
)

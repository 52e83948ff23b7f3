/** `site-actors journal`: the journal as data. */
import { Args, Command, Options } from "@effect/cli"
import { Console, Effect, Option, Stream } from "effect"
import { backUp } from "../journal/backup.js"
import { inspect } from "../journal/consistency.js"
import { jsonLines } from "../journal/history.js"
import { findOrder, journalAt, journalFile, NotPossible } from "./open-journal.js"
import * as options from "./options.js"

const order = Options.text("order").pipe(
  Options.withDescription("Only this order: its uuid in Waldur, or its beginning."),
  Options.optional
)

const exportAll = Command.make("export", { ...options.journal, order }, (given) =>
  Effect.gen(function* () {
    const only = yield* Effect.transposeMapOption(given.order, findOrder)
    const lines = jsonLines(Option.map(only, (found) => found.order))
    yield* Stream.runForEachChunk(lines, (chunk) =>
      Console.log([...chunk].join("\n")).pipe(Effect.when(() => chunk.length > 0))
    )
  }).pipe(Effect.provide(journalAt(given)))
).pipe(Command.withDescription("Writes every entry as one line of JSON, the oldest first."))

const check = Command.make("check", options.journal, (given) =>
  Effect.gen(function* () {
    const oddities = yield* inspect("journal.db")
    yield* Console.log(oddities.length === 0 ? "The journal is sound." : oddities.join("\n"))
    if (oddities.length > 0) return yield* new NotPossible({ reason: `${oddities.length} oddities.` })
  }).pipe(Effect.provide(journalAt(given)))
).pipe(Command.withDescription("Looks whether the file is sound and its orders make sense, as every start does."))

const target = Args.file({ name: "file", exists: "either" }).pipe(
  Args.withDescription("The file to make. One that is there already is left alone.")
)

const backup = Command.make("backup", { ...options.journal, file: target }, ({ file, ...place }) =>
  Effect.flatMap(journalFile(place), (journal) => backUp(journal, file)).pipe(
    Effect.flatMap((bytes) => Console.log(`${file}: ${Math.ceil(bytes / 1024)} KiB, readable by its owner only.`))
  )
).pipe(
  Command.withDescription(
    "Copies the journal into a new file, while the agent works: see docs/deploy.md for how it is put back."
  )
)

export const journal = Command.make("journal").pipe(
  Command.withDescription("The journal of what was done: take it out as JSON, check it, or back it up."),
  Command.withSubcommands([exportAll, check, backup])
)

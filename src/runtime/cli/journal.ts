/** `site-actors journal`: the journal as data. */
import { Command, Options } from "@effect/cli"
import { Console, Effect, Option, Stream } from "effect"
import { inspect } from "../journal/consistency.js"
import { jsonLines } from "../journal/history.js"
import { findOrder, journalAt, NotPossible } from "./open-journal.js"
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

export const journal = Command.make("journal").pipe(
  Command.withDescription("The journal of what was done: take it out as JSON, or check it."),
  Command.withSubcommands([exportAll, check])
)

/** `site-actors bundle`: everything that somebody who helps needs to see, in one archive, without secrets. */
import { Command, Options } from "@effect/cli"
import { Clock, Console, Effect, Either, Layer, Option } from "effect"
import { gather, writeArchive } from "../../bundle/index.js"
import { type Config, loadConfig } from "../../config/index.js"
import { secretsOf } from "../../logging.js"
import { plugins } from "../../plugins.js"
import { described } from "../help.js"
import { dataDirectory, findOrder, journalAt } from "../open-journal.js"
import * as options from "../options.js"

const order = Options.text("order").pipe(
  Options.withDescription("The journal and the log of this order alone: its uuid, or its beginning."),
  Options.optional
)
const output = options
  .path("output", "file")
  .pipe(
    Options.withAlias("o"),
    Options.withDescription("The archive to write. Default: site-actors-<time>.zip here."),
    Options.optional
  )

const addressOf = ({ http }: Config): Option.Option<string> =>
  Option.map(
    http.port,
    (port) => `http://${http.host === "0.0.0.0" || http.host === "::" ? "127.0.0.1" : http.host}:${port}`
  )

export const bundle = Command.make("bundle", { ...options.journal, order, output, json: options.json }, (given) =>
  Effect.gen(function* () {
    // Whoever has a journal that cannot be opened needs the rest all the more. One that is not there is mostly looked for in the wrong place.
    const journal = yield* Layer.build(journalAt(given)).pipe(
      Effect.map(Either.right),
      Effect.catchAll((error) => (error._tag === "NoJournal" ? Effect.fail(error) : Effect.succeed(Either.left(error))))
    )
    const found = yield* Effect.transposeMapOption(given.order, (uuid) =>
      Either.match(journal, {
        onLeft: () => Effect.succeed(uuid.replaceAll("-", "").toLowerCase()),
        onRight: (context) => Effect.map(Effect.provide(findOrder(uuid), context), ({ order }) => order)
      })
    )
    // A file that cannot be read in full, as its secrets are elsewhere, is bundled all the same.
    const config = yield* Effect.transposeMapOption(given.config, (file) => Effect.option(loadConfig(file, plugins)))
    const loaded = Option.flatten(config)
    const parts = yield* gather({
      dataDir: yield* dataDirectory(given),
      config: given.config,
      journal,
      order: found,
      http: Option.flatMap(loaded, addressOf),
      secrets: Option.match(loaded, { onNone: () => [], onSome: secretsOf })
    })
    const at = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 19).replace(/[:T]/g, "-")
    const folder = `site-actors-${at}`
    const file = Option.getOrElse(given.output, () => `${folder}.zip`)
    yield* writeArchive(file, folder, parts)
    if (Either.isLeft(journal))
      yield* Console.error(`Without the journal, and what stands in it: ${journal.left.message}`)
    yield* Console.log(
      given.json
        ? JSON.stringify({ file, parts: Object.keys(parts) }, null, 2)
        : `Written: ${file}. It holds no secrets, but names of resources and addresses of servers: look into it before you send it.`
    )
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    described(
      "Gathers the configuration without its secrets, versions, health, metrics, journal and log into one archive for whoever helps.",
      "site-actors bundle -c config.yaml",
      "site-actors bundle -c config.yaml --order 3f2a6c0e"
    )
  )
)

/** `site-actors check`: the file, the servers and the permissions, before an order finds out. */
import { Command, Options } from "@effect/cli"
import { Console, Data, Effect, Layer } from "effect"
import { countOf } from "../../../core/index.js"
import { asJson, checkAll, exitCode, fileRefused, renderTable } from "../../check/index.js"
import { loadConfig } from "../../config/index.js"
import { connectWaldur, openBackend } from "../../offerings/open.js"
import { plugins } from "../../plugins.js"
import { coloured } from "../../terminal/paint.js"
import { described } from "../help.js"
import * as options from "../options.js"

/** Something in the table has failed; the table says what. */
export class CheckFailed extends Data.TaggedError("CheckFailed")<{ readonly failed: number }> {
  override get message(): string {
    return `${countOf(this.failed, "check")} failed.`
  }
}

const json = Options.boolean("json").pipe(Options.withDescription("Print the rows as JSON."))

export const check = Command.make(
  "check",
  { config: options.config, dataDir: options.unusedDataDir, json },
  ({ config, json }) =>
    Effect.gen(function* () {
      const memoMap = yield* Layer.makeMemoMap
      const rows = yield* loadConfig(config, plugins).pipe(
        Effect.flatMap((loaded) =>
          checkAll(
            loaded,
            loaded.offerings.map((offering) => ({
              offering,
              waldur: connectWaldur(offering),
              backend: (components) => openBackend(offering, components, memoMap)
            }))
          )
        ),
        Effect.catchTag("ConfigInvalid", (error) => Effect.succeed(fileRefused(error)))
      )
      yield* Console.log(json ? JSON.stringify(asJson(rows), null, 2) : renderTable(rows, { colours: coloured() }))
      if (exitCode(rows) !== 0) {
        return yield* new CheckFailed({ failed: rows.filter((row) => row.status === "failed").length })
      }
    })
).pipe(
  Command.withDescription(
    described(
      "Validates the configuration and tries everything it names: Waldur, permissions, the cloud, templates, networks. Exit code 1 if anything fails.",
      "site-actors check -c config.yaml",
      "site-actors check -c config.yaml --json | jq '.rows[] | select(.status == \"failed\")'"
    )
  )
)

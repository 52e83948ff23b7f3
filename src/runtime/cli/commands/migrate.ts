/** `site-actors migrate`: takes over what the Python agent made, after showing what that means. */
import { Command, Options } from "@effect/cli"
import { Console, Effect, Either, Option } from "effect"
import { countOf } from "../../../core/index.js"
import { loadConfig } from "../../config/index.js"
import { plugins } from "../../plugins.js"
import { counted } from "../../progress.js"
import { showing } from "../../terminal/progress.js"
import { nameColumn, table } from "../../terminal/table.js"
import { connectSites, type MigrationRow, migrate, planMigration } from "../../upkeep/index.js"
import { described } from "../help.js"
import { journalFor, NotPossible } from "../open-journal.js"
import * as options from "../options.js"
import { commandOwner, journalServices } from "./orphans.js"

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Only print what would be done; nothing is changed.")
)

const outcomeOf = ({ changes, problem }: MigrationRow, done: string): string =>
  problem === undefined ? (changes ? done : "as it should be") : `cannot: ${problem}`

const shown = (rows: ReadonlyArray<MigrationRow>, done: (row: MigrationRow) => string): string =>
  table(
    [
      nameColumn("offering"),
      { title: "resource" },
      nameColumn("name"),
      nameColumn("backend id"),
      nameColumn("becomes"),
      { title: "gets our tag" },
      { title: "" }
    ],
    rows.map((row) => [
      row.site.name,
      row.resource.uuid,
      row.resource.name,
      row.before,
      row.after === row.before ? "" : row.after,
      row.untagged.join(", "),
      done(row)
    ])
  )

const asJson = ({ site, ...row }: MigrationRow, done: string) => ({ offering: site.name, ...row, outcome: done })

export const migration = Command.make(
  "migrate",
  { config: options.config, dataDir: options.dataDir, json: options.json, dryRun },
  (given) =>
    Effect.gen(function* () {
      const sites = yield* connectSites(yield* loadConfig(given.config, plugins))
      const rows = yield* planMigration(sites)
      const results = new Map<MigrationRow, string>()
      let failed = 0
      const due = given.dryRun ? [] : rows.filter(({ changes, problem }) => changes && problem === undefined)
      yield* counted(due, { what: "migrates resources", now: ({ resource }) => resource.name }, (row) =>
        Effect.map(Effect.either(migrate(row, commandOwner("migrate"))), (result) => {
          if (Either.isLeft(result)) failed += 1
          results.set(row, Either.isLeft(result) ? `failed: ${result.left.message}` : "done")
        })
      )
      const saying = (row: MigrationRow) => results.get(row) ?? outcomeOf(row, "would be done")
      yield* Console.log(
        given.json
          ? JSON.stringify(
              rows.map((row) => asJson(row, saying(row))),
              null,
              2
            )
          : rows.length === 0
            ? "The offerings have no resources."
            : shown(rows, saying)
      )
      const stuck = rows.filter(({ problem }) => problem !== undefined).length
      if (failed + stuck > 0) {
        return yield* new NotPossible({
          reason: `${failed + stuck} of ${countOf(rows.length, "resource")} cannot be taken over: see the table.`
        })
      }
    }).pipe(
      showing(given.json),
      Effect.scoped,
      Effect.provide(
        journalServices(journalFor({ config: Option.some(given.config), dataDir: given.dataDir }, given.dryRun))
      )
    )
).pipe(
  Command.withDescription(
    described(
      "Takes over what the Python agent made: backend ids that are names become ids, and objects get the owner tag. Try it with --dry-run.",
      "site-actors migrate -c config.yaml --dry-run",
      "site-actors migrate -c config.yaml"
    )
  )
)

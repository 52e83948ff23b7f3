/** `site-actors orphans`: what carries our tag and has no resource, listed; removed when somebody says so twice. */
import { hostname } from "node:os"
import { Command, Options } from "@effect/cli"
import type { SqlClient } from "@effect/sql"
import { Console, Effect, Either, Layer, Option } from "effect"
import { loadConfig } from "../../config/index.js"
import * as Journal from "../../journal/journal.js"
import { plugins } from "../../plugins.js"
import { counted } from "../../progress.js"
import { showing } from "../../terminal/progress.js"
import { nameColumn, table } from "../../terminal/table.js"
import { when } from "../../terminal/times.js"
import { connectSites, findOrphans, isDoubtful, type Orphan, removeOrphan } from "../../upkeep/index.js"
import { described } from "../help.js"
import { journalAt, NotPossible } from "../open-journal.js"
import * as options from "../options.js"

const remove = Options.text("remove").pipe(
  Options.withDescription(
    "Remove this one: its kind and id, as in `vm:17`, or all of a resource by its uuid. Needs --yes."
  ),
  Options.optional
)
const removeAll = Options.boolean("remove-all").pipe(
  Options.withDescription(
    "Remove all but strangers, which may be another agent's, what Waldur may have forgotten, and what is surplus or untagged. Needs --yes."
  )
)
export const yes = Options.boolean("yes").pipe(
  Options.withDescription("Do it. Without this it is only said what would be done.")
)

/** In the leases: who took them. */
export const commandOwner = (command: string): string => `${command} ${hostname()}:${process.pid}`

/** The journal's services, over its database. */
export const journalServices = <E, R>(database: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Layer.provideMerge(Journal.layer, database)

export const orphans = Command.make(
  "orphans",
  { config: options.config, dataDir: options.dataDir, json: options.json, remove, removeAll, yes },
  (given) =>
    Effect.gen(function* () {
      const sites = yield* connectSites(yield* loadConfig(given.config, plugins))
      const found = yield* findOrphans(sites)
      const chosen = yield* chosenOf(found, given)
      if (chosen === undefined) return yield* show(found, given.json)
      if (chosen.length === 0) return yield* Console.log(given.json ? "[]" : nothingToRemove(found.length))
      if (!given.yes) {
        return yield* new NotPossible({
          reason: `This would remove ${chosen.map(nameOf).join(", ")}. Say --yes to have it done.`
        })
      }
      const results = yield* counted(chosen, { what: "removes objects" }, (orphan) =>
        Effect.either(removeOrphan(orphan, commandOwner("orphans"))).pipe(
          Effect.tap((result) =>
            given.json
              ? Effect.void
              : Console.log(
                  Either.isRight(result)
                    ? `Removed ${nameOf(orphan)}`
                    : `Not removed ${nameOf(orphan)}: ${result.left.message}`
                )
          )
        )
      )
      if (given.json) yield* Console.log(JSON.stringify(outcomes(chosen, results), null, 2))
      const failed = results.filter(Either.isLeft).length
      if (failed > 0) return yield* new NotPossible({ reason: `${failed} of ${chosen.length} could not be removed.` })
    }).pipe(
      showing(given.json),
      Effect.scoped,
      Effect.provide(journalServices(journalAt({ config: Option.some(given.config), dataDir: given.dataDir }))),
      (removed) =>
        Effect.zipRight(
          options.onlyOne({ "--remove": Option.isSome(given.remove), "--remove-all": given.removeAll }),
          removed
        )
    )
).pipe(
  Command.withDescription(
    described(
      "Lists objects in OpenNebula that carry the agent's tag and whose resource Waldur has as ended, or does not know.",
      "site-actors orphans -c config.yaml",
      "site-actors orphans -c config.yaml --remove vm:17 --yes"
    )
  )
)

const outcomes = (
  chosen: ReadonlyArray<Orphan>,
  results: ReadonlyArray<Either.Either<unknown, { readonly message: string }>>
) =>
  chosen.map(({ id, kind, name }, index) => {
    const result = results[index]
    return result !== undefined && Either.isLeft(result)
      ? { kind, id, name, removed: false, why: result.left.message }
      : { kind, id, name, removed: true }
  })

const nameOf = ({ id, kind, name }: Orphan): string => `${kind}:${id} ${JSON.stringify(name)}`

/** `left`: those that are never removed all at once. */
const nothingToRemove = (left: number): string =>
  left === 0
    ? "There is nothing to remove."
    : `Nothing is removed: the ${left} that there are may be somebody else's. \`site-actors orphans\` lists them; name what is yours by --remove, an object or its resource.`

/** What shall be removed; `undefined`: nothing was asked for. */
const chosenOf = (
  found: ReadonlyArray<Orphan>,
  { remove, removeAll }: { readonly remove: Option.Option<string>; readonly removeAll: boolean }
): Effect.Effect<ReadonlyArray<Orphan> | undefined, NotPossible> => {
  if (removeAll) return Effect.succeed(found.filter((orphan) => !isDoubtful(orphan)))
  if (Option.isNone(remove)) return Effect.succeed(undefined)
  const asked = remove.value.trim()
  const ofResource = found.filter(({ resource }) => resource === asked.replaceAll("-", "").toLowerCase())
  if (ofResource.length > 0) return Effect.succeed(ofResource)
  const wanted = found.filter(({ id, kind }) => `${kind}:${id}` === asked)
  const [, second] = wanted
  if (wanted.length === 0) {
    return new NotPossible({
      reason: `There is no orphan ${JSON.stringify(remove.value)}: \`site-actors orphans\` lists them, named like vm:17, with the uuids of their resources.`
    })
  }
  return second === undefined
    ? Effect.succeed(wanted)
    : new NotPossible({
        reason: `Several front-ends have an orphan ${remove.value}: remove it with a configuration of one of them.`
      })
}

const show = (found: ReadonlyArray<Orphan>, json: boolean) => {
  const rows = found.map(({ site, ...orphan }) => ({
    ...orphan,
    place: site.upkeep.place,
    since: orphan.since === undefined ? "" : when(orphan.since * 1000)
  }))
  if (json) return Console.log(JSON.stringify(rows, null, 2))
  return Console.log(
    rows.length === 0
      ? "There are no orphans."
      : table(
          [
            { title: "object" },
            nameColumn("name"),
            { title: "why" },
            { title: "resource" },
            { title: "order" },
            { title: "since (UTC)" }
          ],
          rows.map(({ id, kind, name, order, resource, since, why }) => [
            `${kind}:${id}`,
            name,
            why,
            resource,
            order,
            since
          ])
        )
  )
}

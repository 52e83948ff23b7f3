/** `site-actors members`: members synchronised now, or only what would change. */
import { Command, Options } from "@effect/cli"
import { Console, Data, Effect, Layer, Option } from "effect"
import { countOf } from "../../../core/index.js"
import { loadConfig, type OfferingConfig } from "../../config/index.js"
import type { TeamReport } from "../../members/report.js"
import { type Mode, syncMembers } from "../../members/sync.js"
import { plugins } from "../../plugins.js"
import { showing } from "../../terminal/progress.js"
import { nameColumn, table } from "../../terminal/table.js"
import { described } from "../help.js"
import { agentRunsAt, journalAt, request } from "../open-journal.js"
import { openForCommand } from "../open-offering.js"
import * as options from "../options.js"

/** Something could not be done; the table says what. */
class MembersFailed extends Data.TaggedError("MembersFailed")<{ readonly failed: number }> {
  override get message(): string {
    return `${countOf(this.failed, "change")} failed.`
  }
}

/** Of somebody who waits for a round over all resources. */
const patience = "10 minutes"

const dryRun = Options.boolean("dry-run").pipe(Options.withDescription("Only print what would change."))

export const members = Command.make(
  "members",
  { config: options.config, dataDir: options.dataDir, dryRun, json: options.json },
  (given) =>
    Effect.gen(function* () {
      // A running agent knows what its orders are doing; two who change the same accounts would be in each other's way.
      const place = { config: Option.some(given.config), dataDir: given.dataDir }
      const byAgent = !given.dryRun && (yield* agentRunsAt(place))
      if (byAgent) {
        // What is printed is what is left to do then, and who can have no access: the agent's answer does not name them.
        yield* Effect.provide(request("members", "", patience, given.json), journalAt(place))
      }
      const loaded = yield* loadConfig(given.config, plugins)
      const memoMap = yield* Layer.makeMemoMap
      const chosen = loaded.offerings.filter(({ functions }) => functions.membership)
      const reports = yield* Effect.forEach(chosen, (offering) =>
        Effect.map(ofOffering(offering, memoMap, given.dryRun || byAgent ? "dry run" : "apply"), (teams) =>
          teams.map((team) => ({ offering: offering.name, ...team }))
        )
      )
      const all = reports.flat()
      yield* Console.log(
        given.json
          ? JSON.stringify(all, null, 2)
          : chosen.length === 0
            ? "No offering has membership_sync_backend: members are not synchronised."
            : tableOf(all)
      )
      const failed = all.flatMap((team) => [
        ...(team.failure === "" ? [] : [team.failure]),
        ...team.changes.filter(({ outcome }) => outcome === "failed")
      ]).length
      if (failed > 0) return yield* new MembersFailed({ failed })
    }).pipe(showing(given.json))
).pipe(
  Command.withDescription(
    described(
      "Compares who is in the projects' teams in Waldur with who has access in the cloud, and mends the difference: by the running agent if there is one, between its orders.",
      "site-actors members -c config.yaml --dry-run",
      "site-actors members -c config.yaml --json"
    )
  )
)

const ofOffering = (config: OfferingConfig, memoMap: Layer.MemoMap, mode: Mode) =>
  Effect.gen(function* () {
    const { waldur, inWaldur, backend } = yield* openForCommand(config, memoMap)
    const providerCustomer = Option.getOrElse(inWaldur.customerUuid, () => "")
    return yield* syncMembers({ id: config.id, waldur, backend, providerCustomer }, mode)
  }).pipe(Effect.scoped)

const tableOf = (reports: ReadonlyArray<TeamReport & { readonly offering: string }>): string => {
  const rows = reports.flatMap(({ name, changes, problems, failure }) => [
    ...(failure === "" ? [] : [[name, "", "stays as it is", "failed", failure]]),
    ...changes.map(({ who, what, outcome, detail }) => [name, who, what, outcome, detail]),
    ...problems.map(({ who, reason }) => [name, who, "no access", "problem", reason])
  ])
  return rows.length === 0
    ? `All members of ${countOf(reports.length, "resource")} have the access that they should have.`
    : table(
        [nameColumn("resource"), nameColumn("who"), { title: "change" }, { title: "outcome" }, { title: "why" }],
        rows
      )
}

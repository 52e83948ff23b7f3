/** The whole report: the file, then each offering. */
import { Effect } from "effect"
import { countOf } from "../../core/index.js"
import { type Config, type ConfigInvalid, type Problem, sentence } from "../config/index.js"
import { databaseFindings } from "./database.js"
import { fileExposure, wireExposure } from "./exposure.js"
import { checkOffering, type OfferingAccess } from "./offering.js"
import { about, type CheckRow, failed, ok, warning } from "./row.js"

const row = (make: typeof failed, problem: Problem) =>
  make(problem.position === undefined ? "file" : `line ${problem.position.line}`, sentence(problem))

/** A file that is wrong: one row for each error. */
export const fileRefused = (error: ConfigInvalid): ReadonlyArray<CheckRow> =>
  about(
    error.file,
    error.problems.map((problem) => row(failed, problem))
  )

/** A file that is right, with what is odd about it. */
export const fileAccepted = (config: Config): ReadonlyArray<CheckRow> => {
  return about(config.file, [
    ok("file", `It is valid, and has ${countOf(config.offerings.length, "offering")}.`),
    ...config.notices.map((notice) => row(warning, notice))
  ])
}

/** All offerings at once; whatever happens to one, the others have their rows. In the order of the file. */
export const checkAll = (
  config: Config,
  offerings: ReadonlyArray<OfferingAccess>
): Effect.Effect<ReadonlyArray<CheckRow>> =>
  Effect.gen(function* () {
    const [exposed, database, rows] = yield* Effect.all(
      [
        fileExposure(config),
        databaseFindings(config),
        Effect.forEach(offerings, checkOffering, { concurrency: "unbounded" })
      ],
      { concurrency: "unbounded" }
    )
    const ofOfferings = rows.flatMap((own, index) => {
      const offering = offerings[index]?.offering
      return offering === undefined ? own : [...about(offering.name, wireExposure(offering)), ...own]
    })
    return [...fileAccepted(config), ...about(config.file, [...exposed, ...database]), ...ofOfferings]
  })

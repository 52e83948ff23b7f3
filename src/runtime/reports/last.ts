/**
 * The last hours of a resource: told before its end is. Waldur takes no usage of a resource that has ended, and what was used since the last
 * report would be lost.
 */
import { Effect, type Scope } from "effect"
import type { ResourceId } from "../../core/index.js"
import { makeGathering } from "../gathering.js"
import type { LastHours } from "../offerings/offering.js"
import { lastHoursBurst, lastHoursPatience } from "../schedules.js"
import { measuredBy, type Reporter } from "./measured.js"
import { UsageMemory } from "./memory.js"
import { type ReportOptions, reportEnding } from "./round.js"

/** `undefined`: nothing of the offering is billed by hours. Resources that end in the same moment are read together. */
export const makeLastHours = (
  offering: Reporter,
  options: Omit<ReportOptions, "dryRun">
): Effect.Effect<LastHours | undefined, never, UsageMemory | Scope.Scope> =>
  Effect.gen(function* () {
    const memory = yield* UsageMemory
    if (measuredBy(offering).period.length === 0) return undefined
    const tell = yield* makeGathering(lastHoursBurst, (resources: ReadonlyArray<ResourceId>) =>
      reportEnding(offering, { ...options, dryRun: false }, resources).pipe(
        Effect.flatMap(({ failure }) => (failure === undefined ? Effect.void : Effect.fail(failure))),
        Effect.catchAll((error) =>
          Effect.logWarning(`The last hours of ${resources.join(", ")} are not told in full: ${error.message}`)
        ),
        Effect.provideService(UsageMemory, memory),
        Effect.annotateLogs({ part: "usage", offering: offering.name })
      )
    )
    return (resource) => Effect.asVoid(Effect.timeoutOption(tell(resource), lastHoursPatience))
  })

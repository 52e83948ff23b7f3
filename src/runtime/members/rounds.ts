/** Members are synchronised again and again, for as long as the offering is open; what one round could not do, the next one does. */
import { type Duration, Effect } from "effect"
import { counted } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { memberRound } from "../schedules.js"
import { syncMembers, type TeamReport } from "./sync.js"

export const memberRounds = (offering: Offering, interval: Duration.DurationInput): Effect.Effect<void> =>
  Effect.zipRight(offering.health.passed, round(offering)).pipe(
    Effect.repeat(memberRound(interval)),
    Effect.asVoid,
    Effect.annotateLogs({ part: "members" })
  )

/** A bug in it must not end the rounds. */
const round = (offering: Offering): Effect.Effect<void> =>
  syncMembers(offering, "apply").pipe(
    counted(offering.id, "membership"),
    Effect.flatMap((reports) => Effect.forEach(reports, logged, { discard: true })),
    Effect.catchAll((error) => Effect.logWarning(`Members are not synchronised: ${error.message}`)),
    Effect.catchAllDefect((defect) => Effect.logError("A bug in the synchronisation of members", defect))
  )

const logged = ({ resource, name, changes, problems, failure }: TeamReport): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (failure !== "") yield* Effect.logWarning(`Members of ${name} stay as they are: ${failure}`)
    for (const { who, what, outcome, detail } of changes) {
      if (outcome === "done") yield* Effect.logInfo(`${who} ${what}`)
      else yield* Effect.logWarning(`${who} not ${what}: ${detail}`)
    }
    for (const { who, reason } of problems) yield* Effect.logWarning(`${who} has no access: ${reason}`)
  }).pipe(Effect.annotateLogs({ resource }))

/**
 * One synchronisation of an offering's members: Waldur's teams are read, the backend says what would have to change, and that is done:
 * for a resource of a running agent by its actor, so that no order of it is in work meanwhile (`rounds/members.ts`).
 *
 * Nobody is taken out on the word of one read. A team that could not be read, or in which somebody could not be read, takes nobody out; and
 * before anybody is, the team is read once more and the resource with it: only if both reads say the same is it believed, an empty team too.
 */
import { Array, Effect, Either, Option } from "effect"
import type { AccessChange, ResourceId, SiteError } from "../../core/index.js"
import type { OfferingUser } from "../../waldur/index.js"
import { counted } from "../progress.js"
import { announce, isLeaving, newNames, tellWaldur, untoldProblems } from "./accounts.js"
import { compareTeams, type Membership, nobody, type Only, type Work } from "./compare.js"
import type { DoneChange, TeamReport } from "./report.js"

export type Mode = "apply" | "dry run"

/** Of all resources, or of some. */
export const syncMembers = (
  offering: Membership,
  mode: Mode,
  only?: Only
): Effect.Effect<ReadonlyArray<TeamReport>, SiteError> =>
  Effect.flatMap(compareTeams(offering, only), ({ compared }) =>
    counted(compared, { what: "synchronises members of resources" }, (work) =>
      Either.isLeft(work) ? Effect.succeed(work.left) : carriedOut(work.right, mode)
    )
  )

/** Of one resource, as its actor does it: it looks again, whatever somebody saw before. None: it has no members any more. */
export const syncMembersOf = (
  offering: Membership,
  resource: ResourceId
): Effect.Effect<Option.Option<TeamReport>, SiteError> =>
  Effect.map(syncMembers(offering, "apply", { projects: new Set(), resources: new Set([resource]) }), ([report]) =>
    Option.fromNullable(report)
  )

export interface MembersSeen {
  /** Of each resource: a report, if all is as it should be; left, if something has to be done. */
  readonly resources: ReadonlyArray<Either.Either<TeamReport, ResourceId>>
  /** Accounts that Waldur wants gone, as they were before the teams were read. Of some resources: none. */
  readonly leaving: ReadonlyArray<OfferingUser>
}

/** Changes nothing. */
export const lookAtMembers = (offering: Membership, only: Only | undefined): Effect.Effect<MembersSeen, SiteError> =>
  Effect.map(compareTeams(offering, only), ({ compared, users }) => ({
    resources: compared.map((work) =>
      Either.isLeft(work)
        ? Either.right(work.left)
        : isDue(work.right)
          ? Either.left(work.right.resource.known.id)
          : Either.right(reportOf(work.right, []))
    ),
    leaving: only === undefined ? users.filter(isLeaving) : []
  }))

/** Whether anything would be done or told. */
const isDue = (work: Work): boolean =>
  work.plan.changes.length > 0 || newNames(work).length > 0 || untoldProblems(work).length > 0

const reportOf = ({ plan, resource, team }: Work, changes: ReadonlyArray<DoneChange>): TeamReport => ({
  resource: resource.known.id,
  name: resource.name,
  changes,
  problems: plan.problems.map(({ who, reason }) => ({ who, reason })),
  team: team.everybody,
  restricted: resource.restricted,
  failure: ""
})

const carriedOut = (work: Work, mode: Mode): Effect.Effect<TeamReport> =>
  Effect.gen(function* () {
    const { plan } = work
    const leaving = plan.changes.some(({ kind }) => kind === "leave")
    const doubt = leaving ? yield* doubtOf(work) : ""
    if (mode === "apply") yield* announce(work)
    let broken = ""
    const carry = (change: AccessChange): Effect.Effect<DoneChange> => {
      const { kind, who, what } = change
      const told = (outcome: DoneChange["outcome"], detail = "") => ({ kind, who, what, outcome, detail })
      if (kind === "leave" && doubt !== "") return Effect.succeed(told("kept", doubt))
      if (mode === "dry run") return Effect.succeed(told("planned"))
      // What the rest rests on is not there, or the server is away: each further change would wait for the same.
      if (broken !== "") return Effect.succeed(told("failed", broken))
      return Effect.match(change.apply, {
        onSuccess: () => told("done"),
        onFailure: (error) => {
          if (kind === "prepare" || error.disposition !== "fail-order") broken = error.message
          return told("failed", error.message)
        }
      })
    }
    const [preparing, others] = Array.partition(plan.changes, ({ kind }) => kind !== "prepare")
    const prepared = yield* Effect.forEach(preparing, (change) => Effect.suspend(() => carry(change)))
    // One person's changes one after another, several people at once.
    const byPerson = Object.values(Array.groupBy(others, ({ who }) => who))
    const carried = yield* Effect.forEach(
      byPerson,
      (own) => Effect.forEach(own, (change) => Effect.suspend(() => carry(change))),
      { concurrency: 4 }
    )
    const changes = [...prepared, ...carried.flat()]
    const failed = new Set(changes.flatMap(({ outcome, who }) => (outcome === "failed" ? [who] : [])))
    if (mode === "apply") yield* tellWaldur(work, failed)
    return reportOf(work, changes)
  })

/** Why nobody is taken out now; empty if the second look says what the first said. */
const doubtOf = ({ waldur, resource, team }: Work): Effect.Effect<string> =>
  Effect.gen(function* () {
    if (!team.complete) return "somebody in the team cannot be read"
    const again = yield* waldur.resource(resource.known.id)
    const second = yield* again.restrictMemberAccess ? nobody : waldur.team(resource.known.id)
    const ids = (members: ReadonlyArray<string>) => members.toSorted().join()
    const same =
      again.restrictMemberAccess === resource.restricted &&
      second.malformed.length === 0 &&
      ids(second.items.map(({ uuid }) => uuid)) === ids(team.everybody)
    return same ? "" : "the team was another one when it was read again"
  }).pipe(Effect.catchAll((error) => Effect.succeed(`the team cannot be read again: ${error.message}`)))

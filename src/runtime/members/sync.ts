/**
 * One synchronisation of an offering's members: Waldur's teams are read, the backend says what would have to change, and that is done:
 * for a resource of a running agent by its actor, so that no order of it is in work meanwhile (`rounds.ts`).
 *
 * Nobody is taken out on the word of one read. A team that could not be read, or in which somebody could not be read, takes nobody out; and
 * before anybody is, the team is read once more and the resource with it: only if both reads say the same is it believed, an empty team too.
 */
import { Array, Effect, Either, Option, Schema } from "effect"
import type { AccessChange, Backend, KnownResource, Member, Members, SiteError, Team } from "../../core/index.js"
import { AccessChangeKind, ResourceId } from "../../core/index.js"
import type { OfferingUser, ProviderResource, TeamMember, WaldurService } from "../../waldur/index.js"
import { counted } from "../progress.js"
import {
  announce,
  isBarred,
  isLeaving,
  newNames,
  type People,
  peopleIn,
  type Telling,
  tellWaldur,
  untoldProblems
} from "./accounts.js"

/** What of an offering is needed. */
export interface Membership {
  readonly id: string
  readonly waldur: WaldurService
  readonly backend: Pick<Backend<unknown>, "members">
  readonly providerCustomer: string
}

/** Of one change: what it was, and what came of it. */
const DoneChange = Schema.Struct({
  kind: AccessChangeKind,
  who: Schema.String,
  what: Schema.String,
  /** `planned` in a dry run; `kept`: not believed yet; else what stood in its way. */
  outcome: Schema.Literal("done", "planned", "kept", "failed"),
  detail: Schema.String
})
export type DoneChange = typeof DoneChange.Type

/** What came of one resource's synchronisation; an actor answers with it. */
export const TeamReport = Schema.Struct({
  resource: ResourceId,
  name: Schema.String,
  changes: Schema.Array(DoneChange),
  problems: Schema.Array(Schema.Struct({ who: Schema.String, reason: Schema.String })),
  /** Who is in the team, by the persons' uuids. */
  team: Schema.Array(Schema.String),
  /** Closed to its team in Waldur. */
  restricted: Schema.Boolean,
  /** Why this resource was left as it is; empty if it was not. */
  failure: Schema.String
})
export type TeamReport = typeof TeamReport.Type

export type Mode = "apply" | "dry run"

/** Of which resources: those of these projects, and these. */
export interface Only {
  readonly projects: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
}

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

interface Compared {
  /** What there would be to do of each resource; left, of what cannot be compared, the report. */
  readonly compared: ReadonlyArray<Either.Either<Work, TeamReport>>
  readonly users: ReadonlyArray<OfferingUser>
}

const compareTeams = (offering: Membership, only: Only | undefined): Effect.Effect<Compared, SiteError> =>
  Effect.gen(function* () {
    const { members } = offering.backend
    if (members === undefined) return { compared: [], users: [] }
    const { waldur } = offering
    const resources = yield* resourcesOf(offering, only)
    if (resources.length === 0 && only !== undefined) return { compared: [], users: [] }
    const users = (yield* waldur.offeringUsers(offering.id)).items
    if (resources.length === 0) return { compared: [], users }
    const people = peopleIn(users)
    const keys = yield* keysByUser(offering)
    const read = yield* counted(resources.flatMap(known), { what: "reads teams", concurrency: 4 }, (resource) =>
      Effect.map(Effect.either(readTeam(waldur, resource, people, keys)), (team) => ({ resource, team }))
    )
    const teams = read.flatMap(({ team }) => (Either.isRight(team) ? [team.right] : []))
    const plans = yield* planned(members, teams, users)
    const compared = read.map(({ resource, team }) => {
      const plan = plans.get(resource.known.id)
      if (Either.isLeft(team)) return Either.left(untouched(resource, team.left.message))
      if (plan === undefined) return Either.left(untouched(resource, "The backend said nothing of it."))
      return Either.isLeft(plan)
        ? Either.left(untouched(resource, plan.left.message))
        : Either.right({ waldur, resource, team: team.right, plan: plan.right, people })
    })
    return { compared, users }
  })

/** Also while an order waits for an approval, which makes it Updating or Terminating on newer servers: whoever leaves, leaves at once. */
const states = ["OK", "Erred", "Updating", "Terminating"] as const

const resourcesOf = ({ id, waldur }: Membership, only: Only | undefined) =>
  Effect.gen(function* () {
    if (only === undefined) return (yield* waldur.resources({ offering: id, states })).items
    const ofProjects = yield* Effect.forEach(only.projects, (project) =>
      Effect.map(waldur.resources({ offering: id, project, states }), ({ items }) => items)
    )
    const named = yield* Effect.forEach(
      only.resources,
      (resource) =>
        waldur.resource(resource).pipe(
          Effect.map((one) => [one]),
          Effect.catchTag("WaldurNotFound", () => Effect.succeed([]))
        ),
      { concurrency: 4 }
    )
    const here = named
      .flat()
      .filter(({ offeringUuid, state }) => Option.contains(offeringUuid, id) && states.some((one) => one === state))
    return [...new Map([...ofProjects.flat(), ...here].map((one) => [one.uuid, one])).values()]
  })

interface Known {
  readonly known: KnownResource
  readonly name: string
  readonly restricted: boolean
}

const isResourceId = Schema.is(ResourceId)

/** What a backend needs to know of a resource; nothing if it has no backend id yet. */
export const known = (resource: ProviderResource): ReadonlyArray<Known> =>
  Option.match(resource.backendId, {
    onNone: () => [],
    onSome: (backendId) =>
      isResourceId(resource.uuid)
        ? [{ known: { id: resource.uuid, backendId }, name: resource.name, restricted: resource.restrictMemberAccess }]
        : []
  })

/** None of them is worth leaving members without access: what cannot be read stays as it is. */
const keysByUser = ({ waldur, providerCustomer }: Membership) =>
  waldur.sshKeys(providerCustomer).pipe(
    Effect.map(({ items, malformed }) =>
      malformed.length > 0
        ? undefined
        : items.reduce((all, key) => {
            const user = Option.getOrElse(key.userUuid, () => "")
            return all.set(user, [...(all.get(user) ?? []), key.publicKey])
          }, new Map<string, ReadonlyArray<string>>())
    ),
    Effect.catchAll((error) => Effect.as(Effect.logWarning(`SSH keys stay as they are: ${error.message}`), undefined))
  )

/** `members`: those of them who have access. */
interface ReadTeam extends Team {
  /** Everybody in it, by uuid. */
  readonly everybody: ReadonlyArray<string>
  /** Whether everybody in it could be read. */
  readonly complete: boolean
}

const readTeam = (
  waldur: WaldurService,
  resource: Known,
  people: People,
  keys: ReadonlyMap<string, ReadonlyArray<string>> | undefined
): Effect.Effect<ReadTeam, SiteError> =>
  Effect.map(resource.restricted ? nobody : waldur.team(resource.known.id), ({ items, malformed }) => ({
    resource: resource.known,
    members: items.flatMap((member) => {
      const account = people.get(member.uuid)
      return account !== undefined && isBarred(account) ? [] : [memberOf(member, people, keys)]
    }),
    everybody: items.map(({ uuid }) => uuid),
    complete: malformed.length === 0
  }))

/** Waldur may close a resource to its team (`restrict_member_access`): then nobody has access. */
const nobody: Effect.Effect<{ readonly items: ReadonlyArray<TeamMember>; readonly malformed: ReadonlyArray<never> }> =
  Effect.succeed({ items: [], malformed: [] })

const memberOf = (
  member: TeamMember,
  people: People,
  keys: ReadonlyMap<string, ReadonlyArray<string>> | undefined
): Member => ({
  id: member.uuid,
  username: member.username,
  fullName: member.fullName,
  role: member.role,
  account: people.get(member.uuid)?.username ?? Option.getOrElse(member.offeringUsername, () => ""),
  sshKeys: keys === undefined ? undefined : (keys.get(member.uuid) ?? [])
})

const planned = (members: Members, teams: ReadonlyArray<Team>, people: ReadonlyArray<OfferingUser>) =>
  Effect.map(
    members.compare({
      teams,
      accounts: new Map(
        people.flatMap(({ username, userUuid }) =>
          username === "" || Option.isNone(userUuid) ? [] : [[username, userUuid.value]]
        )
      )
    }),
    (plans) => new Map(plans.map(({ resource, plan }) => [resource.id, plan]))
  )

const untouched = ({ known, name, restricted }: Known, failure: string): TeamReport => ({
  resource: known.id,
  name,
  team: [],
  restricted,
  changes: [],
  problems: [],
  failure
})

interface Work extends Telling {
  readonly resource: Known
  readonly team: ReadTeam
}

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

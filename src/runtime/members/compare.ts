/** Waldur's teams are read, and the backend says what would have to change. Changes nothing. */
import { Effect, Either, Option, Schema } from "effect"
import type { Backend, KnownResource, Member, Members, SiteError, Team } from "../../core/index.js"
import { ResourceId } from "../../core/index.js"
import type { OfferingUser, ProviderResource, TeamMember, WaldurService } from "../../waldur/index.js"
import { counted } from "../progress.js"
import { isBarred, type People, peopleIn, type Telling } from "./accounts.js"
import type { TeamReport } from "./report.js"

/** What of an offering is needed. */
export interface Membership {
  readonly id: string
  readonly waldur: WaldurService
  readonly backend: Pick<Backend<unknown>, "members">
  readonly providerCustomer: string
}

/** Of which resources: those of these projects, and these. */
export interface Only {
  readonly projects: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
}

/** A resource whose team could be read, and what would have to change. */
export interface Work extends Telling {
  readonly resource: Known
  readonly team: ReadTeam
}

export interface Compared {
  /** What there would be to do of each resource; left, of what cannot be compared, the report. */
  readonly compared: ReadonlyArray<Either.Either<Work, TeamReport>>
  readonly users: ReadonlyArray<OfferingUser>
}

export const compareTeams = (offering: Membership, only: Only | undefined): Effect.Effect<Compared, SiteError> =>
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

export interface Known {
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

/** Waldur may close a resource to its team (`restrict_member_access`): then nobody has access. */
export const nobody: Effect.Effect<{
  readonly items: ReadonlyArray<TeamMember>
  readonly malformed: ReadonlyArray<never>
}> = Effect.succeed({ items: [], malformed: [] })

const untouched = ({ known, name, restricted }: Known, failure: string): TeamReport => ({
  resource: known.id,
  name,
  team: [],
  restricted,
  changes: [],
  problems: [],
  failure
})

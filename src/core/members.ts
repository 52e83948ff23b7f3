/**
 * Members: who is in a project's team has access to its resources, who left has none.
 *
 * The runtime reads the teams and maps roles; a backend compares them with what it has and says what would have to change (`AccessPlan`).
 * Comparing changes nothing, so a dry run and the real one go the same way. A backend never decides who is in a team: whoever is not in
 * `members` has left.
 */
import { type Effect, type Either, Schema } from "effect"
import type { SiteError } from "./errors.js"
import type { KnownResource } from "./usage.js"

/** Somebody with access to a resource's project. */
export interface Member {
  /** The person's uuid in the marketplace: the same in all teams. */
  readonly id: string
  readonly username: string
  readonly fullName: string
  /** The marketplace's role: `admin`, `manager`, `member`, or a custom one. */
  readonly role: string
  /** The name that the offering gave this person; empty if none yet. */
  readonly account: string
  /** Public SSH keys. `undefined`: they could not be read, which is not the same as none. */
  readonly sshKeys: ReadonlyArray<string> | undefined
}

export interface Team {
  readonly resource: KnownResource
  readonly members: ReadonlyArray<Member>
}

/** What is asked: the teams, and the names that the offering has given to anybody, also to those who have left: account -> person. */
export interface AccessQuestion {
  readonly teams: ReadonlyArray<Team>
  readonly accounts: ReadonlyMap<string, string>
}

/** `prepare` makes what members are put into; `mend` puts something right that nobody asked for. */
export const AccessChangeKind = Schema.Literal("prepare", "join", "leave", "role", "keys", "mend")

export interface AccessChange {
  readonly kind: typeof AccessChangeKind.Type
  /** Who, in the backend's words; for `prepare` what. */
  readonly who: string
  /** "put into group 104 as user". */
  readonly what: string
  /** May be applied again. Looks anew: time may have gone by since the comparison. */
  readonly apply: Effect.Effect<void, SiteError>
}

/** A member who cannot be given access now; everybody else can. */
export interface AccessProblem {
  readonly member: string
  readonly who: string
  /** One sentence: what is wrong and who can mend it. */
  readonly reason: string
}

export interface AccessPlan {
  /** In the order in which they are to be applied: nobody joins before there is something to join. */
  readonly changes: ReadonlyArray<AccessChange>
  /** Person -> the name of the account that is or will be theirs. */
  readonly accounts: ReadonlyMap<string, string>
  readonly problems: ReadonlyArray<AccessProblem>
}

export interface TeamPlan {
  readonly resource: KnownResource
  /** Left: this resource could not be compared; others were. */
  readonly plan: Either.Either<AccessPlan, SiteError>
}

/** What a backend offers, if it knows people. */
export interface Members {
  readonly compare: (question: AccessQuestion) => Effect.Effect<ReadonlyArray<TeamPlan>, SiteError>
}

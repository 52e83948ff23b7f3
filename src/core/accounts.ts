/** Accounts of people that the agent has made in a backend, and their passwords: new ones on request, and old ones that must not lie about. */
import type { Effect, Redacted } from "effect"
import type { SiteError } from "./errors.js"
import type { ResourceId } from "./orders.js"
import type { KnownResource } from "./usage.js"

export interface NewPassword {
  readonly account: string
  /** Stored nowhere by the agent: whoever asked shows it once. */
  readonly password: Redacted.Redacted
}

/** A password in clear that an earlier agent left in the backend. */
export interface StoredPassword {
  readonly resource: ResourceId
  readonly account: string
  readonly remove: Effect.Effect<void, SiteError>
}

export interface Accounts {
  /** Of the tenant's own user; or, with `member`, of a member's account in this resource. */
  readonly resetPassword: (resource: KnownResource, member?: string) => Effect.Effect<NewPassword, SiteError>
  /** One look for all. */
  readonly storedPasswords: (
    resources: ReadonlyArray<KnownResource>
  ) => Effect.Effect<ReadonlyArray<StoredPassword>, SiteError>
}

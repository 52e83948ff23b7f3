/**
 * What a backend can do for resources between orders: find and mend what differs, pause, list what is its own, adopt what was there
 * before. Optional in the contract: without it a backend's resources are only observed.
 */
import type { Effect } from "effect"
import type { Amounts } from "./components.js"
import type { SiteError } from "./errors.js"
import type { DriftKind, ExpectedResource, Standing } from "./observation.js"
import type { OrderId, Resource } from "./orders.js"
import type { Steps } from "./saga/attempt.js"
import type { KnownResource } from "./usage.js"

/** An object in the backend that carries an owner tag. */
export interface OwnedObject {
  /** The backend's own word, without spaces: "vm", "security-group". */
  readonly kind: string
  readonly id: number
  readonly name: string
  /** From the tag, as it stands there: whoever may write the object may have written it. */
  readonly resource: string
  readonly order: string
  /** Which attempt made it (`marks.ts`), where nobody but an agent can have written that. */
  readonly mark?: string
  /** Seconds since 1970, where the backend keeps it. */
  readonly since?: number
  /** It has no tag: that it may be the resource's is seen by its name alone. */
  readonly untagged?: true
}

/** A create that failed, and may have made something that its journal does not know. */
export interface FailedCreate {
  readonly order: OrderId
  readonly resource: Resource
}

/** Something in the backend that nobody owns and that could become a resource of the offering. */
export interface Importable {
  readonly name: string
  readonly backendId: string
  /** The uuid of the project that it belongs to, as it stands there, where it does: whoever may write the place may have written it. */
  readonly project?: string
  /** The uuid of the resource in which it lies: its project is that one's. */
  readonly within?: string
  /** What somebody has to write where, so that `project` is known. */
  readonly hint: string
  /** Its sizes, in the backend's units: what is billed by limit becomes the resource's limits in Waldur. What has no limit is left out. */
  readonly amounts?: Amounts
  /** Shown to whoever imports it. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What a migration would do for one resource. */
export type Resolution =
  | {
      readonly _tag: "Resolved"
      readonly backendId: string
      /** Objects that get the owner tag, as "network 12 acme_internal". Empty: all have it. */
      readonly untagged: ReadonlyArray<string>
    }
  | { readonly _tag: "Unresolved"; readonly problem: string }

export interface Upkeep {
  /** Where its objects are: what two offerings call by the same kind and id in the same place is the same object. */
  readonly place: string
  /** Makes the resource's machines stand so, and undoes what an earlier standing did. May be repeated; says what was done. */
  readonly setStanding: (resource: KnownResource, standing: Standing) => Effect.Effect<string, SiteError, Steps>
  /** Puts right what `observe` found of this kind. `quotas` and `sizes` are put right by an update instead. */
  readonly repair: (resource: ExpectedResource, kind: DriftKind) => Effect.Effect<void, SiteError, Steps>
  /** Everything with an owner tag, of whatever resource. One read a kind, however much there is. */
  readonly owned: Effect.Effect<ReadonlyArray<OwnedObject>, SiteError>
  /**
   * Those of these objects that belong to these resources, whatever their tags say: a tenant may have written those. Absent: nobody but agents can. Asked about
   * what would be an orphan.
   */
  readonly belonging?: (
    objects: ReadonlyArray<OwnedObject>,
    resources: ReadonlyArray<KnownResource>
  ) => Effect.Effect<ReadonlyArray<OwnedObject>, SiteError>
  /** Those of these objects that say that they are one of these resources', which is another object. Absent: a resource may have several. */
  readonly surplus?: (
    objects: ReadonlyArray<OwnedObject>,
    resources: ReadonlyArray<KnownResource>
  ) => Effect.Effect<ReadonlyArray<OwnedObject>, SiteError>
  /** What these may have left before it had a tag, as far as nobody uses it. It may be somebody else's all the same. Absent: all is made with its tag. */
  readonly untagged?: (creates: ReadonlyArray<FailedCreate>) => Effect.Effect<ReadonlyArray<OwnedObject>, SiteError>
  /** Removes it, if it still carries the same tag, or is untagged and still used by nobody; content if it is gone. */
  readonly remove: (object: OwnedObject) => Effect.Effect<void, SiteError>
  /** In the order in which they can go: what holds others comes after them. */
  readonly removalOrder: ReadonlyArray<string>
  readonly importable: Effect.Effect<ReadonlyArray<Importable>, SiteError>
  /** What the resource's backend id means, whether it is a name or a number, and what of it has no tag yet. One read a kind for all. */
  readonly resolve: (
    resources: ReadonlyArray<Pick<Resource, "id" | "name" | "slug" | "backendId" | "recorded">>
  ) => Effect.Effect<ReadonlyArray<Resolution>, SiteError>
  /** Writes the owner tags that `resolve` found missing. `backendId` is the resolved one. */
  readonly adopt: (
    resource: Pick<Resource, "id" | "name" | "slug" | "backendId">
  ) => Effect.Effect<void, SiteError, Steps>
}

/** What of a data centre its tenant has made another's, or nobody's; and our tag put back into that. */
import { Effect, Schema } from "effect"
import { ownerTags, type SecurityGroup, type VirtualNetwork, type VirtualRouter } from "../../opennebula/index.js"
import type { ResourceId, SiteError } from "../../plugin/index.js"
import { ownerResource } from "../groups.js"
import { asMade, type Found, type Group, type Known } from "./as-made.js"
import { type Cloud, gone, isTaggedFor, unlessLocked } from "./cloud.js"

export const Retagged = Schema.Struct({
  kind: Schema.Literal("network", "router", "security-group", "group"),
  id: Schema.Int,
  /** Whose it says that it is; null: nobody's. */
  claim: Schema.NullOr(Schema.String)
})
export type Retagged = typeof Retagged.Type

/** `claims`: groups that say that they are another's than their VDC. One that says nothing counts by that as well. */
export const retaggedOf = (
  found: Found & { readonly claims: ReadonlyMap<number, string> },
  resource: Known,
  own: Group
): ReadonlyArray<Retagged> => {
  const made = asMade(found, resource, own)
  const claimed = (kind: Retagged["kind"], pool: ReadonlyArray<VirtualNetwork | VirtualRouter | SecurityGroup>) =>
    pool
      .filter((object) => !isTaggedFor(resource.id, object))
      .map((object) => ({ kind, id: object.id, claim: ownerResource(object) ?? null }))
  const claim = own.group === null ? undefined : found.claims.get(own.group)
  return [
    ...claimed("network", made.networks),
    ...claimed("router", made.routers),
    ...claimed("security-group", made.securityGroups),
    ...(own.group === null || claim === undefined ? [] : [{ kind: "group", id: own.group, claim } as const])
  ]
}

export const tagAgain = (
  { one }: Cloud,
  resource: ResourceId,
  retagged: ReadonlyArray<Retagged>
): Effect.Effect<void, SiteError> => {
  const append = {
    network: one.network.append,
    router: one.router.append,
    "security-group": one.securityGroup.append,
    group: one.group.append
  }
  const tags = ownerTags({ resource, order: "" })
  return Effect.forEach(retagged, ({ id, kind }) => gone(append[kind](id, tags)).pipe(unlessLocked(`${kind} ${id}`)), {
    discard: true
  })
}

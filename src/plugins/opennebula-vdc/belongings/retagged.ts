/** What of a data centre its tenant has made another's, or nobody's; and our tag put back into that. */
import { Effect, Schema } from "effect"
import { ownerTags, type SecurityGroup, type VirtualNetwork, type VirtualRouter } from "../../../opennebula/index.js"
import type { ResourceId, SiteError } from "../../../plugin/index.js"
import { ownerResource } from "../../groups.js"
import { type Cloud, gone, isTaggedFor, unlessLocked } from "../cloud.js"
import type { asMade } from "./as-made.js"

export const Retagged = Schema.Struct({
  kind: Schema.Literal("network", "router", "security-group", "group"),
  id: Schema.Int,
  /** Whose it says that it is; null: nobody's. */
  claim: Schema.NullOr(Schema.String)
})
export type Retagged = typeof Retagged.Type

/**
 * `made`: with the data centre. `claims`: groups that say that they are another's than their VDC; one that says nothing counts by that as well. `group`: its
 * own.
 */
export const retaggedOf = (
  made: ReturnType<typeof asMade>,
  { claims }: { readonly claims: ReadonlyMap<number, string> },
  resource: ResourceId,
  group: number | null
): ReadonlyArray<Retagged> => {
  const claimed = (kind: Retagged["kind"], pool: ReadonlyArray<VirtualNetwork | VirtualRouter | SecurityGroup>) =>
    pool
      .filter((object) => !isTaggedFor(resource, object))
      .map((object) => ({ kind, id: object.id, claim: ownerResource(object) ?? null }))
  const claim = group === null ? undefined : claims.get(group)
  return [
    ...claimed("network", made.networks),
    ...claimed("router", made.routers),
    ...claimed("security-group", made.securityGroups),
    ...(group === null || claim === undefined ? [] : [{ kind: "group", id: group, claim } as const])
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

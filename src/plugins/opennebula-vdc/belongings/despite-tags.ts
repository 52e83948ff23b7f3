/** Which objects belong to data centres whatever their tags say, for those who list what is nobody's: by the same rules by which they are ended. */
import { Effect } from "effect"
import type { KnownResource, OwnedObject, SiteError } from "../../../plugin/index.js"
import type { Cloud } from "../cloud.js"
import { groupOf } from "../own-group.js"
import { type Belongings, belongingsOf } from "./belongings.js"
import { inventory } from "./inventory.js"

/** By kind and id. Machines are other offerings' resources, but for those of routers. */
const keysOf = (own: Belongings): ReadonlyArray<string> => {
  const keys = (kind: string, ids: ReadonlyArray<number>) => ids.map((id) => `${kind} ${id}`)
  return [
    ...keys("user", own.users),
    ...keys(
      "vm",
      own.routers.flatMap(({ vms }) => vms)
    ),
    ...keys(
      "router",
      own.routers.map(({ id }) => id)
    ),
    ...keys("network", own.networks),
    ...keys("security-group", own.securityGroups),
    ...keys("vdc", own.vdcs),
    ...keys("group", [...(own.group === null ? [] : [own.group]), ...own.roleGroups])
  ]
}

export const belongingTo =
  (cloud: Cloud) =>
  (
    objects: ReadonlyArray<OwnedObject>,
    resources: ReadonlyArray<KnownResource>
  ): Effect.Effect<ReadonlyArray<OwnedObject>, SiteError> =>
    Effect.gen(function* () {
      const found = yield* inventory(cloud)
      const own = yield* Effect.forEach(resources, (resource) =>
        groupOf(found.groups, resource).pipe(
          Effect.map((group) => keysOf(belongingsOf(found, resource, group))),
          // Its backend id leads to somebody else's.
          Effect.catchTag("OrderRefused", () => Effect.succeed([]))
        )
      )
      const keys = new Set(own.flat())
      return objects.filter(({ id, kind }) => keys.has(`${kind} ${id}`))
    })

/** Which group of OpenNebula's is a data centre's: by its tag or its number, or, from the Python agent, by its name. */
import { Effect, Option } from "effect"
import { adoptedBy, type GroupShort, type OpenNebulaError } from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import { OrderRefused, type Resource } from "../../plugin/index.js"
import { asTheirVdcsSay, whose } from "../groups.js"
import { type Cloud, isTaggedFor, isUntagged } from "./cloud.js"

/** As it is known between orders. */
type Known = Pick<Resource, "id" | "backendId">
/** As an order has it. */
type Ordered = Pick<Resource, "id" | "backendId" | "name" | "slug">

/** Groups below this id are OpenNebula's own (`oneadmin`, `users`). */
export const firstTenantGroup = 100

/** Is this backend id the number of a group that can be a tenant's? */
export const isGroupId = (backendId: string): boolean =>
  /^\d{3,9}$/.test(backendId.trim()) && Number(backendId) >= firstTenantGroup

/** The group that a backend id means: its number, or, from the Python agent, its name. */
export const groupOf = (
  groups: ReadonlyArray<GroupShort>,
  resource: Known
): Effect.Effect<GroupShort | undefined, OrderRefused> => {
  const backendId = resource.backendId.trim()
  const tagged = groups.find((group) => isTaggedFor(resource.id, group))
  if (backendId === "") return Effect.succeed(tagged)
  const named = /^\d+$/.test(backendId)
    ? groups.find(({ id }) => id === Number(backendId))
    : groups.find(({ name }) => name === backendId)
  const found = named ?? tagged
  if (found === undefined) return Effect.succeed(undefined)
  const owner = whose(found)
  if (found.id < firstTenantGroup || (owner !== undefined && owner !== resource.id)) {
    return new OrderRefused({
      customerMessage:
        "This data centre's identity in the cloud belongs to something else: ask the provider to correct it.",
      detail: `backend id "${backendId}" is group ${found.id} (${found.name}), which belongs to ${owner ?? "OpenNebula"}`
    })
  }
  return Effect.succeed(found)
}

/** The same for what is done between orders: a group without a tag that only has the number is not known well enough (`migrate`). */
export const certainGroupOf = (
  groups: ReadonlyArray<GroupShort>,
  resource: Known
): Effect.Effect<GroupShort | undefined, OrderRefused> =>
  Effect.flatMap(groupOf(groups, resource), (group) =>
    group === undefined ||
    group.name === resource.backendId.trim() ||
    !isUntagged(group) ||
    Option.isSome(adoptedBy(group.template))
      ? Effect.succeed(group)
      : new OrderRefused({
          customerMessage:
            "The group in the cloud is not (or not yet) known to be this data centre's, so it is left alone.",
          detail: `group ${group.id} (${group.name}) has no tag of this resource; see \`site-actors migrate\``
        })
  )

/**
 * The same for an order. A number alone proves nothing where the group has no tag: after OpenNebula was put back from a backup it may be a
 * stranger's. It has to be called as the resource is, by the Python agent or by whoever imported it.
 */
export const groupOfOrder = (
  { settings }: Cloud,
  groups: ReadonlyArray<GroupShort>,
  resource: Ordered
): Effect.Effect<GroupShort | undefined, OrderRefused> =>
  Effect.flatMap(groupOf(groups, resource), (group) =>
    group === undefined || isGroupOf(settings, resource, group)
      ? Effect.succeed(group)
      : new OrderRefused({
          customerMessage:
            "This data centre's identity in the cloud belongs to something else: ask the provider to correct it.",
          detail: `backend id "${resource.backendId}" is group ${group.id} (${group.name}), which has no tag of this resource, nor its name`
        })
  )

/** Is it this resource's? By its tag, or the mark of an adopted one, or by its name. */
export const isGroupOf = (
  { allocation_prefix }: Pick<Cloud["settings"], "allocation_prefix">,
  resource: Ordered,
  { name, template }: Pick<GroupShort, "name" | "template">
): boolean => {
  const owner = whose({ template })
  if (owner !== undefined) return owner === resource.id
  return [resource.backendId.trim(), resource.name, resourceName(allocation_prefix, resource)].some(
    (known) => known.toLowerCase() === name.toLowerCase()
  )
}

/** Has somebody else's group this number by now? */
export const isOthersGroup =
  ({ one, settings }: Cloud, resource: Ordered) =>
  (groupId: number): Effect.Effect<boolean, OpenNebulaError> =>
    one.group.info(groupId).pipe(
      Effect.flatMap((group) =>
        isGroupOf(settings, resource, group)
          ? Effect.succeed(false)
          : Effect.map(
              one.vdc.list(),
              (vdcs) => !asTheirVdcsSay([group], vdcs).some((known) => isGroupOf(settings, resource, known))
            )
      ),
      Effect.catchTag("NoSuchObject", () => Effect.succeed(false))
    )

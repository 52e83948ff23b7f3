/**
 * Whose an object is that was cut off from its owner tag: groups and users are made by a call that takes a name alone, and tagged by the next
 * (docs/decisions/0004-a-group-before-its-tag.md). An order finds them again by itself, with its journal; here it is for those who have none any more.
 */
import { Effect, Option } from "effect"
import { type GroupShort, ownerOf, type Template } from "../../../opennebula/index.js"
import { resourceName } from "../../../opennebula/naming.js"
import { type FailedCreate, type OwnedObject, type SiteError, testedResource } from "../../../plugin/index.js"
import { defaultVdc } from "../../groups.js"
import { type Cloud, isUntagged } from "../cloud.js"
import { firstTenantGroup } from "../own-group.js"
import { userName } from "../tenant.js"
import { inventory } from "./inventory.js"

interface Named {
  readonly id: number
  readonly name: string
  readonly template: Template
  /** A user's primary group. */
  readonly gid?: number
}

interface Whose {
  readonly resource: string
  readonly order: string
}

/** A test order's group is called so that it is known by its name. */
const whoseGroup = ({ name, template }: Named): Option.Option<Whose> =>
  Option.orElse(ownerOf(template), () => Option.map(testedResource(name), (resource) => ({ resource, order: "" })))

/** The group itself; or the tenant's user, who was allocated into it: nobody but an administrator can put one there. */
export const whoseUntagged = (
  kind: string,
  object: Named,
  groups: ReadonlyMap<number, Named>
): Option.Option<Whose> => {
  if (kind === "group") return whoseGroup(object)
  const group = kind === "user" && object.gid !== undefined ? groups.get(object.gid) : undefined
  return group === undefined || object.name !== userName(group.name) ? Option.none() : whoseGroup(group)
}

/**
 * Groups as `one.group.allocate` leaves them: an empty template, nobody and nothing in them, in no VDC but the first, and without a right to create, which
 * `onegroup create` gives as well. One that somebody has just made by that call alone looks the same.
 */
export const bareGroups = (cloud: Cloud): Effect.Effect<ReadonlyArray<GroupShort>, SiteError> =>
  Effect.map(
    Effect.all([inventory(cloud), cloud.one.acl.list()], { concurrency: "unbounded" }),
    ([{ groups, machines, networks, routers, securityGroups, users, vdcs }, rules]) => {
      const used = new Set([
        ...[machines, networks, routers, securityGroups].flatMap((pool) => pool.map(({ gid }) => gid)),
        ...users.flatMap((user) => [user.gid, ...user.groups]),
        ...vdcs.filter(({ id }) => id !== defaultVdc).flatMap((vdc) => vdc.groups),
        ...rules.flatMap(({ rule: { rights, user } }) =>
          user._tag === "Group" && rights.includes("CREATE") ? [user.id] : []
        )
      ])
      return groups.filter(
        (group) =>
          group.id >= firstTenantGroup && isUntagged(group) && group.template.length === 0 && !used.has(group.id)
      )
    }
  )

/** Those that are called as the data centres of these creates would be. */
export const bareGroupsOf =
  (cloud: Cloud) =>
  (creates: ReadonlyArray<FailedCreate>): Effect.Effect<ReadonlyArray<OwnedObject>, SiteError> =>
    Effect.map(bareGroups(cloud), (groups) =>
      groups.flatMap(({ id, name }): ReadonlyArray<OwnedObject> => {
        const create = creates.find(({ resource }) => resourceName(cloud.settings.allocation_prefix, resource) === name)
        return create === undefined
          ? []
          : [{ kind: "group", id, name, resource: create.resource.id, order: create.order, untagged: true }]
      })
    )

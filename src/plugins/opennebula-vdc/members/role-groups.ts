/**
 * A data centre's groups of roles in OpenNebula: `<slug>-users` and so on, which Keycloak's groups are mapped to when somebody logs in.
 *
 * They are in the data centre as its main group is, with its rights and its limits; but limits hold for each group on its own. They
 * carry a tag of their own, not the resource's: the data centre's group is the main one.
 */
import { Effect, Option } from "effect"
import {
  type GroupShort,
  type Quota,
  type Quotas,
  single,
  unmetQuota,
  type Vdc,
  valueOf,
  vector
} from "../../../opennebula/index.js"
import type { ResourceId, SiteError } from "../../../plugin/index.js"
import { defaultVdc, ownerResource } from "../../groups.js"
import { type Cloud, isUntagged, unlessTaken } from "../cloud.js"
import { limitsOf, setQuota } from "../quotas.js"
import { allowCreation, intoVdc, outOfDefaultVdc, takeNetworksBack } from "../tenant.js"
import { pathOf } from "./keycloak-groups.js"
import type { Role } from "./roles.js"

const accessTag = "WALDUR_ACCESS_OF"

export const accessOf = ({ template }: Pick<GroupShort, "template">): string | undefined =>
  Option.getOrUndefined(Option.filter(valueOf(template, accessTag), (resource) => resource !== ""))

/**
 * All groups of roles of a resource, also of roles that are configured no more. An administrator of a group may write into its template: what is in a VDC
 * that is not the resource's is not of its roles, whatever it says. `main`: the resource's own group.
 */
export const roleGroupsOf = <A extends Pick<GroupShort, "id" | "template">>(
  { groups, vdcs }: { readonly groups: ReadonlyArray<A>; readonly vdcs: ReadonlyArray<Vdc> },
  resource: string,
  main: number | undefined
): ReadonlyArray<A> =>
  groups.filter((group) => {
    if (accessOf(group) !== resource || group.id === main) return false
    const vdc = vdcOf(vdcs, group.id)
    return vdc === undefined || ownerResource(vdc) === resource || vdc.groups.some((id) => id === main)
  })

/** VDCs, if it is about any group of roles. */
export const vdcsForRoles = (
  { one }: Pick<Cloud, "one">,
  groups: ReadonlyArray<Pick<GroupShort, "template">>
): Effect.Effect<ReadonlyArray<Vdc>, SiteError> =>
  groups.some((group) => accessOf(group) !== undefined) ? one.vdc.list() : Effect.succeed([])

export const roleGroupName = (slug: string, role: Role): string => `${slug}-${role.one_group_suffix}`

const attributesFor = (resource: ResourceId, slug: string, role: Role) => [
  single(accessTag, resource),
  single("SAML_GROUP", pathOf(slug, role.name)),
  vector("FIREEDGE", {
    DEFAULT_VIEW: role.default_view,
    GROUP_ADMIN_DEFAULT_VIEW: role.default_view,
    VIEWS: role.views
  })
]

/**
 * The group of a role, if it is there. One without a tag counts by its name if it says the role's SAML_GROUP, as those of the Python agent
 * do; or if it says nothing, has no users and is newer than the main group: left by an attempt that broke off before the tag.
 */
export const findRoleGroup = (
  groups: ReadonlyArray<GroupShort>,
  main: { readonly id: number; readonly slug: string; readonly resource: ResourceId },
  role: Role
): GroupShort | undefined => {
  const name = roleGroupName(main.slug, role)
  return groups.find((group) => {
    if (group.name !== name) return false
    const owner = accessOf(group)
    if (owner !== undefined) return owner === main.resource
    const says = Option.getOrUndefined(valueOf(group.template, "SAML_GROUP"))
    if (!isUntagged(group)) return false
    return (
      says === pathOf(main.slug, role.name) || (says === undefined && group.users.length === 0 && group.id > main.id)
    )
  })
}

/** Whether it lacks something that it should say. */
export const isUnfinished = (group: GroupShort, resource: ResourceId, slug: string, role: Role): boolean =>
  accessOf(group) !== resource ||
  Option.getOrUndefined(valueOf(group.template, "SAML_GROUP")) !== pathOf(slug, role.name)

export interface MainGroup {
  readonly id: number
  readonly slug: string
  readonly resource: ResourceId
}

/** Makes the group, or completes it. Its id. */
export const ensureRoleGroup = (cloud: Cloud, main: MainGroup, role: Role) =>
  Effect.gen(function* () {
    const find = Effect.map(cloud.one.group.list(), (groups) =>
      Option.map(Option.fromNullable(findRoleGroup(groups, main, role)), ({ id }) => id)
    )
    const name = roleGroupName(main.slug, role)
    const found = yield* find
    const id = Option.isSome(found)
      ? found.value
      : yield* unlessTaken("group", name, cloud.one.group.allocate(name), find)
    yield* cloud.one.group.append(id, attributesFor(main.resource, main.slug, role))
    return id
  })

/** Where the main group is. */
export interface Surroundings {
  readonly vdc: number
  readonly zone: number
  readonly clusters: ReadonlyArray<number>
  readonly isolated: boolean
}

/** Puts it where the main group is, with the same rights. May be done again. */
export const settleRoleGroup = (cloud: Cloud, groupId: number, { vdc, isolated, ...places }: Surroundings) =>
  Effect.gen(function* () {
    yield* outOfDefaultVdc(cloud, groupId)
    yield* intoVdc(cloud, vdc, groupId)
    if (isolated) yield* takeNetworksBack(cloud, groupId, places)
    yield* allowCreation(cloud, groupId, places.zone)
  })

/** As a data centre stands now, by today's settings. */
export const surroundingsOf = ({ settings }: Cloud, vdc: Vdc): Surroundings => ({
  vdc: vdc.id,
  zone: settings.zone_id,
  clusters: vdc.clusters.filter(({ zone }) => zone === settings.zone_id).map(({ id }) => id),
  isolated: settings.tenant_isolation
})

/** Rows that only count usage, such as that of the tenant's own network, limit nothing. */
const limitsToCopy = (quotas: Quotas): Quota => {
  const { vm, datastores, networks } = limitsOf(quotas)
  return {
    vm,
    datastores: datastores.filter(({ size }) => size !== "default"),
    networks: networks.filter(({ leases }) => leases !== "default")
  }
}

/** Whether a group's limits are not those of the main one. */
export const hasOtherLimits = (main: Quotas | undefined, own: Quotas | undefined): boolean =>
  main !== undefined && own !== undefined && unmetQuota(limitsToCopy(main), own).length > 0

/** The main group's limits for each of these. */
export const copyLimits = (cloud: Cloud, mainId: number, groupIds: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const { quotas } = yield* cloud.one.group.info(mainId)
    yield* Effect.forEach(groupIds, (id) => setQuota(cloud, id, limitsToCopy(quotas)), { discard: true })
  })

/** The data centre that a group is in. */
export const vdcOf = (vdcs: ReadonlyArray<Vdc>, groupId: number): Vdc | undefined =>
  vdcs.find(({ id, groups }) => id !== defaultVdc && groups.includes(groupId))

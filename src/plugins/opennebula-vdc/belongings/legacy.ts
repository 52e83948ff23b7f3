/** What the Python agent made, which tags nothing: known by its names, and by what it hangs together with. */
import { Option } from "effect"
import { type GroupShort, type Vdc, valueOf } from "../../../opennebula/index.js"
import type { ResourceId } from "../../../plugin/index.js"
import { defaultVdc } from "../../groups.js"
import { isIn, isTaggedFor, isUntagged } from "../cloud.js"
import { parentName } from "../members/keycloak-groups.js"
import { accessOf, vdcOf } from "../members/role-groups.js"
import { networkName, securityGroupName } from "../network.js"
import { routerName } from "../router.js"
import { userName } from "../tenant.js"
import type { Inventory } from "./inventory.js"

/** Named and mapped as a group of one of the other's roles. */
const isRoleOf = (other: GroupShort, group: GroupShort): boolean =>
  other.name.startsWith(`${group.name}-`) &&
  Option.exists(valueOf(other.template, "SAML_GROUP"), (path) => path.startsWith(`/${parentName(group.name)}/`))

/** What the Python agent made for roles: named so, untagged, and in the VDC of the group. */
export const pythonRoleGroups = (found: Inventory, group: GroupShort): ReadonlyArray<GroupShort> => {
  const vdc = vdcOf(found.vdcs, group.id)
  return found.groups.filter(
    (other) =>
      vdc?.groups.includes(other.id) === true &&
      isUntagged(other) &&
      accessOf(other) === undefined &&
      isRoleOf(other, group)
  )
}

/** Those that are called as the group is, and hold it and nothing but groups of its roles. Only OpenNebula's own administrators make and fill one. */
export const vdcsAround = (found: Inventory, group: GroupShort): ReadonlyArray<Vdc> => {
  const roles = new Set(found.groups.filter((other) => isRoleOf(other, group)).map(({ id }) => id))
  return found.vdcs.filter(
    ({ groups, id, name }) =>
      id !== defaultVdc &&
      name === group.name &&
      groups.includes(group.id) &&
      groups.every((other) => other === group.id || roles.has(other))
  )
}

type Legacy = Pick<Inventory, "users" | "networks" | "routers" | "securityGroups">
export const nothing: Legacy = { users: [], networks: [], routers: [], securityGroups: [] }

/**
 * What the Python agent made around an untagged group, and has no tag yet. What has the resource's tag already leads to the rest as well: a
 * migration may have been cut off after the VDC, through which the network is found, and by that the router.
 */
export const legacyOf = (found: Inventory, resource: ResourceId, group: GroupShort): Legacy => {
  type Object = Pick<GroupShort, "name" | "template">
  const own = <A extends Object>(objects: ReadonlyArray<A>, name: string) =>
    objects.filter((object) => object.name === name && (isUntagged(object) || isTaggedFor(resource, object)))
  const untagged = <A extends Object>(objects: ReadonlyArray<A>) => objects.filter(isUntagged)
  const vdcs = own(vdcsAround(found, group), group.name)
  const inVdc = vdcs.flatMap((vdc) => vdc.networks.map(({ id }) => id))
  const networks = own(found.networks, networkName(group.name)).filter(({ id }) => inVdc.includes(id))
  const networkIds = networks.map(({ id }) => id)
  const routers = own(found.routers, routerName(group.name)).filter(
    (router) =>
      isIn(router, networkIds) ||
      found.machines.some((machine) => router.vms.includes(machine.id) && isIn(machine, networkIds))
  )
  const users = own(found.users, userName(group.name)).filter(({ gid }) => gid === group.id)
  const securityGroups = own(found.securityGroups, securityGroupName(group.name)).filter(({ uid }) =>
    networks.some((network) => network.uid === uid)
  )
  return {
    networks: untagged(networks),
    users: untagged(users),
    routers: untagged(routers),
    securityGroups: untagged(securityGroups)
  }
}

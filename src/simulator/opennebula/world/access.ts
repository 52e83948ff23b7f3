/** Who may do what: the oneadmin group everything, others by permission bits and access rules. */
import { notAuthorized } from "../wire/refusals.js"
import {
  all,
  idOf,
  individual,
  ofCluster,
  ofGroup,
  type ResourceKind,
  type Right,
  resourceBit,
  rightBit
} from "./acl-bits.js"
import type { Owned, Permissions, User } from "./objects.js"
import type { World } from "./world.js"

/** What a right is wanted on. Without `id` it is the whole kind (CREATE, or the access rules themselves). */
export interface Target {
  readonly kind: ResourceKind | "ACL"
  readonly id?: number
  readonly uid?: number
  readonly gid?: number
  readonly permissions?: Permissions
  readonly clusters?: Iterable<number>
  /** A lock's level: 1 USE, 2 MANAGE, 3 ADMIN. */
  readonly lock?: number | undefined
}

export const isAdministrator = (user: User): boolean => user.id === 0 || user.groups.has(0)

export const targetOf = (kind: ResourceKind, owned: Owned, clusters: Iterable<number> = []): Target => ({
  kind,
  id: owned.id,
  uid: owned.uid,
  gid: owned.gid,
  permissions: owned.permissions,
  clusters,
  lock: owned.lock?.level
})

const rightColumn: Partial<Record<Right, number>> = { USE: 0, MANAGE: 1, ADMIN: 2 }

const byPermissions = (user: User, right: Right, target: Target): boolean => {
  const column = rightColumn[right]
  if (column === undefined || target.permissions === undefined) return false
  const rows = [target.uid === user.id, target.gid !== undefined && user.groups.has(target.gid), true]
  return rows.some((applies, row) => applies && target.permissions?.[row * 3 + column] === 1)
}

const byRules = (world: World, user: User, right: Right, target: Target): boolean => {
  if (target.kind === "ACL") return false
  const kind = resourceBit(target.kind)
  for (const rule of world.acl) {
    const who =
      (rule.user & all) !== 0n ||
      ((rule.user & individual) !== 0n && idOf(rule.user) === user.id) ||
      ((rule.user & ofGroup) !== 0n && user.groups.has(idOf(rule.user)))
    if (!who || (rule.resource & kind) === 0n || (rule.rights & rightBit(right)) === 0n) continue
    if ((rule.resource & all) !== 0n) return true
    if (target.id === undefined) continue
    if ((rule.resource & individual) !== 0n && idOf(rule.resource) === target.id) return true
    if ((rule.resource & ofGroup) !== 0n && idOf(rule.resource) === target.gid) return true
    if ((rule.resource & ofCluster) !== 0n && [...(target.clusters ?? [])].includes(idOf(rule.resource))) return true
  }
  return false
}

export const mayDo = (world: World, user: User, right: Right, target: Target): boolean =>
  isAdministrator(user) ||
  (target.kind === "USER" && target.id === user.id && right !== "CREATE" && right !== "ADMIN") ||
  (target.kind === "GROUP" && target.id !== undefined && user.groups.has(target.id) && right === "USE") ||
  byPermissions(user, right, target) ||
  byRules(world, user, right, target)

/** MANAGE and ADMIN of `AuthRequest::Operation` (OpenNebula 7). */
const operations: Partial<Record<Right, number>> = { MANAGE: 2, ADMIN: 4 }

/** OpenNebula 7 `AclManager::oneadmin_authorize`, but for USE, of which it asks for a kind that no lock stops where something is read. */
const isStopped = ({ lock = 0 }: Target, right: Right): boolean => lock > 0 && lock <= (operations[right] ?? 0)

/** Throws 0x0200 unless the caller may. A lock stops oneadmin as well (recordings 145 and 146). */
export const requireRight = (world: World, caller: User, right: Right, target: Target): void => {
  const may = mayDo(world, caller, right, target)
  if (may && !isStopped(target, right)) return
  if (may && isAdministrator(caller))
    throw notAuthorized(`User [${caller.id}] : ${target.kind} is locked. [${target.id}].`)
  const name = target.id === undefined ? target.kind : `${target.kind} [${target.id}]`
  throw notAuthorized(`User [${caller.id}] : Not authorized to perform ${right} ${name}.`)
}

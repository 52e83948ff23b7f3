/** What all owned objects share: the head of their documents, and chown, chmod, rename, update, lock for each kind. */
import type { Call, Methods } from "../method.js"
import { actionRefused, badApiCall, type Refusal } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { element, wrap } from "../wire/xml.js"
import { isAdministrator, mayDo, requireRight, type Target, targetOf } from "./access.js"
import type { ResourceKind } from "./acl-bits.js"
import { checkRename } from "./names.js"
import type { Owned, Permissions, User } from "./objects.js"
import type { Template } from "./template.js"
import { parseTemplate } from "./template-parser.js"
import type { Pool, World } from "./world.js"

const permissionNames = ["OWNER", "GROUP", "OTHER"].flatMap((who) => ["U", "M", "A"].map((right) => `${who}_${right}`))

/** Owner may use and manage: what every new object has. */
export const newPermissions: Permissions = [1, 1, 0, 0, 0, 0, 0, 0, 0]

export const permissionDocument = (permissions: Permissions): string =>
  wrap("PERMISSIONS", permissionNames.map((name, at) => element(name, permissions[at] ?? 0)).join(""))

/** ID, UID, GID, UNAME, GNAME, NAME. */
export const ownerDocument = (owned: Owned): string =>
  element("ID", owned.id) +
  element("UID", owned.uid) +
  element("GID", owned.gid) +
  element("UNAME", owned.uname) +
  element("GNAME", owned.gname) +
  element("NAME", owned.name)

export const lockDocument = (owned: Owned): string =>
  owned.lock === undefined
    ? ""
    : wrap(
        "LOCK",
        element("LOCKED", owned.lock.level) +
          element("OWNER", owned.lock.owner) +
          element("TIME", owned.lock.time) +
          element("REQ_ID", owned.lock.requestId)
      )

/** The owner's part of a new object that the caller makes. */
export const ownedBy = (world: World, user: User): Omit<Owned, "id" | "name"> => ({
  uid: user.id,
  gid: user.gid,
  uname: user.name,
  gname: world.groups.find(user.gid)?.name ?? "",
  permissions: newPermissions,
  lock: undefined
})

/** Reads a template or throws `refuse(message)`. */
export const readTemplate = (text: string, refuse: (message: string) => Refusal): Template => {
  const parsed = parseTemplate(text)
  if (parsed._tag === "ParseError") throw refuse(parsed.message)
  return parsed.template
}

/** An update with `append` merges, without it replaces. */
export const updateTemplate = (template: Template, text: string, append: boolean): void => {
  const given = readTemplate(text, actionRefused)
  if (!append) template.keep(() => false)
  template.merge(given)
}

/** Filter flags: -3 mine, -2 all, -1 mine and my groups', -4 primary group's, otherwise a user's id. Ranges and pages as in 222 to 225. */
export const selectOwned = <Item extends Owned>(
  call: Call,
  items: Iterable<Item>,
  target: (item: Item) => Target,
  range: { readonly flag: number; readonly start: number; readonly end: number }
): ReadonlyArray<Item> => {
  const { caller, world } = call
  const { end, flag, start } = range
  if (flag < -4) throw badApiCall("Incorrect filter_flag")
  const wanted = (item: Item): boolean => {
    const mine = item.uid === caller.id
    if (flag === -3) return mine
    if (flag === -4) return item.gid === caller.gid && (isAdministrator(caller) || mine || item.permissions[3] === 1)
    if (flag === -1)
      return mine || (caller.groups.has(item.gid) && (isAdministrator(caller) || item.permissions[3] === 1))
    return (flag === -2 || item.uid === flag) && mayDo(world, caller, "USE", target(item))
  }
  const chosen = [...items].filter(wanted).sort((a, b) => b.id - a.id)
  if (start < 0) return chosen
  if (end < -1) return chosen.slice(start, start - end)
  return chosen.filter((item) => item.id >= start && (end === -1 || item.id <= end))
}

export const rangeFrom = (call: Call): { readonly flag: number; readonly start: number; readonly end: number } => ({
  flag: call.args.int(0),
  start: call.args.int(1),
  end: call.args.int(2)
})

export interface OwnedKind<Item extends Owned> {
  /** As in `one.<prefix>.chown`. */
  readonly prefix: string
  readonly kind: ResourceKind
  readonly pool: (world: World) => Pool<Item>
  readonly clusters?: (item: Item) => Iterable<number>
  /** VMs and virtual routers may share a name. */
  readonly uniqueNames: boolean
  readonly template: (item: Item) => Template
  /** Called before an owner changes, to check quotas; throws to refuse. */
  readonly beforeChown?: (call: Call, item: Item, to: { readonly uid: number; readonly gid: number }) => void
  readonly afterChown?: (call: Call, item: Item) => void
}

export const changeOwner = (world: World, item: Owned, to: { readonly uid: number; readonly gid: number }): void => {
  item.uid = to.uid
  item.gid = to.gid
  item.uname = world.users.find(to.uid)?.name ?? item.uname
  item.gname = world.groups.find(to.gid)?.name ?? item.gname
}

export const ownedMethods = <Item extends Owned>(kind: OwnedKind<Item>): Methods => {
  const target = (item: Item) => targetOf(kind.kind, item, kind.clusters?.(item))
  const method = (name: string) => `one.${kind.prefix}.${name}`
  return {
    [method("chown")]: (call) => {
      const { args, caller, world } = call
      const [id, uid, gid] = [args.int(0), args.int(1), args.int(2)]
      const item = kind.pool(world).get(id)
      if (uid >= 0) world.users.get(uid)
      if (gid >= 0) world.groups.get(gid)
      requireRight(world, caller, uid >= 0 ? "ADMIN" : "MANAGE", target(item))
      const to = { uid: uid >= 0 ? uid : item.uid, gid: gid >= 0 ? gid : item.gid }
      kind.beforeChown?.(call, item, to)
      changeOwner(world, item, to)
      kind.afterChown?.(call, item)
      return int(id)
    },
    [method("chmod")]: ({ args, caller, world }) => {
      const id = args.int(0)
      const wanted = permissionNames.map((_, at) => args.int(at + 1))
      const item = kind.pool(world).get(id)
      requireRight(world, caller, "MANAGE", target(item))
      item.permissions = item.permissions.map((known, at) => {
        const bit = wanted[at] ?? -1
        return bit < 0 ? known : Math.min(bit, 1)
      })
      return int(id)
    },
    [method("rename")]: ({ args, caller, world }) => {
      const [id, name] = [args.int(0), args.string(1)]
      const item = kind.pool(world).get(id)
      requireRight(world, caller, "MANAGE", target(item))
      const rivals = kind.uniqueNames ? [...kind.pool(world)].filter((other) => other.uid === item.uid) : []
      checkRename(name, kind.pool(world).noun, item, rivals)
      item.name = name
      return int(id)
    },
    [method("update")]: ({ args, caller, world }) => {
      const [id, text, append] = [args.int(0), args.string(1), args.int(2, 0)]
      const item = kind.pool(world).get(id)
      requireRight(world, caller, "MANAGE", target(item))
      updateTemplate(kind.template(item), text, append === 1)
      return int(id)
    },
    [method("lock")]: ({ args, caller, requestId, world }) => {
      const [id, asked] = [args.int(0), args.int(1)]
      const item = kind.pool(world).get(id)
      requireRight(world, caller, "MANAGE", target(item))
      if (asked < 1 || asked > 4) throw actionRefused("Wrong lock level specified")
      // 4, ALL, is the same as 1, USE (7 `RequestManagerLock::request_execute`).
      const level = asked === 4 ? 1 : asked
      item.lock = { level, owner: caller.id, time: world.now, requestId }
      return int(id)
    },
    [method("unlock")]: ({ args, caller, world }) => {
      const id = args.int(0)
      const item = kind.pool(world).get(id)
      requireRight(world, caller, "MANAGE", { ...target(item), lock: undefined })
      item.lock = undefined
      return int(id)
    }
  }
}

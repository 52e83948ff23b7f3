/** Groups: the tenants. A new group joins VDC 0; deletion is blocked by users alone and orphans everything else. */
import type { Call, Methods } from "../method.js"
import { actionRefused, ErrorCode, internalError, Refusal } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, element, idList, wrap } from "../wire/xml.js"
import { isAdministrator, mayDo, requireRight, type Target } from "../world/access.js"
import {
  all,
  individual,
  ofGroup,
  type ResourceKind,
  type Right,
  type RuleBits,
  resourceBit,
  rightBit
} from "../world/acl-bits.js"
import { claimName } from "../world/names.js"
import type { Group } from "../world/objects.js"
import { updateTemplate } from "../world/owned.js"
import { defaultQuotaDocument, quotaDocument, setQuotas } from "../world/quotas.js"
import { Template } from "../world/template.js"
import { noQuotas, type World } from "../world/world.js"
import { dropRule, ensureRule } from "./acl.js"
import { joinVdc, leaveVdc } from "./vdc-membership.js"

const target = (group: Group): Target => ({ kind: "GROUP", id: group.id, gid: group.id })

const membersOf = (world: World, group: Group): ReadonlyArray<number> =>
  world.users
    .oldestFirst()
    .filter((user) => user.groups.has(group.id))
    .map((user) => user.id)

const headDocument = (world: World, group: Group): string =>
  element("ID", group.id) +
  element("NAME", group.name) +
  wrap("TEMPLATE", group.template.toXml()) +
  idList("USERS", membersOf(world, group)) +
  idList("ADMINS", group.admins)

const vlanRules = (group: Group): string => wrap("VLAN_RULES", cdata("ID", group.id))

const groupDocument = (world: World, group: Group): string =>
  wrap(
    "GROUP",
    headDocument(world, group) +
      quotaDocument(world, { kind: "group", id: group.id }) +
      vlanRules(group) +
      defaultQuotaDocument(world, "group")
  )

/** The four rules that make a user administrator of a group. */
const adminRules = (uid: number, gid: number): ReadonlyArray<RuleBits> => {
  const rule = (kinds: ReadonlyArray<ResourceKind>, on: bigint, rights: ReadonlyArray<Right>): RuleBits => ({
    user: individual | BigInt(uid),
    resource: kinds.reduce((bits, kind) => bits | resourceBit(kind), on),
    rights: rights.reduce((bits, right) => bits | rightBit(right), 0n),
    zone: all
  })
  const inGroup = ofGroup | BigInt(gid)
  return [
    rule(["USER"], inGroup, ["USE", "MANAGE", "ADMIN", "CREATE"]),
    rule(["USER"], all, ["CREATE"]),
    rule(["GROUP"], individual | BigInt(gid), ["USE", "MANAGE"]),
    rule(["VM", "NET", "IMAGE", "TEMPLATE", "DOCUMENT", "SECGROUP", "VROUTER", "VMGROUP", "BACKUPJOB"], inGroup, [
      "USE",
      "MANAGE"
    ])
  ]
}

const forGroup = (call: Call, right: Right): Group => {
  const group = call.world.groups.get(call.args.int(0))
  requireRight(call.world, call.caller, right, target(group))
  return group
}

export const groupMethods: Methods = {
  "one.group.allocate": ({ args, caller, world }) => {
    const name = args.string(0)
    requireRight(world, caller, "CREATE", { kind: "GROUP" })
    claimName(name, "GROUP", world.groups, { alsoForbidden: " :" })
    const group = world.groups.add((id) => ({
      id,
      name,
      template: new Template(),
      admins: new Set<number>(),
      quotas: noQuotas()
    }))
    joinVdc(world, world.vdcs.get(0), group.id)
    return int(group.id)
  },
  "one.group.info": (call) => {
    const { args, caller, world } = call
    const id = args.int(0)
    const group = world.groups.get(id === -1 ? caller.gid : id)
    requireRight(world, caller, "USE", target(group))
    return string(groupDocument(world, group))
  },
  "one.grouppool.info": ({ caller, world }) => {
    const groups = world.groups.newestFirst().filter((group) => mayDo(world, caller, "USE", target(group)))
    return string(
      wrap(
        "GROUP_POOL",
        groups
          .map(
            (group) =>
              wrap("GROUP", headDocument(world, group)) +
              wrap("QUOTAS", element("ID", group.id) + quotaDocument(world, { kind: "group", id: group.id })) +
              vlanRules(group)
          )
          .join("") + defaultQuotaDocument(world, "group")
      )
    )
  },
  "one.group.update": (call) => {
    const group = forGroup(call, "MANAGE")
    updateTemplate(group.template, call.args.string(1), call.args.int(2, 0) === 1)
    return int(group.id)
  },
  "one.group.quota": ({ args, caller, world }) => {
    const [id, text] = [args.int(0), args.string(1)]
    const group = world.groups.find(id)
    if (group === undefined)
      throw new Refusal({
        code: ErrorCode.authorization,
        message: `User [${caller.id}] not authorized to perform action on group.`,
        id
      })
    requireRight(world, caller, "ADMIN", target(group))
    if (id === 0) throw actionRefused("Cannot set quotas for oneadmin group")
    setQuotas(world, group.quotas, text, { kind: "group", id })
    return int(id)
  },
  "one.group.addadmin": (call) => {
    const group = forGroup(call, "MANAGE")
    const user = call.world.users.get(call.args.int(1))
    if (!user.groups.has(group.id)) throw internalError(`User ${user.id} is not part of Group ${group.id}`)
    if (group.admins.has(user.id))
      throw internalError(`User ${user.id} is already an administrator of Group ${group.id}`)
    group.admins.add(user.id)
    for (const rule of adminRules(user.id, group.id)) ensureRule(call.world, rule)
    return int(group.id)
  },
  "one.group.deladmin": (call) => {
    const group = forGroup(call, "MANAGE")
    const user = call.world.users.get(call.args.int(1))
    if (!group.admins.delete(user.id))
      throw internalError(`User ${user.id} is not an administrator of Group ${group.id}`)
    for (const rule of adminRules(user.id, group.id)) dropRule(call.world, rule)
    return int(group.id)
  },
  "one.group.delete": (call) => {
    const { world } = call
    const group = forGroup(call, "ADMIN")
    const refuse = (reason: string) => actionRefused(`Cannot delete group. ${reason}`)
    if (group.id < 100) throw refuse("System Groups (ID < 100) cannot be deleted.")
    if (membersOf(world, group).length > 0) throw refuse(`Group ${group.id} is not empty.`)
    world.groups.remove(group.id)
    // VDC 0's rules outlive the group, as those of acl.addrule do.
    for (const vdc of world.vdcs) {
      if (vdc.id === 0) vdc.groups.delete(group.id)
      else if (vdc.groups.has(group.id)) leaveVdc(world, vdc, group.id)
    }
    return int(group.id)
  },
  "one.groupquota.info": ({ caller, world }) => {
    requireRight(world, caller, "ADMIN", { kind: "GROUP" })
    return string(defaultQuotaDocument(world, "group"))
  },
  "one.groupquota.update": ({ args, caller, world }) => {
    const text = args.string(0)
    if (!isAdministrator(caller)) requireRight(world, caller, "ADMIN", { kind: "GROUP" })
    setQuotas(world, world.defaultQuotas.group, text, undefined)
    return string(defaultQuotaDocument(world, "group"))
  }
}

/** Security groups: named firewall rules. Not deletable while a VM uses one. */
import type { Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { idList, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { claimName } from "../world/names.js"
import type { SecurityGroup } from "../world/objects.js"
import {
  lockDocument,
  ownedBy,
  ownedMethods,
  ownerDocument,
  permissionDocument,
  rangeFrom,
  readTemplate,
  selectOwned
} from "../world/owned.js"
import { remembered, type Vector } from "../world/template.js"
import type { World } from "../world/world.js"

const target = (group: SecurityGroup) => targetOf("SECGROUP", group)

const doneState = 6

const guardsOf = remembered((template) =>
  template.vectors("NIC").flatMap((nic) => (nic.values.get("SECURITY_GROUPS") ?? "").split(","))
)

type Users = ReadonlyMap<string, ReadonlySet<number>>

/** VMs with a NIC that a group guards, oldest first, by the group's id. All groups in one pass: a pool's answer wants each of them. */
const usersByGroup = (world: World): Users => {
  const users = new Map<string, Set<number>>()
  for (const vm of world.vms.oldestFirst()) {
    if (vm.state === doneState) continue
    for (const id of guardsOf(vm.template)) {
      const known = users.get(id)
      if (known === undefined) users.set(id, new Set([vm.id]))
      else known.add(vm.id)
    }
  }
  return users
}

const usersIn = (users: Users, group: SecurityGroup): Iterable<number> => users.get(String(group.id)) ?? []

const document = (users: Users, group: SecurityGroup): string =>
  wrap(
    "SECURITY_GROUP",
    ownerDocument(group) +
      permissionDocument(group.permissions) +
      lockDocument(group) +
      idList("UPDATED_VMS", usersIn(users, group)) +
      idList("OUTDATED_VMS", []) +
      idList("UPDATING_VMS", []) +
      idList("ERROR_VMS", []) +
      wrap("TEMPLATE", group.template.toXml())
  )

const protocols = ["TCP", "UDP", "ICMP", "ICMPV6", "IPSEC", "ALL"]

const checkRule = (rule: Vector): void => {
  if (!protocols.includes((rule.values.get("PROTOCOL") ?? "").toUpperCase()))
    throw internalError(`Wrong PROTOCOL in rule. Valid options: ${protocols.join(", ")}.`)
  if (!["INBOUND", "OUTBOUND"].includes((rule.values.get("RULE_TYPE") ?? "").toUpperCase()))
    throw internalError("Wrong RULE_TYPE in rule. Valid options: INBOUND, OUTBOUND.")
}

export const securityGroupMethods: Methods = {
  ...ownedMethods<SecurityGroup>({
    prefix: "secgroup",
    kind: "SECGROUP",
    pool: (world) => world.securityGroups,
    uniqueNames: true,
    template: (group) => group.template
  }),
  "one.secgroup.allocate": ({ args, caller, world }) => {
    const template = readTemplate(args.string(0), internalError)
    requireRight(world, caller, "CREATE", { kind: "SECGROUP" })
    const name = template.get("NAME") ?? ""
    template.remove("NAME")
    claimName(
      name,
      "SecurityGroup",
      [...world.securityGroups].filter((other) => other.uid === caller.id)
    )
    template.vectors("RULE").forEach(checkRule)
    return int(world.securityGroups.add((id) => ({ id, name, ...ownedBy(world, caller), template })).id)
  },
  "one.secgroup.info": ({ args, caller, world }) => {
    const group = world.securityGroups.get(args.int(0))
    requireRight(world, caller, "USE", target(group))
    return string(document(usersByGroup(world), group))
  },
  "one.secgrouppool.info": (call) => {
    const groups = selectOwned(call, call.world.securityGroups, target, rangeFrom(call))
    const users = usersByGroup(call.world)
    return string(wrap("SECURITY_GROUP_POOL", groups.map((group) => document(users, group)).join("")))
  },
  "one.secgroup.delete": ({ args, caller, world }) => {
    const group = world.securityGroups.get(args.int(0))
    requireRight(world, caller, "MANAGE", target(group))
    const refuse = (reason: string) => actionRefused(`Cannot delete security group. ${reason}`)
    if (group.id === 0) throw refuse("The default security group (ID 0) cannot be deleted.")
    if (usersByGroup(world).has(String(group.id))) throw refuse("The security group has VMs using it")
    world.securityGroups.remove(group.id)
    return int(group.id)
  }
}

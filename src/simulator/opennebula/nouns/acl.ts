/** Access rules: kept, listed by user, and taken back one by one. Rules outlive the groups that they speak of. */
import type { Methods } from "../method.js"
import { internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { element, wrap } from "../wire/xml.js"
import { requireRight } from "../world/access.js"
import {
  all,
  individual,
  ofCluster,
  ofGroup,
  type ResourceKind,
  type Right,
  type RuleBits,
  resourceBit,
  rightBit,
  ruleFault,
  ruleText
} from "../world/acl-bits.js"
import type { World } from "../world/world.js"

const same = (a: RuleBits, b: RuleBits) =>
  a.user === b.user && a.resource === b.resource && a.rights === b.rights && a.zone === b.zone

export const findRule = (world: World, rule: RuleBits) => [...world.acl].find((known) => same(known, rule))

/** A rule for a group's members on resources in this zone, as VDCs make them. */
export const groupRule = (
  gid: number,
  kind: ResourceKind,
  on: { readonly cluster: number } | { readonly id: number } | "all",
  right: Right
): RuleBits => ({
  user: ofGroup | BigInt(gid),
  resource:
    resourceBit(kind) |
    (on === "all" ? all : "cluster" in on ? ofCluster | BigInt(on.cluster) : individual | BigInt(on.id)),
  rights: rightBit(right),
  zone: individual
})

/** Adds the rule unless it is there already. */
export const ensureRule = (world: World, rule: RuleBits): void => {
  if (findRule(world, rule) === undefined) world.acl.add((id) => ({ id, ...rule }))
}

export const dropRule = (world: World, rule: RuleBits): void => {
  const found = findRule(world, rule)
  if (found !== undefined) world.acl.remove(found.id)
}

/** Removes every rule whose subject is this user. */
export const dropRulesOfUser = (world: World, uid: number): void => {
  for (const rule of [...world.acl]) if (rule.user === (individual | BigInt(uid))) world.acl.remove(rule.id)
}

/** Removes the rules on one object, for example a network that is deleted. */
export const dropRulesOn = (world: World, kind: ResourceKind, id: number): void => {
  for (const rule of [...world.acl])
    if (rule.resource === (resourceBit(kind) | individual | BigInt(id))) world.acl.remove(rule.id)
}

/** Hexadecimal with or without 0x; what is not a number counts as nothing (recording 166). */
const hexadecimal = (text: string): bigint => {
  const digits = /^\s*(?:0x)?([0-9a-f]+)/i.exec(text)?.[1]
  return digits === undefined ? 0n : BigInt(`0x${digits}`)
}

const hex = (bits: bigint) => bits.toString(16)

export const aclMethods: Methods = {
  "one.acl.info": ({ caller, world }) => {
    requireRight(world, caller, "MANAGE", { kind: "ACL" })
    const rules = world.acl.oldestFirst().toSorted((a, b) => (a.user < b.user ? -1 : a.user > b.user ? 1 : 0))
    return string(
      wrap(
        "ACL_POOL",
        rules
          .map((rule) =>
            wrap(
              "ACL",
              element("ID", rule.id) +
                element("USER", hex(rule.user)) +
                element("RESOURCE", hex(rule.resource)) +
                element("RIGHTS", hex(rule.rights)) +
                element("ZONE", hex(rule.zone)) +
                element("STRING", ruleText(rule))
            )
          )
          .join("")
      )
    )
  },
  "one.acl.addrule": ({ args, caller, world }) => {
    const rule = {
      user: hexadecimal(args.string(0)),
      resource: hexadecimal(args.string(1)),
      rights: hexadecimal(args.string(2)),
      zone: args.has(3) ? hexadecimal(args.string(3)) : all
    }
    requireRight(world, caller, "MANAGE", { kind: "ACL" })
    const fault = ruleFault(rule)
    if (fault !== undefined) throw internalError(`Rule ${ruleText(rule)} is malformed: ${fault}`)
    if (findRule(world, rule) !== undefined) throw internalError(`Rule ${ruleText(rule)} already exists`)
    return int(world.acl.add((id) => ({ id, ...rule })).id)
  },
  "one.acl.delrule": ({ args, caller, world }) => {
    const id = args.int(0)
    requireRight(world, caller, "MANAGE", { kind: "ACL" })
    if (world.acl.find(id) === undefined) throw internalError(`Rule ${id} does not exist`)
    world.acl.remove(id)
    return int(id)
  }
}

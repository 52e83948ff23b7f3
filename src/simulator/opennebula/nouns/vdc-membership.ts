/** The access rules that follow from a group being in a VDC, and a resource being given to one. */
import type { RuleBits } from "../world/acl-bits.js"
import type { Vdc, VdcResources } from "../world/objects.js"
import type { World } from "../world/world.js"
import { dropRule, ensureRule, groupRule } from "./acl.js"

export type VdcResourceKind = keyof VdcResources

/** In a VDC -10 stands for all resources of the zone. */
const everything = -10

/** Rules for one resource: a cluster gives its hosts, networks and datastores. */
const rulesFor = (gid: number, kind: VdcResourceKind, id: number): ReadonlyArray<RuleBits> => {
  if (kind === "CLUSTER") {
    const on = id === everything ? ("all" as const) : { cluster: id }
    return [
      groupRule(gid, "HOST", on, "MANAGE"),
      groupRule(gid, "NET", on, "USE"),
      groupRule(gid, "DATASTORE", on, "USE")
    ]
  }
  return [groupRule(gid, kind, id === everything ? "all" : { id }, kind === "HOST" ? "MANAGE" : "USE")]
}

const kinds = ["CLUSTER", "HOST", "NET", "DATASTORE"] as const

const rulesOfMember = (vdc: Vdc, gid: number): ReadonlyArray<RuleBits> =>
  kinds.flatMap((kind) => [...vdc.resources[kind]].flatMap((id) => rulesFor(gid, kind, id)))

/** Another VDC may give the group the same right: then the rule stays. */
const stillGiven = (world: World, except: Vdc, gid: number): ReadonlyArray<RuleBits> =>
  [...world.vdcs].filter((vdc) => vdc !== except && vdc.groups.has(gid)).flatMap((vdc) => rulesOfMember(vdc, gid))

const takeBack = (world: World, vdc: Vdc, gid: number, rules: ReadonlyArray<RuleBits>): void => {
  const kept = stillGiven(world, vdc, gid)
  for (const rule of rules)
    if (!kept.some((other) => other.resource === rule.resource && other.rights === rule.rights)) dropRule(world, rule)
}

export const joinVdc = (world: World, vdc: Vdc, gid: number): void => {
  vdc.groups.add(gid)
  for (const rule of rulesOfMember(vdc, gid)) ensureRule(world, rule)
}

export const leaveVdc = (world: World, vdc: Vdc, gid: number): void => {
  takeBack(world, vdc, gid, rulesOfMember(vdc, gid))
  vdc.groups.delete(gid)
}

export const giveResource = (world: World, vdc: Vdc, kind: VdcResourceKind, id: number): void => {
  vdc.resources[kind].add(id)
  for (const gid of vdc.groups) for (const rule of rulesFor(gid, kind, id)) ensureRule(world, rule)
}

export const withdrawResource = (world: World, vdc: Vdc, kind: VdcResourceKind, id: number): void => {
  vdc.resources[kind].delete(id)
  for (const gid of vdc.groups) takeBack(world, vdc, gid, rulesFor(gid, kind, id))
}

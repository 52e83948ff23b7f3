/** The objects of the simulated front-end, seen as what an invariant needs of them: kind, id, owner tag, who made them. */
import type { FrontEnd } from "../../src/simulator/opennebula/index.js"

export type World = FrontEnd["world"]
export type ObjectKind =
  | "group"
  | "VDC"
  | "network"
  | "security group"
  | "router"
  | "user"
  | "VM"
  | "router VM"
  | "rule"

export interface Found {
  readonly kind: ObjectKind
  readonly id: number
  readonly name: string
  /** Waldur resource in its owner tag. */
  readonly resource: string | undefined
  /** Waldur order in its owner tag. */
  readonly order: string | undefined
}

export const keyOf = ({ kind, id }: Pick<Found, "kind" | "id">): string => `${kind === "router VM" ? "VM" : kind} ${id}`

interface Tagged {
  get(name: string): string | undefined
}
const tags = (template: Tagged) => ({
  resource: template.get("WALDUR_RESOURCE_UUID"),
  order: template.get("WALDUR_ORDER_UUID")
})

const vmDone = 6

/** All there is, VMs that have ended left out. */
export const objectsOf = (world: World): ReadonlyArray<Found> => {
  const list = <A extends { readonly id: number; readonly name: string; readonly template: Tagged }>(
    kind: ObjectKind,
    pool: Iterable<A>
  ): ReadonlyArray<Found> => [...pool].map(({ id, name, template }) => ({ kind, id, name, ...tags(template) }))
  return [
    ...list("group", world.groups),
    ...list("VDC", world.vdcs),
    ...list("network", world.networks),
    ...list("security group", world.securityGroups),
    ...list("router", world.routers),
    ...list("user", world.users),
    ...[...world.vms]
      .filter(({ state }) => state !== vmDone)
      .map(
        (vm): Found => ({
          kind: vm.template.get("VROUTER_ID") === undefined ? "VM" : "router VM",
          id: vm.id,
          name: vm.name,
          ...tags(vm.userTemplate)
        })
      ),
    ...[...world.acl].map(
      (rule): Found => ({
        kind: "rule",
        id: rule.id,
        name: `of ${ruleHolder(rule.user)}`,
        resource: undefined,
        order: undefined
      })
    )
  ]
}

const groupBit = 0x2_0000_0000n
/** "group 100", "user 3", "all". */
export const ruleHolder = (user: bigint): string => {
  const id = Number(user & 0xffff_ffffn)
  if ((user & groupBit) !== 0n) return `group ${id}`
  return (user & 0x1_0000_0000n) !== 0n ? `user ${id}` : "all"
}

/** What a changing call is about; each must be the agent's own. Calls that only make something have none. */
export const targetsOf = (method: string, params: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const id = (at: number) => Number(params[at])
  switch (method) {
    case "one.vdc.addgroup":
    case "one.vdc.delgroup":
      // VDC 0 is everybody's: a group is taken out of it, it is not changed itself.
      return [...(id(0) === 0 ? [] : [`VDC ${id(0)}`]), `group ${id(1)}`]
    case "one.vdc.addvnet":
    case "one.vdc.delvnet":
      return [`VDC ${id(0)}`, `network ${id(2)}`]
    case "one.cluster.addvnet":
    case "one.cluster.delvnet":
      return [`network ${id(1)}`]
    case "one.acl.addrule":
      return [ruleHolder(BigInt(String(params[0])))]
    case "one.acl.delrule":
      return [`rule ${id(0)}`]
    case "one.vm.action":
      return [`VM ${id(1)}`]
    case "one.template.instantiate":
      return []
    default:
      break
  }
  const noun = /^one\.(group|vdc|vn|secgroup|vrouter|user|vm)\.(.+)$/.exec(method)
  if (noun === null || noun[2] === "allocate") return []
  const kinds: Readonly<Record<string, string>> = {
    group: "group",
    vdc: "VDC",
    vn: "network",
    secgroup: "security group",
    vrouter: "router",
    user: "user",
    vm: "VM"
  }
  return [`${kinds[noun[1] ?? ""]} ${id(0)}`]
}

export const isLook = (method: string): boolean =>
  /\.(info|infoset|infoextended|version|monitoring|accounting)$/.test(method)

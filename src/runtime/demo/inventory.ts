/** What stands in the simulated cloud, by kind: to show what the orders made, and that nothing of it stayed. */
import { type FrontEnd, VmState } from "../../simulator/opennebula/index.js"

/** "group 100 demo-vdc", "acl rule 17 @100 VM+NET+.../* CREATE", ... A VM that is DONE is gone. */
export type Inventory = ReadonlySet<string>

export const takeInventory = ({ world }: FrontEnd): Inventory => {
  const named = (kind: string, pool: Iterable<{ readonly id: number; readonly name: string }>) =>
    [...pool].map(({ id, name }) => `${kind} ${id} ${name}`)
  return new Set([
    ...named("group", world.groups),
    ...named("vdc", world.vdcs),
    ...named("network", world.networks),
    ...named("router", world.routers),
    ...named("security group", world.securityGroups),
    ...named("user", world.users),
    ...named(
      "vm",
      [...world.vms].filter((vm) => vm.state !== VmState.done)
    ),
    ...[...world.acl].map((rule) => `acl rule ${rule.id}`),
    ...[...world.networks].flatMap((network) =>
      network.ranges.flatMap((range) =>
        [...range.leases.values()].map(
          ({ index, holder }) => `lease ${index} of network ${network.id} for ${holder.kind} ${holder.id}`
        )
      )
    )
  ])
}

export const added = (before: Inventory, after: Inventory): ReadonlyArray<string> =>
  [...after].filter((item) => !before.has(item))

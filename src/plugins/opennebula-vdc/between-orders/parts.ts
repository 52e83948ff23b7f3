/** What a data centre is made of: from one read of each pool, by the same rules by which it is ended (`belongings/`). */
import { Effect, Option } from "effect"
import { isVmFailure, type VirtualNetwork, valueOf, vmStateText } from "../../../opennebula/index.js"
import { type KnownResource, partKey, type ResourcePart, type SiteError } from "../../../plugin/index.js"
import { belongingsOf } from "../belongings/belongings.js"
import { inventory } from "../belongings/inventory.js"
import type { Cloud } from "../cloud.js"
import { groupOf } from "../own-group.js"

const networkDetail = ({ template, usedLeases }: VirtualNetwork): string => {
  const said = (name: string, key: string) =>
    Option.match(valueOf(template, key), { onNone: () => [], onSome: (value) => [`${name} ${value}`.trim()] })
  return [
    ...said("", "NETWORK_ADDRESS"),
    ...said("mask", "NETWORK_MASK"),
    ...said("gateway", "GATEWAY"),
    `${usedLeases} addresses in use`
  ].join(", ")
}

export const partsOf =
  (cloud: Cloud) =>
  (resource: KnownResource): Effect.Effect<ReadonlyArray<ResourcePart>, SiteError> =>
    Effect.gen(function* () {
      const found = yield* inventory(cloud)
      const group = yield* groupOf(found.groups, resource)
      const own = belongingsOf(found, resource, group)
      const groupKey = own.group === null ? {} : { parent: partKey({ kind: "group", id: String(own.group) }) }
      const part = (kind: string, id: number, name: string, more: Partial<ResourcePart> = {}): ResourcePart => ({
        kind,
        id: String(id),
        name,
        state: "",
        detail: "",
        ...more
      })
      const machine = (id: number, parent: { readonly parent?: string }): ReadonlyArray<ResourcePart> =>
        found.machines
          .filter((vm) => vm.id === id)
          .map((vm) =>
            part("vm", id, vm.name, {
              state: vmStateText(vm.state),
              healthy: !isVmFailure(vm.state) && vm.state !== "Unknown",
              detail: vm.nics.flatMap(({ ip }) => Option.toArray(ip)).join(", "),
              ...parent
            })
          )
      const vdcs = found.vdcs.filter(({ id }) => own.vdcs.includes(id))
      const people = found.users.filter(({ id }) => [...own.users, ...own.members, ...own.logins].includes(id))
      return [
        ...(group === undefined ? [] : [part("group", group.id, group.name)]),
        ...found.groups
          .filter(({ id }) => own.roleGroups.includes(id))
          .map(({ id, name }) => part("group", id, name, { ...groupKey, detail: "of a role" })),
        ...vdcs.map(({ id, name }) => part("vdc", id, name, groupKey)),
        ...vdcs.flatMap((vdc) =>
          vdc.clusters.map(({ id, zone }) =>
            part("cluster", id, "", {
              parent: partKey({ kind: "vdc", id: String(vdc.id) }),
              detail: `zone ${zone}`
            })
          )
        ),
        ...found.networks
          .filter(({ id }) => own.networks.includes(id))
          .map((network) =>
            part("network", network.id, network.name, {
              ...groupKey,
              state: String(network.state),
              healthy: network.state === "Ready",
              detail: networkDetail(network)
            })
          ),
        ...found.routers
          .filter(({ id }) => own.routers.some((one) => one.id === id))
          .flatMap((router) => [
            part("router", router.id, router.name, {
              ...groupKey,
              healthy: router.vms.length > 0,
              detail: router.nics
                .flatMap(({ ip, network }) => Option.toArray(Option.map(ip, (address) => `${network} ${address}`)))
                .join(", ")
            }),
            ...router.vms.flatMap((id) => machine(id, { parent: partKey({ kind: "router", id: String(router.id) }) }))
          ]),
        ...found.securityGroups
          .filter(({ id }) => own.securityGroups.includes(id))
          .map(({ id, name }) => part("security group", id, name, groupKey)),
        ...people.map(({ id, name }) =>
          part("user", id, name, { ...groupKey, detail: own.users.includes(id) ? "" : "a member" })
        ),
        ...own.machines.flatMap((id) => machine(id, groupKey))
      ]
    })

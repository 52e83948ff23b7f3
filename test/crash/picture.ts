/**
 * What stands on both sides, as lines that can be compared: ids, names, owners, sizes, quotas, leases and rights, but no times, secrets and
 * order numbers. Ids are left in on purpose: an object that was made twice and removed once shows by its id.
 */
import { type FrontEnd, VmState } from "../../src/simulator/opennebula/index.js"
import { stateName } from "../../src/simulator/opennebula/vms/states.js"
import { ruleText } from "../../src/simulator/opennebula/world/acl-bits.js"
import type { Template } from "../../src/simulator/opennebula/world/template.js"
import type * as Waldur from "../../src/simulator/waldur/index.js"

export type Picture = ReadonlyArray<string>

const list = (items: Iterable<unknown>) => [...items].map(String).sort().join(",")

/** OpenNebula's side. `resourceName`: the name of the Waldur resource with that uuid. */
export const pictureOfCloud = (
  { world }: FrontEnd,
  resourceName: (uuid: string) => string | undefined = () => undefined
): Picture => {
  const owner = (template: Template) => {
    const tag = template.get("WALDUR_RESOURCE_UUID")
    return tag === undefined ? "untagged" : `of ${resourceName(tag.replaceAll("-", "")) ?? tag}`
  }
  const vectors = (template: Template, name: string, keys: ReadonlyArray<string>) =>
    template
      .vectors(name)
      .map(({ values }) => `${name}[${keys.map((key) => `${key}=${values.get(key) ?? ""}`).join(" ")}]`)
      .join(" ")
  const lines = [
    ...[...world.groups].map(({ id, name, quotas, template }) => {
      const rows = (["VM", "DATASTORE", "NETWORK", "IMAGE"] as const).flatMap((section) =>
        quotas[section]
          .filter((row) => !row.fromUsage)
          .map(
            ({ key, limits }) => `${section}${key}[${list([...limits].map(([metric, limit]) => `${metric}=${limit}`))}]`
          )
      )
      return `group ${id} ${name} ${owner(template)} quotas ${rows.sort().join(" ")}`
    }),
    ...[...world.vdcs].map(
      ({ groups, id, name, resources, template }) =>
        `vdc ${id} ${name} ${owner(template)} groups ${list(groups)} clusters ${list(resources.CLUSTER)} networks ${list(resources.NET)}`
    ),
    ...[...world.networks].map(
      ({ clusters, gid, id, name, ranges, state, template, uid }) =>
        `network ${id} ${name} ${owner(template)} uid ${uid} gid ${gid} state ${state} clusters ${list(clusters)} ranges ${list(
          ranges.map(
            ({ firstIp, leases, size }) =>
              `${firstIp}+${size}[${list([...leases.values()].map(({ holder, index }) => `${index}:${holder.kind}${holder.id}`))}]`
          )
        )}`
    ),
    ...[...world.routers].map(
      ({ gid, id, name, template, uid }) => `router ${id} ${name} ${owner(template)} uid ${uid} gid ${gid}`
    ),
    ...[...world.securityGroups].map(
      ({ gid, id, name, permissions, template, uid }) =>
        `security group ${id} ${name} ${owner(template)} uid ${uid} gid ${gid} ${permissions.join("")} ${vectors(template, "RULE", ["PROTOCOL", "RULE_TYPE", "RANGE"])}`
    ),
    ...[...world.users].map(
      ({ gid, groups, id, name, template }) => `user ${id} ${name} ${owner(template)} gid ${gid} groups ${list(groups)}`
    ),
    ...[...world.vms]
      .filter(({ state }) => state !== VmState.done)
      .map((vm) => {
        const sizes = ["CPU", "VCPU", "MEMORY"].map((key) => `${key}=${vm.template.get(key) ?? ""}`).join(" ")
        const devices = `${vectors(vm.template, "DISK", ["SIZE"])} ${vectors(vm.template, "NIC", ["NETWORK_ID", "IP"])}`
        return `vm ${vm.id} ${vm.name} ${owner(vm.userTemplate)} ${stateName(vm)} uid ${vm.uid} gid ${vm.gid} ${sizes} ${devices}`
      }),
    ...[...world.acl].map((rule) => `rule ${ruleText(rule)}`)
  ]
  return lines.sort()
}

/** Waldur's side. Of a password only that it is there, and of the second in which a machine was made whether it is that of the machine. */
export const pictureOfMarketplace = ({ resources }: Waldur.Marketplace, { world }: FrontEnd): Picture =>
  [...resources.values()]
    .map((resource) => {
      const metadata = Object.entries(resource.backendMetadata)
        .map(([key, value]) => {
          const isAsIs = key === "vm_stime" && value === world.vms.find(Number(resource.backendId))?.stime
          return `${key}=${isAsIs || /password|secret/.test(key) ? "<there>" : JSON.stringify(value)}`
        })
        .sort()
      const limits = Object.entries(resource.limits).map(([type, amount]) => `${type}=${amount}`)
      return `resource ${resource.name} ${resource.state} backend id ${resource.backendId} plan ${resource.plan?.name ?? ""} limits ${list(limits)} metadata ${metadata.join(" ")}`
    })
    .sort()

/** Lines of one that the other has not, each with its sign. */
export const differences = (expected: Picture, actual: Picture): ReadonlyArray<string> => [
  ...without(expected, actual).map((line) => `missing: ${line}`),
  ...without(actual, expected).map((line) => `surplus: ${line}`)
]

/** Counts too: a line that is there twice and should be once is one too many. */
const without = (lines: Picture, taken: Picture): Picture => {
  const rest = [...taken]
  return lines.filter((line) => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** Objects that nobody's tag is on: "group 0 oneadmin". */
export const untagged = (picture: Picture): ReadonlyArray<string> =>
  picture.flatMap((line) => {
    const [what = "", rest] = line.split(" untagged ")
    return rest === undefined ? [] : [`untagged: ${what}`]
  })

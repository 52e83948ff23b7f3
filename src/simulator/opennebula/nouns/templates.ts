/** VM templates, and starting VMs from them. */
import type { Call, Methods } from "../method.js"
import { buildVm, findImage, imageDisk } from "../vms/build.js"
import { schedule } from "../vms/machine.js"
import { findNetwork } from "../vms/nics.js"
import { VmState } from "../vms/states.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { element, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { claimName } from "../world/names.js"
import type { VmTemplate } from "../world/objects.js"
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
import { requireQuota } from "../world/quotas.js"
import type { Template } from "../world/template.js"
import type { World } from "../world/world.js"

export const templateTarget = (template: VmTemplate) => targetOf("TEMPLATE", template)

const document = (template: VmTemplate, body: Template): string =>
  wrap(
    "VMTEMPLATE",
    ownerDocument(template) +
      permissionDocument(template.permissions) +
      lockDocument(template) +
      element("REGTIME", template.registered) +
      wrap("TEMPLATE", body.toXml())
  )

/** The template with its disks' images looked up (recording 023). */
const extended = (world: World, template: Template): Template => {
  const filled = template.copy()
  const disks = filled.vectors("DISK")
  filled.remove("DISK")
  filled.add(
    ...disks.map((disk, at) => {
      const image = findImage(world, disk)
      return image === undefined ? disk : imageDisk(world, disk, image, at, undefined)
    })
  )
  return filled
}

export const isRouterTemplate = (template: VmTemplate): boolean =>
  template.template.get("VROUTER")?.toUpperCase() === "YES"

/** What a VM of this template would take from quotas. */
const demandOf = (world: World, call: Call, template: Template) => {
  const cpu = Number(template.get("CPU") ?? 0)
  const memory = Number(template.get("MEMORY") ?? 0)
  const disks = template.vectors("DISK")
  const size = disks.reduce(
    (total, disk) => total + Number(disk.values.get("SIZE") ?? findImage(world, disk)?.size ?? 0),
    0
  )
  const leases = new Map<string, Map<string, number>>()
  for (const nic of template.vectors("NIC")) {
    const network = findNetwork(world, call.caller, nic)
    if (typeof network === "string") continue
    const id = String(network.id)
    leases.set(id, new Map([["LEASES", (leases.get(id)?.get("LEASES") ?? 0) + 1]]))
  }
  const images = new Set(disks.flatMap((disk) => findImage(world, disk)?.id ?? []))
  return {
    VM: new Map([
      ["VMS", 1],
      ["RUNNING_VMS", 1],
      ["CPU", cpu],
      ["RUNNING_CPU", cpu],
      ["MEMORY", memory],
      ["RUNNING_MEMORY", memory],
      ["SYSTEM_DISK_SIZE", size]
    ]),
    NETWORK: leases,
    IMAGE: new Map([...images].map((id) => [String(id), new Map([["RVMS", 1]])]))
  }
}

/** Rights on what the template uses, then quotas: all before anything is made. */
const requireMeans = (call: Call, template: Template): void => {
  const { caller, world } = call
  requireRight(world, caller, "CREATE", { kind: "VM" })
  for (const disk of template.vectors("DISK")) {
    const image = findImage(world, disk, caller)
    if (image !== undefined) requireRight(world, caller, "USE", targetOf("IMAGE", image))
  }
  for (const nic of template.vectors("NIC")) {
    const network = findNetwork(world, caller, nic)
    if (typeof network !== "string") requireRight(world, caller, "USE", targetOf("NET", network, network.clusters))
  }
  requireQuota(world, caller.id, { uid: caller.id, gid: caller.gid }, demandOf(world, call, template))
}

export const templateMethods: Methods = {
  ...ownedMethods<VmTemplate>({
    prefix: "template",
    kind: "TEMPLATE",
    pool: (world) => world.templates,
    uniqueNames: true,
    template: (template) => template.template
  }),
  "one.template.allocate": ({ args, caller, world }) => {
    const template = readTemplate(args.string(0), internalError)
    requireRight(world, caller, "CREATE", { kind: "TEMPLATE" })
    const name = template.get("NAME") ?? ""
    template.remove("NAME")
    claimName(
      name,
      "TEMPLATE",
      [...world.templates].filter((other) => other.uid === caller.id)
    )
    return int(
      world.templates.add((id) => ({ id, name, ...ownedBy(world, caller), template, registered: world.now })).id
    )
  },
  "one.template.info": ({ args, caller, world }) => {
    const template = world.templates.get(args.int(0))
    requireRight(world, caller, "USE", templateTarget(template))
    return string(document(template, args.boolean(1, false) ? extended(world, template.template) : template.template))
  },
  "one.templatepool.info": (call) => {
    const templates = selectOwned(call, call.world.templates, templateTarget, rangeFrom(call))
    return string(wrap("VMTEMPLATE_POOL", templates.map((template) => document(template, template.template)).join("")))
  },
  "one.template.delete": ({ args, caller, world }) => {
    const id = args.int(0)
    args.boolean(1, false)
    requireRight(world, caller, "MANAGE", templateTarget(world.templates.get(id)))
    world.templates.remove(id)
    return int(id)
  },
  "one.template.instantiate": (call) => {
    const { args, caller, world } = call
    const [id, name, hold, text] = [args.int(0), args.string(1), args.boolean(2), args.string(3)]
    args.boolean(4, false)
    const template = world.templates.get(id)
    requireRight(world, caller, "USE", templateTarget(template))
    if (isRouterTemplate(template)) throw actionRefused("Virtual router templates cannot be instantiated")
    const merged = template.template.copy()
    merged.merge(readTemplate(text, internalError))
    requireMeans(call, merged)
    const vm = buildVm(world, caller, { template: merged, name, fallbackName: template.name, hold, templateId: id })
    if (vm.state === VmState.pending) schedule(world, vm)
    return int(vm.id)
  }
}

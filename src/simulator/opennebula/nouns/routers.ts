/** Virtual routers: NICs with floating addresses, and the VMs that carry them. Deletion returns before the VMs are gone. */
import type { Call, Methods } from "../method.js"
import { terminate } from "../vms/actions.js"
import { buildVm } from "../vms/build.js"
import { attachNic, detachNic } from "../vms/devices.js"
import { causeOf } from "../vms/history.js"
import { cleanUp, schedule } from "../vms/machine.js"
import { findNetwork } from "../vms/nics.js"
import { Lcm, VmState } from "../vms/states.js"
import { requireRoomForVms } from "../vms/vms.js"
import { actionRefused, internalError, type Refusal } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { idList, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { leaseAddress, releaseAddresses } from "../world/leases.js"
import { claimName } from "../world/names.js"
import type { Router, Vm } from "../world/objects.js"
import {
  changeOwner,
  lockDocument,
  ownedBy,
  ownedMethods,
  ownerDocument,
  permissionDocument,
  rangeFrom,
  readTemplate,
  selectOwned
} from "../world/owned.js"
import { single, type Vector, vector } from "../world/template.js"
import type { World } from "../world/world.js"
import { isRouterTemplate, templateTarget } from "./templates.js"

const target = (router: Router) => targetOf("VROUTER", router)

const vmsOf = (world: World, router: Router): ReadonlyArray<Vm> =>
  world.vms
    .oldestFirst()
    .filter((vm) => vm.state !== VmState.done && vm.template.get("VROUTER_ID") === String(router.id))

const document = (world: World, router: Router): string =>
  wrap(
    "VROUTER",
    ownerDocument(router) +
      permissionDocument(router.permissions) +
      lockDocument(router) +
      idList(
        "VMS",
        vmsOf(world, router).map((vm) => vm.id)
      ) +
      wrap("TEMPLATE", router.template.toXml())
  )

const isFloating = (nic: Vector) => nic.values.get("FLOATING_IP")?.toUpperCase() === "YES"

/** The NIC as the router keeps it; a floating one takes its address now, in the router's name. */
const buildNic = (
  call: Call,
  routerId: number,
  nicId: number,
  given: Vector,
  refuse: (message: string) => Refusal
): Vector => {
  const network = findNetwork(call.world, call.caller, given)
  if (typeof network === "string") throw refuse(network)
  const { IP: ip, ...kept } = Object.fromEntries(given.values)
  const common = { ...kept, NETWORK: network.name, NETWORK_ID: network.id, NIC_ID: nicId }
  if (!isFloating(given)) return vector("NIC", { ...common, IP: ip })
  const address = leaseAddress(network, { kind: "VROUTER", id: routerId }, ip)
  if (address === undefined) throw refuse(`Cannot get IP/MAC lease from virtual network ${network.id}.`)
  return vector("NIC", { ...common, AR_ID: address.range.id, VROUTER_IP: address.ip, VROUTER_MAC: address.mac })
}

const releaseNic = (world: World, router: Router, nic: Vector): void => {
  const network = world.networks.find(Number(nic.values.get("NETWORK_ID")))
  if (network !== undefined && nic.values.has("VROUTER_IP"))
    releaseAddresses(network, { kind: "VROUTER", id: router.id }, nic.values.get("VROUTER_IP"))
}

/** What a VM of the router gets of a router's NIC: an address of its own beside the floating one. */
const nicForVm = (nic: Vector): Vector => {
  const { AR_ID: _range, NETWORK: _network, NIC_ID: _id, ...kept } = Object.fromEntries(nic.values)
  return vector("NIC", kept)
}

const nicsOf = (router: Router) => router.template.vectors("NIC")

const forRouter = (call: Call, right: "USE" | "MANAGE"): Router => {
  const router = call.world.routers.get(call.args.int(0))
  requireRight(call.world, call.caller, right, target(router))
  return router
}

const instantiate = (call: Call): ReturnType<typeof int> => {
  const { args, caller, world } = call
  const [count, templateId, name, hold, text] = [
    args.int(1),
    args.int(2),
    args.string(3),
    args.boolean(4),
    args.string(5)
  ]
  const router = forRouter(call, "MANAGE")
  const template = world.templates.get(templateId)
  requireRight(world, caller, "USE", templateTarget(template))
  if (!isRouterTemplate(template)) throw actionRefused("Only virtual router templates are allowed")
  const merged = template.template.copy()
  merged.merge(readTemplate(text, internalError))
  // They replace those of the template and of the call, as attributes do; a router without any leaves them, which is how the Python agent
  // gives its routers theirs (source: OpenNebula 7.0, VirtualRouter::get_vm_template and RequestManagerVirtualRouter.cc).
  const own = nicsOf(router).map(nicForVm)
  if (own.length > 0) merged.remove("NIC")
  merged.add(...own)
  if (count > 0) router.template.set("TEMPLATE_ID", templateId)
  const base = name === "" ? `vr-${router.name}-%i` : name
  for (let at = 0; at < count; at++) {
    const vm = buildVm(world, caller, {
      template: merged,
      name: base.replaceAll("%i", String(at)),
      fallbackName: router.name,
      // Every router VM begins on hold and is let go when all are made (recording 056).
      hold: true,
      templateId,
      extra: [
        single("VROUTER_ID", router.id),
        single("VROUTER_KEEPALIVED_ID", router.template.get("VROUTER_KEEPALIVED_ID") ?? (router.id % 255) + 1)
      ]
    })
    if (hold || vm.state !== VmState.hold) continue
    vm.state = VmState.pending
    schedule(world, vm)
  }
  return int(router.id)
}

/** Each VM is terminated; one whose state does not allow it is cleaned up. A terminate that fails leaves its VM running. */
const endVms = (call: Call, vms: ReadonlyArray<Vm>): void => {
  for (const vm of vms) {
    const cause = causeOf(call)
    const onItsWay = vm.state === VmState.active && (vm.lcm === Lcm.shutdown || vm.lcm === Lcm.epilog)
    if (onItsWay || !terminate(true)(call.world, vm, cause)) cleanUp(call.world, vm, cause)
  }
}

export const routerMethods: Methods = {
  ...ownedMethods<Router>({
    prefix: "vrouter",
    kind: "VROUTER",
    pool: (world) => world.routers,
    uniqueNames: false,
    template: (router) => router.template,
    beforeChown: (call, router, to) => requireRoomForVms(call, vmsOf(call.world, router), to),
    afterChown: ({ world }, router) => {
      for (const vm of vmsOf(world, router)) changeOwner(world, vm, router)
    }
  }),
  "one.vrouter.allocate": (call) => {
    const { args, caller, world } = call
    const template = readTemplate(args.string(0), internalError)
    requireRight(world, caller, "CREATE", { kind: "VROUTER" })
    const name = template.get("NAME") ?? ""
    template.remove("NAME")
    claimName(name, "VROUTER", [])
    const given = template.vectors("NIC")
    for (const nic of given) {
      const network = findNetwork(world, caller, nic)
      if (typeof network !== "string") requireRight(world, caller, "USE", targetOf("NET", network, network.clusters))
    }
    const router = world.routers.add((id) => {
      const nics = given.map((nic, at) => buildNic(call, id, at, nic, internalError))
      template.remove("NIC")
      template.add(...nics)
      return { id, name, ...ownedBy(world, caller), template }
    })
    return int(router.id)
  },
  "one.vrouter.instantiate": instantiate,
  "one.vrouter.info": (call) => string(document(call.world, forRouter(call, "USE"))),
  "one.vrouterpool.info": (call) => {
    const routers = selectOwned(call, call.world.routers, target, rangeFrom(call))
    return string(wrap("VROUTER_POOL", routers.map((router) => document(call.world, router)).join("")))
  },
  "one.vrouter.attachnic": (call) => {
    const text = call.args.string(1)
    const router = forRouter(call, "MANAGE")
    const given = readTemplate(text, internalError).vectors("NIC")[0]
    if (given === undefined) throw actionRefused("No NIC in template")
    const nicId = Math.max(-1, ...nicsOf(router).map(({ values }) => Number(values.get("NIC_ID")))) + 1
    const nic = buildNic(call, router.id, nicId, given, actionRefused)
    router.template.add(nic)
    for (const vm of vmsOf(call.world, router)) attachNic(call, vm, nicForVm(nic))
    return int(router.id)
  },
  "one.vrouter.detachnic": (call) => {
    const nicId = call.args.int(1)
    const router = forRouter(call, "MANAGE")
    const nic = nicsOf(router).find(({ values }) => values.get("NIC_ID") === String(nicId))
    if (nic === undefined) throw actionRefused(`NIC with NIC_ID ${nicId} does not exist.`)
    router.template.keep((attribute) => attribute !== nic)
    releaseNic(call.world, router, nic)
    for (const vm of vmsOf(call.world, router)) {
      const attached = vm.template.vectors("NIC").find(({ values }) => values.get("NIC_ID") === String(nicId))
      if (attached !== undefined) detachNic(call, vm, attached)
    }
    return int(router.id)
  },
  "one.vrouter.delete": (call) => {
    const router = forRouter(call, "MANAGE")
    for (const nic of nicsOf(router)) releaseNic(call.world, router, nic)
    const vms = vmsOf(call.world, router)
    call.world.routers.remove(router.id)
    endVms(call, vms)
    return int(router.id)
  }
}

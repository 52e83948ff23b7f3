/**
 * What can be reached: the calls that must be made for the same result, one after the other, with nothing in between, and a look every
 * millisecond where something has to be waited for.
 */
import { done, field, poweredOff, type Rpc, running, until, untilVm } from "./rpc.js"
import { machine, network, quota, routerNics, routersVm, securityGroup } from "./templates.js"

const soon = 1

interface Made {
  readonly group: number
  readonly vdc: number
  /** Of the group: to create. */
  readonly right: number
  readonly user: number
  readonly network: number
  readonly router: number
  readonly routerVm: number
  readonly securityGroup: number
}

const networkReady = (rpc: Rpc, id: number): Promise<void> =>
  until(async () => field(await rpc.call("one.vn.info", id), "STATE") === "1", soon)

export const createVdc = async (rpc: Rpc, name: string): Promise<Made> => {
  const group = await rpc.id("one.group.allocate", name)
  await rpc.call("one.group.update", group, 'OWNER="bench"', 1)
  const vdc = await rpc.id("one.vdc.allocate", `NAME="${name}"`, -1)
  await rpc.call("one.vdc.delgroup", 0, group)
  await rpc.call("one.vdc.addgroup", vdc, group)
  await rpc.call("one.vdc.addcluster", vdc, 0, 0)
  await rpc.call("one.acl.info")
  const right = await rpc.id("one.acl.addrule", (0x200000000 + group).toString(16), "9100000000", "8", "100000000")
  const user = await rpc.id("one.user.allocate", `${name}_admin`, "secret", "core", [group])
  const vnet = await rpc.id("one.vn.allocate", network(`${name}_internal`), 0)
  await networkReady(rpc, vnet)
  const router = await rpc.id("one.vrouter.allocate", `NAME="${name}_router"`)
  await rpc.call("one.vrouter.instantiate", router, 1, 1, `${name}_router_vm`, false, routerNics(vnet))
  const routerVm = routersVm(await rpc.call("one.vrouter.info", router))
  const rules = await rpc.id("one.secgroup.allocate", securityGroup(`${name}_default`))
  await rpc.call("one.vn.chown", vnet, -1, group)
  await rpc.call("one.vdc.addvnet", vdc, 0, vnet)
  await rpc.call("one.secgroup.chown", rules, -1, group)
  await rpc.call("one.vrouter.chown", router, -1, group)
  await rpc.call("one.group.quota", group, quota)
  await untilVm(rpc, routerVm, running, soon)
  return { group, vdc, right, user, network: vnet, router, routerVm, securityGroup: rules }
}

export const createVm = async (rpc: Rpc, name: string, parent: Made): Promise<number> => {
  await rpc.call("one.template.info", 2, true)
  const vm = await rpc.id("one.template.instantiate", 2, name, true, machine(parent.network), false)
  await rpc.call("one.vm.chown", vm, -1, parent.group)
  await rpc.call("one.vm.action", "release", vm)
  await untilVm(rpc, vm, running, soon)
  return vm
}

export const resizeVm = async (rpc: Rpc, vm: number): Promise<void> => {
  await rpc.call("one.vm.info", vm)
  await rpc.call("one.vm.action", "poweroff", vm)
  await untilVm(rpc, vm, poweredOff, soon)
  await rpc.call("one.vm.resize", vm, 'CPU="1"\nVCPU="1"\nMEMORY="1024"', true)
  await rpc.call("one.vm.diskresize", vm, 0, "20480")
  await untilVm(rpc, vm, poweredOff, soon)
  await rpc.call("one.vm.action", "resume", vm)
  await untilVm(rpc, vm, running, soon)
}

export const terminateVm = async (rpc: Rpc, vm: number): Promise<void> => {
  await rpc.call("one.vm.action", "terminate-hard", vm)
  await untilVm(rpc, vm, done, soon)
}

export const terminateVdc = async (rpc: Rpc, made: Made): Promise<void> => {
  await rpc.call("one.vrouter.delete", made.router)
  await rpc.call("one.user.delete", made.user)
  await untilVm(rpc, made.routerVm, done, soon)
  await rpc.call("one.vn.delete", made.network)
  await rpc.call("one.secgroup.delete", made.securityGroup)
  // Those of the network and of the VDC go with them.
  await rpc.call("one.acl.delrule", made.right)
  await rpc.call("one.vdc.delete", made.vdc)
  await rpc.call("one.group.delete", made.group)
}

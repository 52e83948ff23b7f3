/**
 * The Python agent's way, as a model: the calls of its OpenNebula plugin in its order, one order at a time, every wait 5 s. As 1.0.7 was seen to make
 * them on the wire, without `create_opennebula_user`, which is four calls more, and with the components in its file: without them it sets no quota.
 *
 * On a real front-end whose machines boot in 0.1 s that agent took 5.1 s for a VDC, 5.05 s for a VM, 10.07 s for a resize, 5.06 s for a VDC's end. Only
 * its calls to the backend are here, none to the marketplace.
 */
import { done, poweredOff, type Rpc, running, untilVm } from "./rpc.js"
import { machine, network, quota, routerNics, routersVm, securityGroup } from "./templates.js"

const wait = 5_000
const all = [-2, -1, -1] as const

interface Vdc {
  readonly group: number
  readonly vdc: number
  readonly network: number
  readonly router: number
  readonly routerVm: number
  readonly securityGroup: number
}

export const createVdc = async (rpc: Rpc, name: string): Promise<Vdc> => {
  await rpc.call("one.vdcpool.info")
  const group = await rpc.id("one.group.allocate", name)
  const vdc = await rpc.id("one.vdc.allocate", `NAME="${name}"`, -1)
  await rpc.call("one.vdc.addgroup", vdc, group)
  await rpc.call("one.vdc.addcluster", vdc, 0, 0)
  await rpc.call("one.vnpool.info", ...all)
  const vnet = await rpc.id("one.vn.allocate", network(`${name}_internal`), 0)
  await rpc.call("one.vdc.addvnet", vdc, 0, vnet)
  const router = await rpc.id("one.vrouter.allocate", `NAME="${name}_router"`)
  await rpc.call("one.vrouter.instantiate", router, 1, 1, `${name}_router_vm`, false, routerNics(vnet))
  const routerVm = routersVm(await rpc.call("one.vrouter.info", router))
  await untilVm(rpc, routerVm, running, wait)
  const group2 = await rpc.id("one.secgroup.allocate", securityGroup(`${name}_default`))
  await rpc.call("one.grouppool.info")
  await rpc.call("one.group.quota", group, quota)
  return { group, vdc, network: vnet, router, routerVm, securityGroup: group2 }
}

export const createVm = async (rpc: Rpc, name: string, parent: Vdc): Promise<number> => {
  await rpc.call("one.vnpool.info", ...all)
  await rpc.call("one.secgrouppool.info", ...all)
  const vm = await rpc.id("one.template.instantiate", 2, name, false, machine(parent.network), false)
  await rpc.call("one.grouppool.info")
  await rpc.call("one.vm.chown", vm, -1, parent.group)
  await untilVm(rpc, vm, running, wait)
  // For its address.
  await rpc.call("one.vm.info", vm)
  return vm
}

/** CPU and memory only: it never resizes a disk. */
export const resizeVm = async (rpc: Rpc, vm: number): Promise<void> => {
  await rpc.call("one.vm.info", vm)
  await rpc.call("one.vm.action", "poweroff-hard", vm)
  await untilVm(rpc, vm, poweredOff, wait)
  await rpc.call("one.vm.resize", vm, 'CPU="1"\nVCPU="1"\nMEMORY="1024"', false)
  // For the disk, whose size it then does not find in what its library answers.
  await rpc.call("one.vm.info", vm)
  await rpc.call("one.vm.action", "resume", vm)
  await untilVm(rpc, vm, running, wait)
}

export const deleteVdc = async (rpc: Rpc, vdc: Vdc): Promise<void> => {
  await rpc.call("one.vdcpool.info")
  await rpc.call("one.vdcpool.info")
  await rpc.call("one.vrouterpool.info", ...all)
  await rpc.call("one.vrouter.info", vdc.router)
  await rpc.call("one.vrouter.delete", vdc.router)
  await untilVm(rpc, vdc.routerVm, done, wait)
  await rpc.call("one.vnpool.info", ...all)
  await rpc.call("one.vn.delete", vdc.network)
  await rpc.call("one.secgrouppool.info", ...all)
  await rpc.call("one.secgroup.delete", vdc.securityGroup)
  await rpc.call("one.vdcpool.info")
  await rpc.call("one.vdc.delete", vdc.vdc)
  await rpc.call("one.grouppool.info")
  await rpc.call("one.group.delete", vdc.group)
  await rpc.call("one.vdcpool.info")
  await rpc.call("one.vdcpool.info")
}

/** Orders at a cloud of which something is broken: a host that is not heard of any more, a network whose driver fails or hangs. */
import { Effect } from "effect"
import {
  hostDies,
  hostReturns,
  Lcm,
  labTimes,
  type Times,
  type Vm,
  VmState
} from "../../src/simulator/opennebula/index.js"
import type { Operation } from "./operations.js"
import { type Site, vdcName, vmName } from "./site.js"

/** Once it runs, its host is not heard of any more: from the first call on that finds it so. */
const hostDiesUnder =
  (isIt: (vm: Vm) => boolean, when: (vm: Vm) => boolean) =>
  ({ cloud: { world }, tap }: Site) => {
    let isDead = false
    tap.onArrival(() => {
      const vm = [...world.vms].find((one) => isIt(one) && when(one))
      const host = vm?.history.at(-1)?.host
      if (isDead || host === undefined) return
      isDead = true
      hostDies(world, world.hosts.get(host.id))
    })
  }
const isMachine = ({ template }: Vm) => template.get("VROUTER_ID") === undefined
const isRouters = (vm: Vm) => !isMachine(vm)
const runs = ({ lcm, state }: Vm) => state === VmState.active && lcm === Lcm.running
const isOffWithOtherSizes = ({ state, template }: Vm) => state === VmState.poweroff && template.get("MEMORY") !== "512"

const hostsReturn = ({ cloud: { world } }: Site) => {
  for (const host of world.hosts) hostReturns(world, host)
}
const quickly = {
  machines: { vm_start_timeout: 2, terminate_timeout: 2 },
  centres: { router_start_timeout: 2, teardown_timeout: 5 }
}

const never = 1e9
const takes =
  (times: Partial<Times>) =>
  ({ cloud: { world } }: Site) => {
    Object.assign(world.times, times)
  }
/** `onevnet recover --delete` */
const networkRecovered = ({ cloud }: Site) => {
  for (const { id } of cloud.world.networks) if (id !== 0) Effect.runSync(cloud.call("one.vn.recover", [id, 2]))
}

const terminateHard = "one.vm.action terminate-hard"

export const onBrokenHosts: ReadonlyArray<Operation> = [
  {
    name: "vm-create-host",
    title: "VM create whose host dies when it runs",
    needs: ["vdc-create"],
    resource: vmName,
    place: ({ place }) => place.vm(),
    broken: {
      breaks: hostDiesUnder(isMachine, runs),
      settings: quickly,
      sentence: /^The machine did not start within 2 s: try again later, or ask the provider\.$/,
      leftovers: { vm: /VM 1 is still Running on host \w+ \(Error\)/ },
      said: /VM 1 is Unknown on host \w+ \(Error\)/,
      mend: hostsReturn,
      repeats: [terminateHard]
    }
  },
  {
    name: "vm-switch-host",
    title: "VM switch plan whose host dies in between",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.switchToMedium(vmName),
    broken: {
      breaks: hostDiesUnder(isMachine, isOffWithOtherSizes),
      settings: quickly,
      sentence:
        /^The disk could not be grown, .* What was changed for this order could not all be taken back yet: the provider sees it, and it is tried again\.$/,
      leftovers: {
        capacity: /VM 1 stays Poweroff: .* on host \w+ \(Error\)/,
        poweroff: /VM 1 stays Poweroff: .* on host \w+ \(Error\)/
      },
      // Once the sizes are back, all that is missing is that it runs, and that is the other's.
      perhaps: ["capacity"],
      said: /VM 1, disk 0: still smaller than 5120 MB; it is Poweroff: .*Error executing image transfer script/,
      mend: hostsReturn,
      repeats: []
    }
  },
  {
    name: "vm-terminate-host",
    title: "VM terminate whose host is dead",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.terminate(vmName),
    broken: {
      breaks: hostDiesUnder(isMachine, runs),
      settings: quickly,
      sentence: /^The cloud could not end the machine in time: try again later, or ask the provider\.$/,
      leftovers: {},
      said: /VM 1 is still Running on host \w+ \(Error\)/,
      mend: hostsReturn,
      repeats: [terminateHard]
    }
  },
  {
    name: "vdc-create-host",
    title: "VDC create whose router's host dies when it runs",
    needs: [],
    resource: vdcName,
    place: ({ place }) => place.vdc(),
    broken: {
      breaks: hostDiesUnder(isRouters, runs),
      settings: quickly,
      sentence: /^The router of this data centre could not be started: try again later, or ask the provider\.$/,
      leftovers: {
        "router VM": /VM 0 is Running on host \w+ \(Error\) after 5 s/,
        network: /is still in use by VM 0/
      },
      said: /VM 0 is Unknown on host \w+ \(Error\) after 2 s/,
      mend: hostsReturn,
      repeats: [terminateHard]
    }
  },
  {
    name: "vdc-terminate-host",
    title: "VDC terminate whose router's host is dead",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.terminate(vdcName),
    broken: {
      breaks: hostDiesUnder(isRouters, runs),
      settings: quickly,
      sentence: /^The machine \S+_router_vm could not be ended: ask the provider to look at it, then order again\.$/,
      leftovers: {},
      said: /VM 0 is Running on host \w+ \(Error\) after 5 s/,
      mend: hostsReturn,
      repeats: [terminateHard]
    }
  }
]

export const onBrokenNetworks: ReadonlyArray<Operation> = [
  {
    name: "vdc-create-hangs",
    title: "VDC create whose network's making hangs",
    needs: [],
    resource: vdcName,
    place: ({ place }) => place.vdc(),
    broken: {
      breaks: takes({ networkReady: never }),
      settings: quickly,
      sentence: /^The cloud could not make the network of this data centre: try again later, or ask the provider\.$/,
      leftovers: { network: /network 1 is LockCreate: look after its driver, .*onevnet recover 1 --delete/ },
      said: /network 1 is LockCreate with 0 address ranges/,
      mend: (site) => {
        takes({ networkReady: labTimes.networkReady })(site)
        networkRecovered(site)
      },
      repeats: []
    }
  },
  {
    name: "vdc-terminate-hangs",
    title: "VDC terminate whose network's removal hangs",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.terminate(vdcName),
    broken: {
      breaks: takes({ networkDelete: never }),
      settings: quickly,
      sentence:
        /^The network \S+_internal could not be removed in the cloud: ask the provider to look at it, then order again\.$/,
      leftovers: {},
      said: /network 1 is LockDelete: look after its driver, .*onevnet recover 1 --delete/,
      mend: (site) => {
        takes({ networkDelete: labTimes.networkDelete })(site)
        networkRecovered(site)
      },
      repeats: []
    }
  },
  {
    name: "vdc-terminate-error",
    title: "VDC terminate whose network cannot be removed",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.terminate(vdcName),
    broken: {
      breaks: ({ cloud }) => cloud.faults.failNext("network-delete", { times: 1000 }),
      settings: quickly,
      sentence:
        /^The network \S+_internal could not be removed in the cloud: ask the provider to look at it, then order again\.$/,
      leftovers: {},
      said: /network 1 is Error \(.*dummy\): look after its driver/,
      mend: ({ cloud }) => cloud.faults.clear(),
      repeats: ["one.vn.delete"]
    }
  }
]

/**
 * What calls take on a real front-end, in ms: OpenNebula 7.4 with dummy drivers on a machine that did nothing else, the quickest of each
 * method that was recorded (`vm.info`, `group.info` and `template.instantiate` measured many times).
 *
 * The quickest, as the recorded times of writing calls have much of that machine's disk in them; so the physical limit here is hard to meet.
 */
const measured: Readonly<Record<string, number>> = {
  "one.acl.addrule": 3.5,
  "one.acl.delrule": 3.5,
  "one.acl.info": 0.8,
  "one.group.allocate": 16,
  "one.group.delete": 16,
  "one.group.info": 0.7,
  "one.group.quota": 2.4,
  "one.group.update": 2.3,
  "one.secgroup.allocate": 3.9,
  "one.secgroup.delete": 6.4,
  "one.template.info": 0.9,
  "one.template.instantiate": 13,
  "one.user.allocate": 5.5,
  "one.user.chgrp": 1.2,
  "one.user.delete": 5.5,
  "one.vdc.addcluster": 8.9,
  "one.vdc.addgroup": 2.5,
  "one.vdc.addvnet": 10,
  "one.vdc.allocate": 5.4,
  "one.vdc.delete": 6.3,
  "one.vdc.delgroup": 10,
  "one.vm.action": 2,
  "one.vm.chown": 9.9,
  "one.vm.diskresize": 9.6,
  "one.vm.info": 1.5,
  "one.vm.resize": 3.5,
  "one.vmpool.infoset": 1.2,
  "one.vn.allocate": 5.8,
  "one.vn.chown": 2.7,
  "one.vn.delete": 17.6,
  "one.vrouter.allocate": 4.1,
  "one.vrouter.delete": 22.8,
  "one.vrouter.instantiate": 13
}

/** A look, or a change of one object. */
const otherReads = 1.2
const otherWrites = 3

/** Pools: 6 ms with 1,010 VMs, extended 16. */
const perThousandVms = { "one.vmpool.info": 6, "one.vmpool.infoextended": 16 }

export const callMillis = (method: string, vms: number): number => {
  if (method === "one.vmpool.info" || method === "one.vmpool.infoextended")
    return otherReads + (perThousandVms[method] * vms) / 1010
  return measured[method] ?? (/info|pool/.test(method) ? otherReads : otherWrites)
}

/** Of a machine, together 0.1 s from its release to running. */
export const machineTimes = { schedule: 20, dispatch: 15, prolog: 25, boot: 40 }

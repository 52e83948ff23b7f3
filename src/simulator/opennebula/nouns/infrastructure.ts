/** Hosts, clusters and the zone: what the administrator of the cloud has set up. */
import type { Methods } from "../method.js"
import { wakePending } from "../vms/machine.js"
import { givenAway, monitored, vmsOn } from "../vms/scheduler.js"
import { actionRefused, cannotAllocate, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, element, idList, wrap } from "../wire/xml.js"
import { mayDo, requireRight, type Target } from "../world/access.js"
import { checkRename, claimName, nameFault } from "../world/names.js"
import type { Cluster, Host } from "../world/objects.js"
import { updateTemplate } from "../world/owned.js"
import { single, Template } from "../world/template.js"
import type { World } from "../world/world.js"
import { deviceDocuments, hostTemplate, numaDocuments, sampleDocument } from "./host-hardware.js"

const hostTarget = (host: Host): Target => ({ kind: "HOST", id: host.id, clusters: [host.cluster] })
const clusterTarget = (cluster: Cluster): Target => ({ kind: "CLUSTER", id: cluster.id, clusters: [cluster.id] })

/** Enable, disable, offline: what `one.host.status` is given, and the state that the host is in then (7.4 `Host.h`). */
const statuses: ReadonlyArray<number> = [monitored, 4, 8]

const sample = (world: World, host: Host, time: number): string => {
  const used = givenAway(world, host)
  return sampleDocument({
    time,
    id: host.id,
    cpu: { used: used.cpu, free: host.maxCpu - used.cpu },
    memory: { used: used.memory, free: host.maxMemory - used.memory }
  })
}

/** `monitoring`: the last sample in `host.info`, nothing in a pool. */
const hostDocument = (world: World, host: Host, monitoring: string): string => {
  const used = givenAway(world, host)
  const vms = vmsOn(world, host).map((vm) => vm.id)
  return wrap(
    "HOST",
    element("ID", host.id) +
      element("NAME", host.name) +
      element("STATE", host.state) +
      element("PREV_STATE", host.state) +
      cdata("IM_MAD", "dummy") +
      cdata("VM_MAD", "dummy") +
      element("CLUSTER_ID", host.cluster) +
      element("CLUSTER", world.clusters.find(host.cluster)?.name ?? "") +
      wrap(
        "HOST_SHARE",
        element("MEM_USAGE", used.memory) +
          element("CPU_USAGE", used.cpu) +
          element("TOTAL_MEM", host.maxMemory) +
          element("TOTAL_CPU", host.maxCpu) +
          element("MAX_MEM", host.maxMemory) +
          element("MAX_CPU", host.maxCpu) +
          element("RUNNING_VMS", vms.length) +
          element("VMS_THREAD", 1) +
          wrap(
            "DATASTORES",
            cdata("DISK_USAGE", 0) + cdata("FREE_DISK", 20480) + cdata("MAX_DISK", 20480) + cdata("USED_DISK", 9720)
          ) +
          deviceDocuments +
          numaDocuments
      ) +
      idList("VMS", vms) +
      hostTemplate(host.name, host.maxCpu, host.maxMemory) +
      monitoring
  )
}

const clusterDocument = (world: World, cluster: Cluster): string =>
  wrap(
    "CLUSTER",
    element("ID", cluster.id) +
      element("NAME", cluster.name) +
      idList(
        "HOSTS",
        world.hosts
          .oldestFirst()
          .filter((host) => host.cluster === cluster.id)
          .map((host) => host.id)
      ) +
      idList(
        "DATASTORES",
        world.datastores
          .oldestFirst()
          .filter((store) => store.cluster === cluster.id)
          .map((store) => store.id)
      ) +
      idList(
        "VNETS",
        world.networks
          .oldestFirst()
          .filter((network) => network.clusters.has(cluster.id))
          .map((network) => network.id)
      ) +
      wrap("TEMPLATE", cluster.template.toXml())
  )

const zoneDocument = (zone: { readonly id: number; readonly name: string }): string =>
  wrap(
    "ZONE",
    element("ID", zone.id) +
      element("NAME", zone.name) +
      element("STATE", 0) +
      wrap("TEMPLATE", cdata("ENDPOINT", "http://localhost:2633/RPC2") + cdata("ENDPOINT_GRPC", "localhost:2634")) +
      "<SERVER_POOL></SERVER_POOL>"
  )

/** Every 4 s by default; the real one keeps many, two are enough to see a course. */
const monitoringInterval = 4

const samples = (world: World, host: Host): string =>
  [world.now - monitoringInterval, world.now].map((time) => sample(world, host, time)).join("")

export const newCluster = (id: number, name: string): Cluster => ({
  id,
  name,
  template: new Template([single("RESERVED_CPU", ""), single("RESERVED_MEM", "")])
})

export const infrastructureMethods: Methods = {
  "one.host.info": ({ args, caller, world }) => {
    const host = world.hosts.get(args.int(0))
    requireRight(world, caller, "USE", hostTarget(host))
    return string(hostDocument(world, host, sample(world, host, world.now)))
  },
  "one.hostpool.info": ({ caller, world }) => {
    const hosts = world.hosts.newestFirst().filter((host) => mayDo(world, caller, "USE", hostTarget(host)))
    return string(wrap("HOST_POOL", hosts.map((host) => hostDocument(world, host, "<MONITORING/>")).join("")))
  },
  "one.host.allocate": ({ args, caller, world }) => {
    const [name, , , clusterId] = [args.string(0), args.string(1), args.string(2), args.int(3)]
    if (clusterId !== -1) world.clusters.get(clusterId)
    requireRight(world, caller, "CREATE", { kind: "HOST" })
    const refuse = (message: string) => cannotAllocate(`Error allocating a new host. ${message}`)
    const fault = nameFault(name)
    if (fault !== undefined) throw refuse(fault)
    const rival = world.hosts.byName(name)
    if (rival !== undefined) throw refuse(`NAME is already taken by HOST ${rival.id}.`)
    const host = { name, cluster: Math.max(0, clusterId), maxCpu: 800, maxMemory: 16777216, state: monitored }
    return int(world.hosts.add((id) => ({ id, ...host })).id)
  },
  "one.host.delete": ({ args, caller, world }) => {
    const host = world.hosts.get(args.int(0))
    requireRight(world, caller, "ADMIN", hostTarget(host))
    if (vmsOn(world, host).length > 0) throw actionRefused("Cannot delete host. Can not remove a host with running VMs")
    world.hosts.remove(host.id)
    return int(host.id)
  },
  "one.host.status": ({ args, caller, world }) => {
    const [host, status] = [world.hosts.get(args.int(0)), args.int(1)]
    requireRight(world, caller, "ADMIN", hostTarget(host))
    const state = statuses[status]
    if (state === undefined) throw internalError("Wrong status code")
    host.state = state
    wakePending(world)
    return int(host.id)
  },
  "one.host.monitoring": ({ args, caller, world }) => {
    const host = world.hosts.get(args.int(0))
    requireRight(world, caller, "USE", hostTarget(host))
    return string(wrap("MONITORING_DATA", samples(world, host)))
  },
  "one.hostpool.monitoring": ({ args, caller, world }) => {
    args.int(0, -1)
    const hosts = world.hosts.oldestFirst().filter((host) => mayDo(world, caller, "USE", hostTarget(host)))
    return string(wrap("MONITORING_DATA", hosts.map((host) => samples(world, host)).join("")))
  },
  "one.cluster.allocate": ({ args, caller, world }) => {
    const name = args.string(0)
    requireRight(world, caller, "CREATE", { kind: "CLUSTER" })
    claimName(name, "CLUSTER", world.clusters)
    return int(world.clusters.add((id) => newCluster(id, name)).id)
  },
  "one.cluster.info": ({ args, caller, world }) => {
    const cluster = world.clusters.get(args.int(0))
    requireRight(world, caller, "USE", clusterTarget(cluster))
    return string(clusterDocument(world, cluster))
  },
  "one.clusterpool.info": ({ caller, world }) => {
    const clusters = world.clusters
      .newestFirst()
      .filter((cluster) => mayDo(world, caller, "USE", clusterTarget(cluster)))
    return string(wrap("CLUSTER_POOL", clusters.map((cluster) => clusterDocument(world, cluster)).join("")))
  },
  "one.cluster.update": ({ args, caller, world }) => {
    const [id, text, append] = [args.int(0), args.string(1), args.int(2, 0)]
    const cluster = world.clusters.get(id)
    requireRight(world, caller, "MANAGE", clusterTarget(cluster))
    updateTemplate(cluster.template, text, append === 1)
    return int(id)
  },
  "one.cluster.rename": ({ args, caller, world }) => {
    const cluster = world.clusters.get(args.int(0))
    requireRight(world, caller, "MANAGE", clusterTarget(cluster))
    checkRename(args.string(1), "cluster", cluster, world.clusters)
    cluster.name = args.string(1)
    return int(cluster.id)
  },
  "one.cluster.addvnet": ({ args, caller, world }) => {
    const cluster = world.clusters.get(args.int(0))
    const network = world.networks.get(args.int(1))
    requireRight(world, caller, "ADMIN", clusterTarget(cluster))
    if (network.clusters.has(cluster.id))
      throw internalError(`Virtual network ${network.id} is already in cluster ${cluster.id}`)
    network.clusters.add(cluster.id)
    return int(cluster.id)
  },
  "one.cluster.delvnet": ({ args, caller, world }) => {
    const cluster = world.clusters.get(args.int(0))
    const network = world.networks.get(args.int(1))
    requireRight(world, caller, "ADMIN", clusterTarget(cluster))
    if (!network.clusters.delete(cluster.id))
      throw internalError(`Virtual network ${network.id} is not in cluster ${cluster.id}`)
    return int(cluster.id)
  },
  "one.cluster.delete": ({ args, caller, world }) => {
    const cluster = world.clusters.get(args.int(0))
    requireRight(world, caller, "ADMIN", clusterTarget(cluster))
    const refuse = (reason: string) => actionRefused(`Cannot delete cluster. ${reason}`)
    if (cluster.id < 100) throw refuse("System Clusters (ID < 100) cannot be deleted.")
    if ([...world.hosts].some((host) => host.cluster === cluster.id))
      throw refuse(`Cluster ${cluster.id} is not empty, it contains hosts.`)
    world.clusters.remove(cluster.id)
    return int(cluster.id)
  },
  "one.zone.info": ({ args, caller, world }) => {
    const zone = world.zones.get(args.int(0))
    requireRight(world, caller, "USE", { kind: "ZONE", id: zone.id })
    return string(zoneDocument(zone))
  },
  "one.zonepool.info": ({ caller, world }) => {
    const zones = world.zones.newestFirst().filter((zone) => mayDo(world, caller, "USE", { kind: "ZONE", id: zone.id }))
    return string(wrap("ZONE_POOL", zones.map(zoneDocument).join("")))
  }
}

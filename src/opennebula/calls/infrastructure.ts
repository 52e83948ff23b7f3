/**
 * What the provider owns and the agent mostly reads: VM templates, images, clusters, datastores, hosts, zones, the
 * release.
 */
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { Cluster, Datastore, Host, Image, VmTemplate, Zone } from "../model/infrastructure.js"
import type { Template } from "../template/template.js"
import { type Call, chmod, command, everything, id, plainText, type TemplateCall, withTemplate } from "./support.js"

export const systemCalls = (client: OpenNebulaClient) => ({
  /** `one.system.version`: "7.4.0" (recording 001). */
  version: (): Call<string> => client.call("one.system.version", [], plainText)
})

const templateInfo = documentOf(VmTemplate)

export interface VmInstance {
  /** May be taken already: VM names need not be unique. An empty one becomes `template-id`. */
  readonly name: string
  readonly hold?: boolean
  /** Replaces attributes of the same name in the template: make it by `mergeForInstantiate`. */
  readonly extra?: Template
}

export const templateCalls = (client: OpenNebulaClient) => ({
  /** `one.templatepool.info` (recording 009). */
  list: (): Call<ReadonlyArray<VmTemplate>> =>
    client.call("one.templatepool.info", everything, poolOf("VMTEMPLATE", VmTemplate)),

  /** `one.template.info`, as it was written, without what its images say (recording 022). NoSuchObject. */
  info: (templateId: number): Call<VmTemplate> =>
    client.call("one.template.info", [templateId, false, false], templateInfo),

  /**
   * `one.template.instantiate` (recording 076): the new VM's id; it starts as Pending (or Hold). AllocationRefused (bad
   * network, image or size), QuotaExceeded, ActionRefused for a router's template, NoSuchObject (recordings 149 to 164,
   * 174 to 177).
   */
  instantiate: (templateId: number, instance: VmInstance): TemplateCall<number> =>
    withTemplate(instance.extra ?? [], (text) =>
      client.call("one.template.instantiate", [templateId, instance.name, instance.hold ?? false, text, false], id)
    )
})

const imageInfo = documentOf(Image)

export const imageCalls = (client: OpenNebulaClient) => ({
  /** `one.imagepool.info` (recording 010). */
  list: (): Call<ReadonlyArray<Image>> => client.call("one.imagepool.info", everything, poolOf("IMAGE", Image)),
  /** `one.image.info` (recording 025). NoSuchObject. */
  info: (imageId: number): Call<Image> => client.call("one.image.info", [imageId], imageInfo),
  /** `one.image.chmod` (recording 173). */
  chmod: chmod(client, "one.image.chmod")
})

const clusterInfo = documentOf(Cluster)

export const clusterCalls = (client: OpenNebulaClient) => ({
  /** `one.clusterpool.info` (recording 013). */
  list: (): Call<ReadonlyArray<Cluster>> => client.call("one.clusterpool.info", [], poolOf("CLUSTER", Cluster)),
  /** `one.cluster.info` (recording 027). NoSuchObject. */
  info: (clusterId: number): Call<Cluster> => client.call("one.cluster.info", [clusterId], clusterInfo),
  /** `one.cluster.addvnet`: a network may be in several clusters. */
  addNetwork: (clusterId: number, networkId: number): Call<void> =>
    command(client, "one.cluster.addvnet", [clusterId, networkId]),
  /** `one.cluster.delvnet` */
  deleteNetwork: (clusterId: number, networkId: number): Call<void> =>
    command(client, "one.cluster.delvnet", [clusterId, networkId])
})

const datastoreInfo = documentOf(Datastore)

export const datastoreCalls = (client: OpenNebulaClient) => ({
  /** `one.datastorepool.info` */
  list: (): Call<ReadonlyArray<Datastore>> => client.call("one.datastorepool.info", [], poolOf("DATASTORE", Datastore)),
  /** `one.datastore.info`. NoSuchObject (recording 293). */
  info: (datastoreId: number): Call<Datastore> => client.call("one.datastore.info", [datastoreId], datastoreInfo)
})

const hostInfo = documentOf(Host)

export const hostCalls = (client: OpenNebulaClient) => ({
  /** `one.hostpool.info` (recording 012); a tenant sees none (recording 233). */
  list: (): Call<ReadonlyArray<Host>> => client.call("one.hostpool.info", [], poolOf("HOST", Host)),
  /** `one.host.info` (recording 024). NoSuchObject. */
  info: (hostId: number): Call<Host> => client.call("one.host.info", [hostId], hostInfo)
})

export const zoneCalls = (client: OpenNebulaClient) => ({
  /** `one.zonepool.info` (recording 017). */
  list: (): Call<ReadonlyArray<Zone>> => client.call("one.zonepool.info", [], poolOf("ZONE", Zone))
})

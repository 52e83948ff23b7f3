/**
 * `one.vdc.*`: virtual data centres. InternalRefusal ("already assigned") on adding what is there (recordings 317, 321,
 * 324).
 */
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { Vdc } from "../model/vdc.js"
import { single, type Template } from "../template/template.js"
import { type Call, command, id, type TemplateCall, updates, withTemplate } from "./support.js"

const info = documentOf(Vdc)

export const vdcCalls = (client: OpenNebulaClient) => ({
  /** `one.vdcpool.info` (recording 205). */
  list: (): Call<ReadonlyArray<Vdc>> => client.call("one.vdcpool.info", [], poolOf("VDC", Vdc)),

  /** `one.vdc.info` (recording 047). NoSuchObject. */
  info: (vdcId: number): Call<Vdc> => client.call("one.vdc.info", [vdcId], info),

  /** `one.vdc.allocate` (recording 032): the new VDC's id. NameTaken, InvalidName (recordings 397 to 402). */
  allocate: (name: string, template: Template = []): TemplateCall<number> =>
    withTemplate([single("NAME", name), ...template], (text) => client.call("one.vdc.allocate", [text], id)),

  /** `one.vdc.update` (recording 331). */
  ...updates(client, "one.vdc.update"),

  /** `one.vdc.delete` (recording 480). Members do not stop it; the rights that it gave them go with it. */
  delete: (vdcId: number): Call<void> => command(client, "one.vdc.delete", [vdcId]),

  /** `one.vdc.addgroup` (recording 033). */
  addGroup: (vdcId: number, groupId: number): Call<void> => command(client, "one.vdc.addgroup", [vdcId, groupId]),

  /** `one.vdc.delgroup` (recording 499). For isolation call it with VDC 0 after `group.allocate`. */
  deleteGroup: (vdcId: number, groupId: number): Call<void> => command(client, "one.vdc.delgroup", [vdcId, groupId]),

  /**
   * `one.vdc.addcluster` (recording 034). Gives its groups `HOST/%c MANAGE`, `NET/%c USE`, `DATASTORE/%c USE`, each a
   * rule of its own.
   */
  addCluster: (vdcId: number, zoneId: number, clusterId: number): Call<void> =>
    command(client, "one.vdc.addcluster", [vdcId, zoneId, clusterId]),

  /** `one.vdc.delcluster` (recording 500). */
  deleteCluster: (vdcId: number, zoneId: number, clusterId: number): Call<void> =>
    command(client, "one.vdc.delcluster", [vdcId, zoneId, clusterId]),

  /** `one.vdc.addvnet` (recording 046). Gives its groups `NET/#n USE`. */
  addNetwork: (vdcId: number, zoneId: number, networkId: number): Call<void> =>
    command(client, "one.vdc.addvnet", [vdcId, zoneId, networkId]),

  /** `one.vdc.delvnet` (recording 325). Deleting a network does it by itself (recording 478). */
  deleteNetwork: (vdcId: number, zoneId: number, networkId: number): Call<void> =>
    command(client, "one.vdc.delvnet", [vdcId, zoneId, networkId])
})

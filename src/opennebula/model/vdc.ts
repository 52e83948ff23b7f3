/** Virtual data centres: which groups may use which clusters, hosts, datastores and networks, zone by zone. */
import { Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import { all, fromElement, Ids, Int, ids, TemplateSchema, template, text } from "./element.js"

/** An object of a zone. An `id` of -10 means all of its kind in that zone: VDC 0 has all clusters (recording 205). */
const ZoneObject = Schema.Struct({ zone: Int, id: Int })
const zoneObjects = (element: XmlElement, list: string, name: string) =>
  all(element, list, name).map((item) => ({ zone: text(item, "ZONE_ID"), id: text(item, `${name}_ID`) }))

export const Vdc = fromElement(
  Schema.Struct({
    id: Int,
    name: Schema.String,
    groups: Ids,
    clusters: Schema.Array(ZoneObject),
    hosts: Schema.Array(ZoneObject),
    datastores: Schema.Array(ZoneObject),
    networks: Schema.Array(ZoneObject),
    template: TemplateSchema
  }),
  (element) => ({
    id: text(element, "ID"),
    name: text(element, "NAME"),
    groups: ids(element, "GROUPS"),
    clusters: zoneObjects(element, "CLUSTERS", "CLUSTER"),
    hosts: zoneObjects(element, "HOSTS", "HOST"),
    datastores: zoneObjects(element, "DATASTORES", "DATASTORE"),
    networks: zoneObjects(element, "VNETS", "VNET"),
    template: template(element)
  })
)
export type Vdc = typeof Vdc.Type

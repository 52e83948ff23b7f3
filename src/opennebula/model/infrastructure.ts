/** What the provider owns: VM templates, images, clusters, datastores, hosts, zones. */
import { Option, Schema } from "effect"
import { valueOf } from "../template/template.js"
import { Flag, fromElement, Ids, Int, ids, OptionalInt, TemplateSchema, template, text } from "./element.js"
import { owned, ownedFields, Permissions, permissions } from "./permissions.js"
import { DatastoreState, DatastoreType, HostState, ImageState, ImageType } from "./state.js"

/** As `one.template.info` and `one.templatepool.info` give it (recordings 022, 009). */
export const VmTemplate = fromElement(
  Schema.Struct({
    ...ownedFields,
    permissions: Permissions,
    template: TemplateSchema,
    /** VROUTER="YES": it makes virtual routers, and `one.template.instantiate` refuses it. */
    isVirtualRouter: Flag
  }),
  (element) => ({
    ...owned(element),
    permissions: permissions(element),
    template: template(element),
    isVirtualRouter: Option.getOrElse(valueOf(template(element), "VROUTER"), () => "")
  })
)
export type VmTemplate = typeof VmTemplate.Type

/** As `one.image.info` gives it (recording 025). */
export const Image = fromElement(
  Schema.Struct({
    ...ownedFields,
    /** Its owner's name. */
    uname: Schema.String,
    permissions: Permissions,
    type: ImageType,
    state: ImageState,
    /** MB */
    size: Int,
    persistent: Flag,
    datastoreId: OptionalInt,
    runningVms: Int,
    template: TemplateSchema
  }),
  (element) => ({
    ...owned(element),
    uname: text(element, "UNAME"),
    permissions: permissions(element),
    type: text(element, "TYPE"),
    state: text(element, "STATE"),
    size: text(element, "SIZE"),
    persistent: text(element, "PERSISTENT"),
    datastoreId: text(element, "DATASTORE_ID"),
    runningVms: text(element, "RUNNING_VMS") || "0",
    template: template(element)
  })
)
export type Image = typeof Image.Type

/** As `one.cluster.info` gives it (recording 027). */
export const Cluster = fromElement(
  Schema.Struct({ id: Int, name: Schema.String, hosts: Ids, datastores: Ids, networks: Ids, template: TemplateSchema }),
  (element) => ({
    id: text(element, "ID"),
    name: text(element, "NAME"),
    hosts: ids(element, "HOSTS"),
    datastores: ids(element, "DATASTORES"),
    networks: ids(element, "VNETS"),
    template: template(element)
  })
)
export type Cluster = typeof Cluster.Type

/** As `one.datastorepool.info` gives it. */
export const Datastore = fromElement(
  Schema.Struct({
    ...ownedFields,
    permissions: Permissions,
    type: DatastoreType,
    state: DatastoreState,
    clusters: Ids,
    /** MB */
    total: Int,
    /** MB */
    free: Int,
    /** MB */
    used: Int,
    template: TemplateSchema
  }),
  (element) => ({
    ...owned(element),
    permissions: permissions(element),
    type: text(element, "TYPE"),
    state: text(element, "STATE") || "0",
    clusters: ids(element, "CLUSTERS"),
    total: text(element, "TOTAL_MB") || "0",
    free: text(element, "FREE_MB") || "0",
    used: text(element, "USED_MB") || "0",
    template: template(element)
  })
)
export type Datastore = typeof Datastore.Type

/** As `one.hostpool.info` and `one.host.info` give it (recordings 012, 024). */
export const Host = fromElement(
  Schema.Struct({
    id: Int,
    name: Schema.String,
    state: HostState,
    clusterId: OptionalInt,
    /** kB, as OpenNebula counts a host's memory. */
    memory: Int,
    /** Hundredths of a core. */
    cpu: Int,
    runningVms: Int,
    /** Of what it may give away (MAX_CPU and MAX_MEM: what is reserved is off, what may be given twice is on), and has (CPU_USAGE, MEM_USAGE), in the same units. */
    given: Schema.Struct({ cpu: Int, memory: Int, maxCpu: Int, maxMemory: Int })
  }),
  (element) => ({
    id: text(element, "ID"),
    name: text(element, "NAME"),
    state: text(element, "STATE"),
    clusterId: text(element, "CLUSTER_ID"),
    memory: text(element, "HOST_SHARE", "TOTAL_MEM") || "0",
    cpu: text(element, "HOST_SHARE", "TOTAL_CPU") || "0",
    runningVms: text(element, "HOST_SHARE", "RUNNING_VMS") || "0",
    given: {
      cpu: text(element, "HOST_SHARE", "CPU_USAGE") || "0",
      memory: text(element, "HOST_SHARE", "MEM_USAGE") || "0",
      maxCpu: text(element, "HOST_SHARE", "MAX_CPU") || "0",
      maxMemory: text(element, "HOST_SHARE", "MAX_MEM") || "0"
    }
  })
)
export type Host = typeof Host.Type

/** As `one.zonepool.info` gives it (recording 017). */
export const Zone = fromElement(
  Schema.Struct({ id: Int, name: Schema.String, template: TemplateSchema }),
  (element) => ({
    id: text(element, "ID"),
    name: text(element, "NAME"),
    template: template(element)
  })
)
export type Zone = typeof Zone.Type

/** Virtual data centres: which groups may use which clusters, hosts, datastores and networks. */
import type { Call, Method, Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { element, idList, wrap } from "../wire/xml.js"
import { mayDo, requireRight, type Target } from "../world/access.js"
import type { Right } from "../world/acl-bits.js"
import { checkRename, claimName } from "../world/names.js"
import type { Vdc } from "../world/objects.js"
import { readTemplate, updateTemplate } from "../world/owned.js"
import type { Pool, World } from "../world/world.js"
import { giveResource, joinVdc, leaveVdc, type VdcResourceKind, withdrawResource } from "./vdc-membership.js"

const target = (vdc: Vdc): Target => ({ kind: "VDC", id: vdc.id })

const forVdc = (call: Call, right: Right): Vdc => {
  const vdc = call.world.vdcs.get(call.args.int(0))
  requireRight(call.world, call.caller, right, target(vdc))
  return vdc
}

const ascending = (ids: Iterable<number>) => [...ids].sort((a, b) => a - b)

const resourceDocument = (plural: string, singular: string, ids: ReadonlySet<number>): string =>
  wrap(
    plural,
    ascending(ids)
      .map((id) => wrap(singular, element("ZONE_ID", 0) + element(`${singular}_ID`, id)))
      .join("")
  )

const vdcDocument = (vdc: Vdc): string =>
  wrap(
    "VDC",
    element("ID", vdc.id) +
      element("NAME", vdc.name) +
      idList("GROUPS", ascending(vdc.groups)) +
      resourceDocument("CLUSTERS", "CLUSTER", vdc.resources.CLUSTER) +
      resourceDocument("HOSTS", "HOST", vdc.resources.HOST) +
      resourceDocument("DATASTORES", "DATASTORE", vdc.resources.DATASTORE) +
      resourceDocument("VNETS", "VNET", vdc.resources.NET) +
      wrap("TEMPLATE", vdc.template.toXml())
  )

const allOfZone = -10

const resourcePool = (world: World, kind: VdcResourceKind): Pool<{ readonly id: number }> =>
  ({ CLUSTER: world.clusters, HOST: world.hosts, DATASTORE: world.datastores, NET: world.networks })[kind]

const give =
  (kind: VdcResourceKind): Method =>
  (call) => {
    const { args, world } = call
    const [zone, id] = [args.int(1), args.int(2)]
    const vdc = forVdc(call, "ADMIN")
    world.zones.get(zone)
    if (id !== allOfZone) resourcePool(world, kind).get(id)
    if (vdc.resources[kind].has(id))
      throw internalError(`${kind} ${id} from Zone ${zone} is already assigned to the VDC`)
    giveResource(world, vdc, kind, id)
    return int(vdc.id)
  }

const withdraw =
  (kind: VdcResourceKind): Method =>
  (call) => {
    const { args, world } = call
    const [zone, id] = [args.int(1), args.int(2)]
    const vdc = forVdc(call, "ADMIN")
    // The trailing space is OpenNebula's (recording 322).
    if (!vdc.resources[kind].has(id)) throw internalError(`${kind} ${id} from Zone ${zone} is not assigned to the VDC `)
    withdrawResource(world, vdc, kind, id)
    return int(vdc.id)
  }

export const vdcMethods: Methods = {
  "one.vdc.allocate": ({ args, caller, world }) => {
    const text = args.string(0)
    requireRight(world, caller, "CREATE", { kind: "VDC" })
    const template = readTemplate(text, internalError)
    const name = template.get("NAME") ?? ""
    template.remove("NAME")
    claimName(name, "Vdc", world.vdcs)
    const none = () => new Set<number>()
    const resources = { CLUSTER: none(), HOST: none(), DATASTORE: none(), NET: none() }
    return int(world.vdcs.add((id) => ({ id, name, groups: none(), resources, template })).id)
  },
  "one.vdc.info": (call) => string(vdcDocument(forVdc(call, "USE"))),
  "one.vdcpool.info": ({ caller, world }) =>
    string(
      wrap(
        "VDC_POOL",
        world.vdcs
          .newestFirst()
          .filter((vdc) => mayDo(world, caller, "USE", target(vdc)))
          .map(vdcDocument)
          .join("")
      )
    ),
  "one.vdc.update": (call) => {
    const vdc = forVdc(call, "MANAGE")
    updateTemplate(vdc.template, call.args.string(1), call.args.int(2, 0) === 1)
    return int(vdc.id)
  },
  "one.vdc.rename": (call) => {
    const vdc = forVdc(call, "MANAGE")
    const name = call.args.string(1)
    checkRename(name, "VDC", vdc, call.world.vdcs)
    vdc.name = name
    return int(vdc.id)
  },
  "one.vdc.delete": (call) => {
    const vdc = forVdc(call, "ADMIN")
    if (vdc.id < 100) throw actionRefused("Cannot delete VDC. System VDCs (ID < 100) cannot be deleted.")
    // Nothing in it is in the way; its database may be (7.4 `PoolSQL::drop`).
    if (call.world.fails("vdc-delete", vdc.id)) throw actionRefused("Cannot delete VDC. SQL DB error")
    for (const gid of [...vdc.groups]) leaveVdc(call.world, vdc, gid)
    call.world.vdcs.remove(vdc.id)
    return int(vdc.id)
  },
  "one.vdc.addgroup": (call) => {
    const gid = call.args.int(1)
    const vdc = forVdc(call, "ADMIN")
    call.world.groups.get(gid)
    if (vdc.groups.has(gid)) throw internalError(`Group ${gid} is already assigned to the VDC ${vdc.id}`)
    joinVdc(call.world, vdc, gid)
    return int(vdc.id)
  },
  "one.vdc.delgroup": (call) => {
    const gid = call.args.int(1)
    const vdc = forVdc(call, "ADMIN")
    if (!vdc.groups.has(gid)) throw internalError(`Group ${gid} is not assigned to the VDC ${vdc.id}`)
    leaveVdc(call.world, vdc, gid)
    return int(vdc.id)
  },
  "one.vdc.addcluster": give("CLUSTER"),
  "one.vdc.delcluster": withdraw("CLUSTER"),
  "one.vdc.addhost": give("HOST"),
  "one.vdc.delhost": withdraw("HOST"),
  "one.vdc.adddatastore": give("DATASTORE"),
  "one.vdc.deldatastore": withdraw("DATASTORE"),
  "one.vdc.addvnet": give("NET"),
  "one.vdc.delvnet": withdraw("NET")
}

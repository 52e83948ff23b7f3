/**
 * A front-end that nobody changes: reads go through, all else is told and laid over what is read (`overlay.ts`), as if it had gone well
 * and at once. What is in a template is not told, as it may hold what is not for a screen; names, ids and sizes are.
 */
import { Effect, Option } from "effect"
import type { PlannedCall } from "../../core/index.js"
import type { OpenNebulaService } from "../calls/openNebula.js"
import { quotaTemplate } from "../calls/quota.js"
import type { Call } from "../calls/support.js"
import { NoSuchObject } from "../errors.js"
import type { Group } from "../model/group.js"
import type { VirtualNetwork } from "../model/network.js"
import type { VirtualRouter } from "../model/router.js"
import { serialize } from "../template/serialize.js"
import { type Template, valueOf, vectorsOf } from "../template/template.js"
import { Overlay } from "./overlay.js"
import { Rights } from "./rights.js"

export const rehearsed = (
  one: OpenNebulaService,
  tell: (call: PlannedCall) => Effect.Effect<void>
): OpenNebulaService => {
  const overlay = new Overlay()
  const rights = new Rights(() => overlay.make("rule"))
  const would = (call: string, ...about: ReadonlyArray<number | string>): Effect.Effect<void> =>
    tell({
      system: "opennebula",
      call,
      about: about.map((part) => (typeof part === "number" ? overlay.label(part) : part)).join(" ")
    })
  const would_ =
    (call: string) =>
    (...about: ReadonlyArray<number>): Effect.Effect<void> =>
      would(call, ...about)
  /** A pool without what would be gone. */
  const left = <A extends { readonly id: number }>(kind: string, pool: Call<ReadonlyArray<A>>) =>
    Effect.map(pool, (found) => found.filter(({ id }) => !overlay.isGone(kind, id)))
  const makes = (call: string, kind: string, template: Template, ...about: ReadonlyArray<number | string>) =>
    Effect.suspend(() => {
      const id = overlay.make(kind, template)
      return Effect.as(would(call, ...about, `-> ${overlay.label(id)}`), id)
    })
  const nameIn = (template: Template) => Option.getOrElse(valueOf(template, "NAME"), () => "")
  const updates = (call: string) => ({
    append: (id: number, _template: Template) => would(call, id),
    replace: (id: number, _template: Template) => would(call, id)
  })
  /** Decided when it is read, not when the reading is written down: a handler may do that before it makes the thing. */
  const present = <A>(kind: string, method: string, objectId: number, read: () => Call<A>): Call<A> =>
    Effect.suspend(() =>
      overlay.isGone(kind, objectId)
        ? new NoSuchObject({ method, endpoint: one.endpoint, objectId, serverMessage: "It would be gone by now." })
        : read()
    )
  const removes =
    (call: string, kind: string) =>
    (id: number): Effect.Effect<void> =>
      and(would(call, id), () => overlay.remove(kind, id))

  const infoset = (ids: ReadonlyArray<number>) =>
    Effect.map(one.vm.infoset(ids.filter((id) => !overlay.isNew(id))), (found) => [
      ...found.map((vm) => overlay.vm(vm)),
      ...ids.flatMap((id) => overlay.newVm(id) ?? [])
    ])

  return {
    ...one,
    group: {
      ...one.group,
      list: () => left("group", one.group.list()),
      ...updates("one.group.update"),
      info: (id) =>
        present("group", "one.group.info", id, () =>
          Effect.map(overlay.isNew(id) ? Effect.succeed(newGroup(id)) : one.group.info(id), (group) =>
            overlay.group(group)
          )
        ),
      allocate: (name) => makes("one.group.allocate", "group", [], name),
      delete: removes("one.group.delete", "group"),
      addAdmin: (id, user) => and(would("one.group.addadmin", id, user), () => overlay.setAdmin(id, user, true)),
      deleteAdmin: (id, user) => and(would("one.group.deladmin", id, user), () => overlay.setAdmin(id, user, false)),
      quota: (id, quota) =>
        Effect.gen(function* () {
          yield* would("one.group.quota", id, yield* Effect.map(serialize(quotaTemplate(quota)), oneLine))
          overlay.setQuota(id, quota)
        })
    },
    vdc: {
      ...one.vdc,
      list: () => left("VDC", one.vdc.list()),
      ...updates("one.vdc.update"),
      allocate: (name) => makes("one.vdc.allocate", "VDC", [], name),
      delete: (id) =>
        Effect.zipRight(
          overlay.isNew(id) ? Effect.void : Effect.map(one.vdc.info(id), (vdc) => rights.ends(vdc)),
          removes("one.vdc.delete", "VDC")(id)
        ),
      addGroup: (id, group) => and(would("one.vdc.addgroup", id, group), () => rights.joins(id, group)),
      deleteGroup: would_("one.vdc.delgroup"),
      addCluster: (id, zone, cluster) =>
        and(would("one.vdc.addcluster", id, zone, cluster), () => rights.getsCluster(id, zone, cluster)),
      deleteCluster: would_("one.vdc.delcluster"),
      addNetwork: (id, zone, network) =>
        and(would("one.vdc.addvnet", id, zone, network), () => rights.getsNetwork(id, zone, network)),
      deleteNetwork: would_("one.vdc.delvnet")
    },
    acl: {
      ...one.acl,
      list: () => Effect.map(one.acl.list(), (rules) => rights.over(rules)),
      addRule: (rule) =>
        Effect.suspend(() => {
          const id = rights.add(rule)
          const what = `${rule.resources.join("+")} ${rule.rights.join("+")}`
          return Effect.as(would("one.acl.addrule", what, `-> ${overlay.label(id)}`), id)
        }),
      deleteRule: (id) => and(would("one.acl.delrule", id), () => rights.delete(id))
    },
    network: {
      ...one.network,
      list: () => left("network", one.network.list()),
      ...updates("one.vn.update"),
      info: (id) =>
        present("network", "one.vn.info", id, () =>
          overlay.isNew(id) ? Effect.succeed(newNetwork(id, overlay.templateOf(id))) : one.network.info(id)
        ),
      allocate: (template, cluster) => makes("one.vn.allocate", "network", template, nameIn(template), cluster),
      chown: (id) => would("one.vn.chown", id),
      chmod: (id) => would("one.vn.chmod", id),
      releaseHeld: (id, ip) => would("one.vn.release", id, ip),
      delete: (id) => and(removes("one.vn.delete", "network")(id), () => rights.losesNetwork(id))
    },
    securityGroup: {
      ...one.securityGroup,
      list: () => left("security group", one.securityGroup.list()),
      ...updates("one.secgroup.update"),
      allocate: (template) => makes("one.secgroup.allocate", "security group", template, nameIn(template)),
      chown: (id) => would("one.secgroup.chown", id),
      chmod: (id) => would("one.secgroup.chmod", id),
      delete: removes("one.secgroup.delete", "security group")
    },
    router: {
      ...one.router,
      list: () => left("router", one.router.list()),
      ...updates("one.vrouter.update"),
      info: (id) =>
        present("router", "one.vrouter.info", id, () =>
          overlay.isNew(id) ? Effect.succeed(newRouter(id, overlay)) : one.router.info(id)
        ),
      allocate: (template) => makes("one.vrouter.allocate", "router", template, nameIn(template)),
      instantiate: (id, { name, templateId, count, extra }) =>
        Effect.suspend(() => {
          for (let made = 0; made < count; made++) overlay.routerGets(id, overlay.makeVm(name, extra ?? [], "Running"))
          const vms = overlay.vmsOf(id).map((vm) => overlay.label(vm))
          return would("one.vrouter.instantiate", id, `template ${templateId}`, name, `-> ${vms.join(" ")}`)
        }),
      chown: (id) => would("one.vrouter.chown", id),
      delete: (id) =>
        Effect.gen(function* () {
          const vms = overlay.isNew(id) ? overlay.vmsOf(id) : (yield* one.router.info(id)).vms
          yield* would("one.vrouter.delete", id)
          overlay.remove("router", id)
          for (const vm of vms) overlay.act(vm, "terminate-hard")
        })
    },
    template: {
      ...one.template,
      instantiate: (templateId, { name, hold, extra }) =>
        Effect.suspend(() => {
          const id = overlay.makeVm(name, extra ?? [], hold === true ? "Hold" : "Running")
          const call = would("one.template.instantiate", `template ${templateId}`, name, `-> ${overlay.label(id)}`)
          return Effect.as(call, id)
        })
    },
    image: { ...one.image, chmod: (id) => would("one.image.chmod", id) },
    user: {
      ...one.user,
      list: () => left("user", one.user.list()),
      ...updates("one.user.update"),
      allocate: ({ name }) => makes("one.user.allocate", "user", [], name),
      delete: removes("one.user.delete", "user"),
      info: (id) => Effect.map(one.user.info(id), (user) => overlay.user(user)),
      passwd: (id) => would("one.user.passwd", id),
      // Whoever is in the new one already stays in the old one, too.
      chgrp: (id, group) =>
        and(would("one.user.chgrp", id, group), () =>
          overlay.changeUser(id, ({ gid, groups }) => ({
            gid: group,
            groups: groups.includes(group) ? groups : [...groups.filter((one) => one !== gid), group]
          }))
        ),
      addGroup: (id, group) =>
        and(would("one.user.addgroup", id, group), () =>
          overlay.changeUser(id, ({ groups }) => ({ groups: [...groups, group] }))
        ),
      deleteGroup: (id, group) =>
        and(would("one.user.delgroup", id, group), () =>
          overlay.changeUser(id, ({ groups }) => ({ groups: groups.filter((one) => one !== group) }))
        ),
      enable: (id, enabled) =>
        and(would("one.user.enable", id, enabled ? "YES" : "NO"), () => overlay.changeUser(id, () => ({ enabled }))),
      // It asks by a call that would change something of another user.
      requireGroupsByHand: () => Effect.void
    },
    vm: {
      ...one.vm,
      ...updates("one.vm.update"),
      info: (id) =>
        Effect.suspend(() => {
          const made = overlay.newVm(id)
          return made === undefined ? Effect.map(one.vm.info(id), (vm) => overlay.vm(vm)) : Effect.succeed(made)
        }),
      infoset,
      states: (ids) => infoset(ids),
      action: (id, action) => and(would("one.vm.action", action, id), () => overlay.act(id, action)),
      retry: (id) => and(would("one.vm.recover", id), () => overlay.act(id, "resume")),
      resize: (id, capacity) =>
        and(would("one.vm.resize", id, ...sizesIn({ ...capacity })), () => overlay.resize(id, capacity)),
      diskResize: (id, disk, size) =>
        and(would("one.vm.diskresize", id, `disk ${disk}`, `${size} MB`), () => overlay.growDisk(id, disk, size)),
      chown: (id, to) => would("one.vm.chown", id, ...(to.gid === undefined ? [] : [to.gid])),
      chmod: (id) => would("one.vm.chmod", id),
      rename: (id, name) => would("one.vm.rename", id, name)
    },
    cluster: {
      ...one.cluster,
      addNetwork: would_("one.cluster.addvnet"),
      deleteNetwork: would_("one.cluster.delvnet")
    }
  }
}

/** Told first, and then so. */
const and = (told: Effect.Effect<void>, change: () => void): Effect.Effect<void> =>
  Effect.zipRight(told, Effect.sync(change))

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ").trim()

const sizesIn = (capacity: Readonly<Record<string, number>>): ReadonlyArray<string> =>
  Object.entries(capacity).map(([what, amount]) => `${what}=${amount}`)

const noRights = { use: false, manage: false, admin: false }
const noPermissions = { owner: noRights, group: noRights, other: noRights }
const newObject = (id: number) => ({ id, uid: 0, gid: 0 })

const noQuotas = { vm: [], datastores: [], networks: [], images: [] }
const newGroup = (id: number): Group => ({
  id,
  name: "",
  users: [],
  admins: [],
  template: [],
  quotas: noQuotas,
  defaults: noQuotas
})

const newRouter = (id: number, overlay: Overlay): VirtualRouter => ({
  ...newObject(id),
  name: Option.getOrElse(valueOf(overlay.templateOf(id), "NAME"), () => ""),
  permissions: noPermissions,
  locked: false,
  vms: overlay.vmsOf(id),
  nics: [],
  template: overlay.templateOf(id)
})

const newNetwork = (id: number, template: Template): VirtualNetwork => ({
  ...newObject(id),
  name: Option.getOrElse(valueOf(template, "NAME"), () => ""),
  permissions: noPermissions,
  locked: false,
  state: "Ready",
  clusters: [],
  bridge: Option.none(),
  driver: Option.none(),
  physicalDevice: Option.none(),
  vlanId: Option.none(),
  usedLeases: 0,
  parentId: Option.none(),
  routers: [],
  addressRanges: vectorsOf(template, "AR").map(({ values }, at) => ({
    id: at,
    type: values.TYPE ?? "IP4",
    ip: Option.fromNullable(values.IP),
    size: Number(values.SIZE ?? "0"),
    leases: []
  })),
  template
})

/** A virtual data centre comes to its end. Read `terminate` from top to bottom: it is the order in which things go. */
import { Effect } from "effect"
import {
  decide,
  ensureDone,
  OrderRefused,
  type Outcome,
  Reservations,
  type TerminateRequest
} from "../../plugin/index.js"
import { isOurLock, lockedRefusal } from "../locks.js"
import { Belongings, belongingsOf, isOthersIn } from "./belongings/belongings.js"
import { inventory } from "./belongings/inventory.js"
import { tagAgain } from "./belongings/retagged.js"
import { holdersOf, leftAlone, stayingOf, strangersIn, strayRouterVms } from "./belongings/strangers.js"
import { type Cloud, every, gone, namesOf } from "./cloud.js"
import { closeAccess, removeRoleGroups } from "./members/access.js"
import { canAllLeave, leaveGroup } from "./members/people.js"
import { removeNetwork, removeSecurityGroup } from "./network.js"
import { groupOfOrder, isGroupId } from "./own-group.js"
import { subnetPool } from "./plan.js"
import { endVms, removeRouter } from "./router.js"
import { withPluginOptions } from "./settings.js"
import { removeGroup, removeRules } from "./tenant.js"

export const terminate = (cloud: Cloud) => (request: TerminateRequest) =>
  Effect.gen(function* () {
    const own = yield* decide("belongings", Belongings, look(cloud, request), (noted) =>
      Effect.map(inventory(cloud), (found) => isOthersIn(found, { resource: request.resource, noted }))
    )

    if (own.slug !== null) yield* closeAccess(cloud, own.slug, request.resource.id)
    // Users first: nobody shall start a machine while the rest goes.
    yield* removeAll("users", own.users, (id) => gone(cloud.one.user.delete(id)))
    const { group } = own
    if (group !== null) yield* removeAll("members", own.members, (id) => leaveGroup(cloud.one, { id: group }, id))
    // Known by their VDC, which goes before them: another attempt would take them for a stranger's.
    if (own.retagged.length > 0) yield* ensureDone("owner tags", tagAgain(cloud, request.resource.id, own.retagged))
    if (own.machines.length > 0) yield* ensureDone("machines ended", endVms(cloud, own.machines))
    if (own.routers.length > 0) {
      yield* ensureDone("routers gone", every(own.routers.map(({ id, vms }) => removeRouter(cloud, id, vms))))
    }
    // Nobody uses these any more, and none needs another.
    yield* every([
      removeAll("networks", own.networks, (id) => removeNetwork(cloud, id)),
      removeAll("security groups", own.securityGroups, (id) => removeSecurityGroup(cloud, id)),
      Effect.zipRight(
        removeRoleGroups(cloud, own.roleGroups, own.logins),
        removeAll("VDCs", own.vdcs, (id) => gone(cloud.one.vdc.delete(id)))
      )
    ])
    if (own.group !== null) yield* ensureDone("group gone", removeGroup(cloud, own.group))
    else if (isGroupId(request.resource.backendId)) {
      // The group vanished behind our back. Ids are never given twice, so its rules are nobody's any more.
      yield* ensureDone("rules gone", removeRules(cloud, Number(request.resource.backendId)))
    }

    const reservations = yield* Reservations
    yield* ensureDone("subnet released", reservations.release(subnetPool(cloud), request.resource.id))
    if (own.staying.length > 0)
      yield* Effect.logWarning(
        `The data centre has ended, and what its people made stays in OpenNebula, with the ids of a user and a group that are gone: ${namesOf(own.staying, 20)}. Give it to somebody (chown), or delete it`
      )
    return {} satisfies Outcome
  })

const removeAll = <E extends Effect.Effect.Error<ReturnType<typeof endVms>>>(
  what: string,
  ids: ReadonlyArray<number>,
  remove: (id: number) => Effect.Effect<void, E>
) => (ids.length === 0 ? Effect.void : ensureDone(`${what} gone`, every(ids.map(remove))))

/** Reads what there is and what of it belongs to the resource. Refuses while others still live in it, before anything is touched. */
const look = (cloud: Cloud, request: TerminateRequest) =>
  Effect.gen(function* () {
    const settings = yield* withPluginOptions(cloud.settings, request.pluginOptions)
    const { found, images, templates } = yield* Effect.all(
      { found: inventory(cloud), images: cloud.one.image.list(), templates: cloud.one.template.list() },
      { concurrency: "unbounded" }
    )
    const group = yield* groupOfOrder(cloud, found.groups, request.resource)
    const own = belongingsOf(found, request.resource, group)
    const strangers = strangersIn(found, own)
    if (strangers.length > 0) {
      return yield* new OrderRefused({
        customerMessage: `The data centre still has users (${namesOf(strangers)}): remove them, then order again.`
      })
    }
    // They would be in it still when its user and its people's machines are gone, and keep it from ending.
    yield* canAllLeave(
      cloud.one,
      found.users.filter(({ id }) => own.members.includes(id))
    )
    const vms = yield* cloud.one.vm.infoset(own.machines)
    const ours = strayRouterVms(request, vms)
    const machines = found.machines.filter(({ id }) => own.machines.includes(id) && !ours.includes(id))
    // Machines of other groups only visit its network: they are never ours to end.
    const kept =
      settings.terminate_policy === "cascade"
        ? machines.filter(({ gid }) => gid !== own.group && !own.roleGroups.includes(gid))
        : machines
    if (kept.length > 0) {
      return yield* new OrderRefused({
        customerMessage: `The data centre still has virtual machines (${namesOf(kept.map(({ name }) => name))}): delete them, then order again.`,
        detail: `VMs ${kept.map(({ id }) => id).join(", ")}`
      })
    }
    const locked = [
      ...found.networks
        .filter((one) => one.locked && own.networks.includes(one.id))
        .map(({ name }) => `network ${name}`),
      ...found.routers
        .filter((one) => one.locked && own.routers.some(({ id }) => id === one.id))
        .map(({ name }) => `router ${name}`),
      ...vms.filter((vm) => vm.locked && !isOurLock(vm)).map(({ name }) => `machine ${name}`)
    ]
    // Its people could not unlock it any more, once they are gone.
    if (locked.length > 0) return yield* lockedRefusal(namesOf(locked))
    const holders = holdersOf(found, own)
    if (holders.length > 0) {
      return yield* new OrderRefused({
        customerMessage: `The data centre is still in use by ${namesOf(holders)}: remove that, or ask the provider to, then order again.`
      })
    }
    const left = leftAlone(found, own, request)
    if (left.length > 0)
      yield* Effect.logWarning(
        `By what Waldur knows, ${namesOf(left)} ${left.length === 1 ? "was" : "were"} made with this data centre, and by name, tag and group somebody else's now, so it is left alone: delete it in OpenNebula if nobody needs it`
      )
    return { ...own, staying: stayingOf({ ...found, images, templates }, own) }
  })

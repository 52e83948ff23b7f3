/** Between orders: what of the front-end is ours, what nobody owns, what the Python agent made; and what can be put right. */
import { Effect, Either, Option } from "effect"
import {
  type GroupShort,
  ownerOf,
  ownerTags,
  projectHint,
  type Template,
  type User,
  type Vm
} from "../../../opennebula/index.js"
import {
  type ExpectedResource,
  ensureDone,
  type Importable,
  OrderRefused,
  type OwnedObject,
  type Resolution,
  type Resource,
  type SiteError,
  type Steps,
  type Upkeep
} from "../../../plugin/index.js"
import { defaultVdc, projectIn } from "../../groups.js"
import { startStopped } from "../../machines.js"
import { isCalledAs, uncertainOwner } from "../../owner.js"
import { forgetStored } from "../accounts.js"
import { type Belongings, belongingsOf } from "../belongings/belongings.js"
import { belongingTo } from "../belongings/despite-tags.js"
import { type Inventory, inventory } from "../belongings/inventory.js"
import { tagAgain } from "../belongings/retagged.js"
import { bareGroups, bareGroupsOf, whoseUntagged } from "../belongings/untagged.js"
import { type Cloud, gone, isTaggedFor, isUntagged } from "../cloud.js"
import { removeNetwork, removeSecurityGroup } from "../network.js"
import { firstTenantGroup, groupOf, isGroupOf } from "../own-group.js"
import { amountsOf } from "../quotas.js"
import { endVms, removeRouter } from "../router.js"
import { groupsIn, leaveVdc, removeGroup, removeRule } from "../tenant.js"
import { hasNetwork, isSurplus } from "./observe.js"
import { ownGroup, setStanding } from "./standing.js"

type Sought = Pick<Resource, "id" | "name" | "slug" | "backendId" | "recorded">
interface Tagged {
  readonly id: number
  readonly name: string
  readonly template: Template
}
type Tag = (id: number, template: Template) => Effect.Effect<void, SiteError>

/** One row for each kind of object that a data centre consists of: how it is called, read, tagged and removed. In the order in which they go. */
const kindsOf = (cloud: Cloud) => {
  const { one } = cloud
  return {
    user: {
      // Users write into their own templates.
      list: Effect.map(one.user.list(), (users) => users.map((user) => ({ ...user, uid: user.id }))),
      tag: one.user.append,
      remove: (id: number) => gone(one.user.delete(id))
    },
    vm: {
      list: Effect.map(one.vm.listExtended(), (vms) =>
        vms.map((vm: Vm) => ({
          id: vm.id,
          name: vm.name,
          template: vm.userTemplate,
          since: vm.startedAt,
          uid: vm.uid
        }))
      ),
      tag: one.vm.append,
      remove: (id: number) => endVms(cloud, [id])
    },
    router: {
      list: one.router.list(),
      tag: one.router.append,
      remove: (id: number) => removeRouter(cloud, id, [])
    },
    network: { list: one.network.list(), tag: one.network.append, remove: (id: number) => removeNetwork(cloud, id) },
    "security-group": {
      list: one.securityGroup.list(),
      tag: one.securityGroup.append,
      remove: (id: number) => removeSecurityGroup(cloud, id)
    },
    vdc: { list: one.vdc.list(), tag: one.vdc.append, remove: (id: number) => gone(one.vdc.delete(id)) },
    group: {
      list: Effect.map(groupsIn(cloud), ({ groups }) => groups),
      tag: one.group.append,
      remove: (id: number) => removeGroup(cloud, id)
    }
  } satisfies Record<
    string,
    {
      readonly list: Effect.Effect<ReadonlyArray<Listed>, SiteError>
      readonly tag: Tag
      readonly remove: (id: number) => Effect.Effect<void, SiteError>
    }
  >
}
type Kinds = ReturnType<typeof kindsOf>
type Kind = keyof Kinds
const removalOrder = ["user", "vm", "router", "network", "security-group", "vdc", "group"] as const
const isKind = (kind: string): kind is Kind => removalOrder.some((known) => known === kind)

const owned = (cloud: Cloud): Effect.Effect<ReadonlyArray<OwnedObject>, SiteError> => {
  const kinds = kindsOf(cloud)
  const all = Effect.forEach(
    removalOrder,
    (kind) =>
      Effect.map<ReadonlyArray<Listed>, ReadonlyArray<readonly [Kind, Listed]>>((objects) =>
        objects.map((object) => [kind, object] as const)
      )(kinds[kind].list),
    { concurrency: "unbounded" }
  )
  return Effect.map(Effect.all([all, cloud.one.user.info(-1)], { concurrency: "unbounded" }), ([found, agent]) => {
    const objects = found.flat()
    const groups = new Map(objects.flatMap(([kind, object]) => (kind === "group" ? [[object.id, object]] : [])))
    return objects.flatMap(([kind, object]) => ownedOf(kind, object, agent.id, groups))
  })
}

/** `uid`: whoever owns it may have written its tags. Without one only an administrator can. */
type Listed = Tagged & { readonly since?: number; readonly uid?: number; readonly gid?: number }

const ownedOf = (
  kind: Kind,
  object: Listed,
  agent: number,
  groups: ReadonlyMap<number, Tagged>
): ReadonlyArray<OwnedObject> => {
  const { id, name, template, since, uid } = object
  const owner = ownerOf(template)
  if (owner._tag === "None") {
    return Option.match(whoseUntagged(kind, object, groups), {
      onNone: () => [],
      onSome: ({ order, resource }) => [{ kind, id, name, resource, order }]
    })
  }
  const { mark, ...tags } = owner.value
  const isMarked = mark !== undefined && (uid === undefined || uid === agent)
  return [{ kind, id, name, ...tags, ...(isMarked ? { mark } : {}), ...(since === undefined ? {} : { since }) }]
}

/** Looked at again in the moment before. */
const remove = (cloud: Cloud, object: OwnedObject): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const { kind, id } = object
    if (!isKind(kind)) return yield* new OrderRefused({ customerMessage: `There is no kind "${kind}".` })
    if (object.untagged === true) {
      const isBare = (yield* bareGroups(cloud)).some((group) => group.id === id && group.name === object.name)
      if (isBare) return yield* removeGroup(cloud, id)
      return yield* new OrderRefused({ customerMessage: `${kind} ${id} is gone, or somebody uses it by now.` })
    }
    const found = (yield* owned(cloud)).find((one) => one.kind === kind && one.id === id)
    if (found === undefined) return
    if (found.resource !== object.resource) {
      return yield* new OrderRefused({ customerMessage: `${kind} ${id} has another owner by now.` })
    }
    yield* kindsOf(cloud)[kind].remove(id)
  })

/** Groups that are no resource's: of tenants, without a tag. With the VDC that holds each of them alone. */
const importable = (cloud: Cloud): Effect.Effect<ReadonlyArray<Importable>, SiteError> =>
  Effect.map(
    Effect.all([inventory(cloud), cloud.one.group.listQuotas()], { concurrency: "unbounded" }),
    ([found, rows]) => {
      const quotasOf = new Map(rows.map(({ groupId, quotas }) => [groupId, quotas]))
      const amounts = ({ id }: GroupShort) => {
        const quotas = quotasOf.get(id)
        return quotas === undefined ? {} : { amounts: amountsOf(quotas, cloud.settings.external_network_id) }
      }
      return (
        found.groups
          .filter((group) => group.id >= firstTenantGroup && isUntagged(group))
          .map((group) => ({ group, of: projectIn(group, found.vdcs) }))
          // In the VDC of a data centre of ours: that one's, or of one of its roles.
          .filter(({ of }) => of.within === undefined)
          .map(({ group, of }) => ({
            name: group.name,
            backendId: String(group.id),
            ...of,
            hint: projectHint(group.id),
            ...amounts(group),
            metadata: { group_id: group.id, vdc_ids: ownVdcs(found, group), machines: machinesIn(found, group) }
          }))
      )
    }
  )

const ownVdcs = ({ vdcs }: Inventory, group: GroupShort): ReadonlyArray<number> =>
  vdcs
    .filter((vdc) => vdc.id !== defaultVdc && vdc.groups.length === 1 && vdc.groups[0] === group.id && isUntagged(vdc))
    .map(({ id }) => id)

const machinesIn = ({ machines }: Inventory, group: GroupShort): number =>
  machines.filter(({ gid }) => gid === group.id).length

/** What is not tagged yet of what belongs to the resource, kind by kind: the group, its VDC, and what the Python agent made around it. */
const untaggedOf = (found: Inventory, resource: Sought, group: GroupShort): ReadonlyArray<readonly [Kind, Tagged]> => {
  const own: Belongings = belongingsOf(found, resource, group)
  const missing = <A extends Tagged>(kind: Kind, objects: ReadonlyArray<A>, ids: ReadonlyArray<number>) =>
    objects.filter((object) => ids.includes(object.id) && isUntagged(object)).map((object) => [kind, object] as const)
  return [
    ...missing("vdc", found.vdcs, [...own.vdcs, ...ownVdcs(found, group)]),
    ...missing("network", found.networks, own.networks),
    ...missing(
      "router",
      found.routers,
      own.routers.map(({ id }) => id)
    ),
    ...missing("security-group", found.securityGroups, own.securityGroups),
    ...missing<User>("user", found.users, own.users),
    // The group last: what hangs on it is only looked for while it has no tag.
    ...missing("group", found.groups, [group.id])
  ]
}

const resolveIn = (cloud: Cloud, found: Inventory, resource: Sought): Effect.Effect<Resolution> =>
  Effect.map(Effect.either(groupOf(found.groups, resource)), (group): Resolution => {
    if (Either.isLeft(group)) return { _tag: "Unresolved", problem: group.left.detail ?? group.left.customerMessage }
    if (group.right === undefined) {
      return { _tag: "Unresolved", problem: `there is no group ${JSON.stringify(resource.backendId)}` }
    }
    // By its number and its name, as a machine: a number alone may have come to a stranger.
    if (!isGroupOf(cloud.settings, resource, group.right)) {
      const { id, name } = group.right
      return {
        _tag: "Unresolved",
        problem: `group ${id} has no owner tag and the name ${JSON.stringify(name)}. ${uncertainOwner(resource)}`
      }
    }
    return {
      _tag: "Resolved",
      backendId: String(group.right.id),
      untagged: untaggedOf(found, resource, group.right).map(([kind, { id, name }]) => `${kind} ${id} ${name}`)
    }
  })

/** `isOwn`: whether a group that has no tag is the resource's. */
const adopt = (cloud: Cloud, resource: Sought, isOwn: (group: GroupShort) => boolean) =>
  ensureDone(
    "owner tags",
    Effect.gen(function* () {
      const found = yield* inventory(cloud)
      const group = yield* ownGroup(cloud, resource, groupOf)
      if (isUntagged(group) && !isOwn(group)) {
        return yield* new OrderRefused({
          customerMessage: "The group in the cloud is not known to be this data centre's, so it is left alone.",
          detail: `group ${group.id} (${group.name}) has no tag of this resource, nor its name`
        })
      }
      const tags = ownerTags({ resource: resource.id, order: "" })
      const kinds = kindsOf(cloud)
      for (const [kind, { id }] of untaggedOf(found, resource, group)) yield* kinds[kind].tag(id, tags)
      yield* tagAgain(cloud, resource.id, belongingsOf(found, resource, group).retagged)
    })
  )

const repair = (cloud: Cloud, resource: ExpectedResource, kind: string): Effect.Effect<void, SiteError, Steps> => {
  switch (kind) {
    case "owner":
      return adopt(cloud, resource, (group) => isCalledAs(resource, cloud.settings.allocation_prefix, group.name))
    case "isolation":
      return ensureDone("isolation", isolate(cloud, resource))
    case "network":
      return ensureDone("network in VDC", reconnect(cloud, resource))
    case "state":
      return ensureDone("router started", startRouter(cloud, resource))
    case "passwords":
      return ensureDone("stored password removed", forgetStored(cloud, resource))
    default:
      return new OrderRefused({ customerMessage: `A data centre's ${kind} cannot be put right by the agent.` })
  }
}

const isolate = (cloud: Cloud, resource: ExpectedResource) =>
  Effect.gen(function* () {
    const { id } = yield* ownGroup(cloud, resource)
    yield* leaveVdc(cloud, 0, id)
    const rules = yield* cloud.one.acl.list()
    yield* Effect.forEach(
      rules.filter(({ rule }) => isSurplus(rule, id)),
      (rule) => removeRule(cloud, rule.id, rule.rule),
      { discard: true }
    )
  })

const reconnect = (cloud: Cloud, { id, recorded = {} }: ExpectedResource) =>
  Effect.gen(function* () {
    const networkId = Number(recorded.vnet_id)
    const vdc = (yield* cloud.one.vdc.list()).find((candidate) => isTaggedFor(id, candidate))
    const network = (yield* cloud.one.network.list()).find((candidate) => candidate.id === networkId)
    if (vdc === undefined || network === undefined || !isTaggedFor(id, network)) {
      return yield* new OrderRefused({ customerMessage: "The data centre or its network is not there any more." })
    }
    if (!hasNetwork(vdc, networkId)) yield* cloud.one.vdc.addNetwork(vdc.id, cloud.settings.zone_id, networkId)
  })

const startRouter = (cloud: Cloud, resource: ExpectedResource) =>
  Effect.gen(function* () {
    const group = yield* ownGroup(cloud, resource)
    const { routers } = belongingsOf(yield* inventory(cloud), resource, group)
    yield* Effect.forEach(
      routers.flatMap(({ vms }) => vms),
      (vmId) => startStopped(cloud, vmId),
      { discard: true }
    )
  })

export const upkeep = (cloud: Cloud): Upkeep => ({
  place: cloud.one.endpoint,
  setStanding: setStanding(cloud),
  repair: (resource, kind) => repair(cloud, resource, kind),
  owned: owned(cloud),
  belonging: belongingTo(cloud),
  untagged: bareGroupsOf(cloud),
  remove: (object) => remove(cloud, object),
  removalOrder,
  importable: importable(cloud),
  resolve: (resources) =>
    Effect.flatMap(inventory(cloud), (found) =>
      Effect.forEach(resources, (resource) => resolveIn(cloud, found, resource))
    ),
  adopt: (resource) => adopt(cloud, resource, () => true)
})

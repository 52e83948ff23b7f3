/** The tenant: its group, its virtual data centre, its rights, its user. */
import { randomBytes } from "node:crypto"
import { Effect, Option, Redacted, Schema } from "effect"
import {
  type AclResource,
  type AclRule,
  type AclRuleSpec,
  type ActionRefused,
  aclCluster,
  aclId,
  type GroupShort,
  groupRule,
  sameAclRule
} from "../../opennebula/index.js"
import {
  ensureDone,
  isFirstCall,
  make,
  mayBeBegunElsewhere,
  OrderRefused,
  type OrderRequest,
  RivalAtWork
} from "../../plugin/index.js"
import { asTheirVdcsSay, defaultVdc } from "../groups.js"
import {
  both,
  type Cloud,
  gone,
  isOthers,
  isUntagged,
  namesOf,
  ownAmong,
  ownIn,
  type Pooled,
  tagsOf,
  unlessAlready,
  unlessTaken
} from "./cloud.js"
import type { Plan } from "./plan.js"

type Ordered = Pick<OrderRequest, "order" | "resource">

/**
 * The group. `one.group.allocate` takes a name and nothing else, so for one call's time the group is there without its owner tag. A
 * group left like that is told from other people's by all that is known: our very name, newer than the newest group before this
 * order, no tag, no users, in no VDC but the default one. What remains is somebody else who makes an empty group of the very same
 * name at the same time by hand.
 */
export const makeGroup = (cloud: Cloud, request: Ordered, plan: Plan) => {
  const tag = (groupId: number) =>
    Effect.as(
      Effect.flatMap(tagsOf(request), (tags) => cloud.one.group.append(groupId, tags)),
      groupId
    )
  return make("group", {
    result: Schema.Int,
    find: findGroup(cloud, request, plan).pipe(
      Effect.flatMap((left) => (Option.isSome(left) ? Effect.asSome(tag(left.value)) : Effect.succeedNone))
    ),
    create: unlessTaken(
      "group",
      plan.name,
      cloud.one.group.allocate(plan.name),
      Effect.flatMap(groupsIn(cloud), ({ groups }) => ownOrBesideOurs(cloud, request, plan, groups))
    ).pipe(Effect.flatMap(tag)),
    undo: (groupId) => removeGroup(cloud, groupId),
    isOthers: isTaggedForAnother(cloud, request)
  })
}

const isTaggedForAnother =
  (cloud: Cloud, { resource }: Ordered) =>
  (groupId: number) =>
    isOthers(resource.id, cloud.one.group.info(groupId))

export const groupsIn = ({ one }: Cloud) =>
  Effect.map(Effect.all([one.group.list(), one.vdc.list()], { concurrency: "unbounded" }), ([groups, vdcs]) => ({
    groups: asTheirVdcsSay(groups, vdcs),
    vdcs
  }))

const findGroup = (cloud: Cloud, request: Ordered, plan: Plan) =>
  Effect.gen(function* () {
    const { groups, vdcs } = yield* groupsIn(cloud)
    const isInUse = (id: number) => vdcs.some((vdc) => vdc.id !== defaultVdc && vdc.groups.includes(id))
    const tagged = yield* ownAmong(cloud, request, "group", groups)
    const found = Option.orElse(tagged, () =>
      Option.fromNullable(
        groups.find((group) => isNewlyNamed(plan, group) && group.users.length === 0 && !isInUse(group.id))
      )
    )
    return Option.map(found, (group) => group.id)
  })

/** Has it our very name, no tag, and come since this order was begun? */
const isNewlyNamed = (plan: Plan, group: Pooled): boolean =>
  group.name === plan.name && group.id > plan.newestGroup && isUntagged(group)

/**
 * After our name was taken: our own group. Or one that has just come, without a tag: the Python agent gives none, and this agent's is not there yet for a
 * moment. Who makes a group of this name now is at work on this order.
 */
const ownOrBesideOurs = (cloud: Cloud, request: Ordered, plan: Plan, groups: ReadonlyArray<GroupShort>) =>
  Effect.gen(function* () {
    const own = yield* ownAmong(cloud, request, "group", groups)
    const other = groups.find((group) => isNewlyNamed(plan, group))
    if (Option.isNone(own) && other !== undefined && (yield* isFirstCall)) {
      return yield* new RivalAtWork({ what: `group ${other.id} (${other.name}), without any tag` })
    }
    const older = groups.find((group) => group.name === plan.name && isUntagged(group) && group.users.length === 0)
    if (Option.isNone(own) && older !== undefined && (yield* mayBeBegunElsewhere)) return yield* perhapsLeft(older)
    return Option.map(own, ({ id }) => id)
  })

/** Made in the moment before the journal was lost, or somebody else's: the order's plan told the one from the other, and was in that journal. */
const perhapsLeft = ({ id, name }: Pooled): OrderRefused =>
  new OrderRefused({
    customerMessage: `The cloud already has a group named "${name}", perhaps left by this order: ask the provider, or choose another name and order again.`,
    detail: `group ${id} (${name}) has no tag and no users. The order may have been begun with another journal, so nothing says whether it has made that group: if nobody needs it, \`site-actors orphans -c config.yaml --remove group:${id} --yes\` removes it`
  })

/** Out of every VDC, and its rules with it: those of VDC 0, and those made by `one.acl.addrule`, outlive a group. */
export const removeGroup = (cloud: Cloud, groupId: number) =>
  Effect.gen(function* () {
    const [vdcs, rules] = yield* both(cloud.one.vdc.list(), cloud.one.acl.list())
    for (const vdc of vdcs.filter(({ groups }) => groups.includes(groupId))) yield* leaveVdc(cloud, vdc.id, groupId)
    // Those that have gone with a VDC are no trouble.
    yield* removeNaming(cloud, groupId, rules)
    yield* gone(cloud.one.group.delete(groupId)).pipe(
      Effect.catchTag("ActionRefused", (error) => stillUsed(cloud, groupId, error))
    )
  })

/** Users alone keep a group (OpenNebula 7.4): somebody has put one there since the members were taken out. */
const stillUsed = (cloud: Cloud, groupId: number, error: ActionRefused) =>
  Effect.gen(function* () {
    const users = (yield* cloud.one.user.list()).filter(({ groups }) => groups.includes(groupId))
    if (users.length === 0) return yield* error
    return yield* new OrderRefused({
      customerMessage: `The data centre still has users (${namesOf(users.map(({ name }) => name))}): remove them, then order again.`,
      detail: error.message
    })
  })

/** Every rule that names the group. They outlive it, also when somebody else deletes it. */
export const removeRules = (cloud: Cloud, groupId: number) =>
  Effect.flatMap(cloud.one.acl.list(), (rules) => removeNaming(cloud, groupId, rules))

const removeNaming = (cloud: Cloud, groupId: number, rules: ReadonlyArray<AclRule>) =>
  Effect.forEach(
    rules.filter(({ rule }) => rule.user._tag === "Group" && rule.user.id === groupId),
    (rule) => removeRule(cloud, rule.id, rule.rule),
    { discard: true }
  )

/** The virtual data centre itself. */
export const makeVdc = (cloud: Cloud, request: Ordered, plan: Plan) => {
  const find = ownIn(cloud, request, "VDC", cloud.one.vdc.list())
  return make("VDC", {
    result: Schema.Int,
    find,
    create: unlessTaken(
      "virtual data centre",
      plan.name,
      Effect.flatMap(tagsOf(request), (tags) => cloud.one.vdc.allocate(plan.name, tags)),
      find
    ),
    undo: (vdcId) => gone(cloud.one.vdc.delete(vdcId)),
    isOthers: (vdcId) => isOthers(request.resource.id, cloud.one.vdc.info(vdcId))
  })
}

const hasGroup = (cloud: Cloud, vdcId: number, groupId: number) =>
  Effect.map(cloud.one.vdc.info(vdcId), ({ groups }) => groups.includes(groupId))

export const leaveVdc = (cloud: Cloud, vdcId: number, groupId: number) =>
  gone(
    unlessAlready(
      cloud.one.vdc.deleteGroup(vdcId, groupId),
      Effect.map(hasGroup(cloud, vdcId, groupId), (is) => !is)
    )
  )

/** VDC 0 gives its groups every network of the zone. */
export const outOfDefaultVdc = (cloud: Cloud, groupId: number) => leaveVdc(cloud, defaultVdc, groupId)
export const leaveDefaultVdc = (cloud: Cloud, groupId: number) =>
  ensureDone("VDC 0 left", outOfDefaultVdc(cloud, groupId))

export const intoVdc = (cloud: Cloud, vdcId: number, groupId: number) =>
  unlessAlready(cloud.one.vdc.addGroup(vdcId, groupId), hasGroup(cloud, vdcId, groupId))
export const joinVdc = (cloud: Cloud, vdcId: number, groupId: number) =>
  ensureDone("group in VDC", intoVdc(cloud, vdcId, groupId))

export const addClusters = (cloud: Cloud, vdcId: number, plan: Plan) =>
  ensureDone(
    "clusters in VDC",
    Effect.forEach(
      plan.clusters,
      (clusterId) =>
        unlessAlready(
          cloud.one.vdc.addCluster(vdcId, plan.zone, clusterId),
          Effect.map(cloud.one.vdc.info(vdcId), ({ clusters }) =>
            clusters.some((cluster) => cluster.zone === plan.zone && cluster.id === clusterId)
          )
        ),
      { discard: true }
    )
  )

/**
 * A cluster in a VDC gives its groups USE on every network of that cluster, other tenants' networks included. Exactly that right is
 * taken back; hosts, datastores and the tenant's own network remain.
 */
export const takeNetworksBack = (cloud: Cloud, groupId: number, places: Places) =>
  Effect.gen(function* () {
    const surplus = places.clusters.map((clusterId) =>
      groupRule({
        group: groupId,
        resources: ["NET"],
        rights: ["USE"],
        target: aclCluster(clusterId),
        zone: aclId(places.zone)
      })
    )
    const rules = yield* cloud.one.acl.list()
    yield* Effect.forEach(
      rules.filter(({ rule }) => surplus.some((one) => sameAclRule(one, rule))),
      (rule) => removeRule(cloud, rule.id, rule.rule),
      { discard: true }
    )
  })
type Places = Pick<Plan, "zone"> & { readonly clusters: ReadonlyArray<number> }

export const isolate = (cloud: Cloud, groupId: number, plan: Plan) =>
  ensureDone("networks of the clusters taken back", takeNetworksBack(cloud, groupId, plan))

/** OpenNebula answers "does not exist" with 0x2000, so the list decides. */
export const removeRule = (cloud: Cloud, ruleId: number, rule: AclRuleSpec) =>
  unlessAlready(
    cloud.one.acl.deleteRule(ruleId),
    Effect.map(cloud.one.acl.list(), (rules) =>
      rules.every((other) => other.id !== ruleId || !sameAclRule(other.rule, rule))
    )
  )

/**
 * What members of a group may create: what OpenNebula's own rule 0 gives to the group `users`, so no networks and no routers, which
 * would lead around the isolation.
 */
const creatable: ReadonlyArray<AclResource> = [
  "VM",
  "IMAGE",
  "TEMPLATE",
  "DOCUMENT",
  "SECGROUP",
  "VMGROUP",
  "BACKUPJOB"
]

const creationRule = (groupId: number, zone: number) =>
  groupRule({ group: groupId, resources: creatable, rights: ["CREATE"], zone: aclId(zone) })

const findRule = (cloud: Cloud, wanted: AclRuleSpec) =>
  Effect.map(cloud.one.acl.list(), (rules) =>
    Option.map(Option.fromNullable(rules.find(({ rule }) => sameAclRule(rule, wanted))), ({ id }) => id)
  )

/** The right to create, unless the group has it. */
export const allowCreation = (cloud: Cloud, groupId: number, zone: number) =>
  Effect.flatMap(findRule(cloud, creationRule(groupId, zone)), (found) =>
    Option.isSome(found) ? Effect.void : Effect.asVoid(cloud.one.acl.addRule(creationRule(groupId, zone)))
  )

/** A new group may create nothing (OpenNebula 7.4, recording 037). A rule has no tag: it is known by what it says. */
export const grantCreation = (cloud: Cloud, request: Ordered, groupId: number, plan: Plan) => {
  const wanted = creationRule(groupId, plan.zone)
  const find = findRule(cloud, wanted)
  return make("create-rights", {
    result: Schema.Int,
    find,
    create: cloud.one.acl.addRule(wanted),
    undo: (ruleId) => removeRule(cloud, ruleId, wanted),
    // The same rule may be another tenant's, whose group has the number by now.
    isOthers: (ruleId) =>
      Effect.flatMap(cloud.one.acl.list(), (rules) =>
        rules.some(({ id, rule }) => id === ruleId && !sameAclRule(rule, wanted))
          ? Effect.succeed(true)
          : isTaggedForAnother(cloud, request)(groupId)
      )
  })
}

export const userName = (name: string): string => `${name}_admin`

const Secret = Effect.sync(() => Redacted.make(randomBytes(18).toString("base64url")))

/**
 * The tenant's user, with a password that nobody knows until `issuePassword`. Between allocate and the owner tag it is known by its
 * primary group, which is ours: nobody but an administrator can put a user there.
 */
export const makeUser = (cloud: Cloud, request: Ordered, plan: Plan, groupId: number) => {
  const name = userName(plan.name)
  const tag = (userId: number) =>
    Effect.as(
      Effect.flatMap(tagsOf(request), (tags) => cloud.one.user.append(userId, tags)),
      userId
    )
  // A user may write tags into its own template, and not choose its primary group.
  const inGroup = Effect.map(cloud.one.user.list(), (users) => users.filter(({ gid }) => gid === groupId))
  const find = Effect.flatMap(inGroup, (users) =>
    Effect.map(ownAmong(cloud, request, "user", users), (tagged) =>
      Option.orElse(tagged, () => Option.fromNullable(users.find((user) => user.name === name && isUntagged(user))))
    )
  ).pipe(Effect.flatMap((left) => (Option.isSome(left) ? Effect.asSome(tag(left.value.id)) : Effect.succeedNone)))
  return make("tenant user", {
    result: Schema.Int,
    find,
    create: Effect.flatMap(Secret, (password) =>
      unlessTaken("user", name, cloud.one.user.allocate({ name, password, groups: [groupId] }), find)
    ).pipe(Effect.flatMap(tag)),
    undo: (userId) => gone(cloud.one.user.delete(userId)),
    isOthers: (userId) => isOthers(request.resource.id, cloud.one.user.info(userId))
  })
}

/** A new password for the tenant's user. From the operating system's generator: Effect's `Random` is not made for secrets. */
export const issuePassword = (cloud: Cloud, userId: number) =>
  Effect.gen(function* () {
    const password = yield* Secret
    yield* cloud.one.user.passwd(userId, password)
    return { opennebula_password: password }
  })

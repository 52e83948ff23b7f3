/** Other amounts for a virtual data centre: its quotas. */
import { Effect, Option, Schema } from "effect"
import { adoptedBy, adoptedTags, type Limit } from "../../opennebula/index.js"
import { decide, ensureDone, OrderRefused, type Outcome, type UpdateRequest } from "../../plugin/index.js"
import { type Cloud, groupsFor, isUntagged, limitsToReport } from "./cloud.js"
import { copyLimits, roleGroupsOf, vdcsForRoles } from "./members/role-groups.js"
import { groupOfOrder, isOthersGroup } from "./own-group.js"
import { placesOf } from "./plan.js"
import { checkAmounts, limitsOf, quotaFor, setQuota } from "./quotas.js"
import { withPluginOptions } from "./settings.js"

const LimitSchema: Schema.Schema<Limit> = Schema.Union(Schema.Number, Schema.Literal("default", "unlimited"))
const VmLimits = Schema.partialWith(
  Schema.Struct({
    cpu: LimitSchema,
    memory: LimitSchema,
    vms: LimitSchema,
    systemDiskSize: LimitSchema,
    runningCpu: LimitSchema,
    runningMemory: LimitSchema,
    runningVms: LimitSchema,
    others: Schema.Array(Schema.Struct({ metric: Schema.String, limit: LimitSchema }))
  }),
  { exact: true }
)
const optionalLimit = Schema.optionalWith(LimitSchema, { exact: true })
const DatastoreRow = Schema.Struct({ id: Schema.Int, size: optionalLimit, images: optionalLimit })
const NetworkRow = Schema.Struct({ id: Schema.Int, leases: LimitSchema })
const QuotaSchema = Schema.partialWith(
  Schema.Struct({
    vm: VmLimits,
    datastores: Schema.Array(DatastoreRow),
    networks: Schema.Array(NetworkRow)
  }),
  { exact: true }
)

/** `before` is what the sections that change were: what an undo puts back. */
const Change = Schema.Struct({
  groupId: Schema.Int,
  /** Whether the group has nothing yet that says whose it is. Journals of version 0.1 do not have this. */
  adopt: Schema.optionalWith(Schema.Boolean, { exact: true }),
  /** Groups of roles, which have the same limits. */
  roleGroups: Schema.optionalWith(Schema.Array(Schema.Int), { default: () => [] }),
  before: QuotaSchema,
  after: QuotaSchema
})

export const update = (cloud: Cloud) => (request: UpdateRequest) =>
  Effect.gen(function* () {
    yield* checkAmounts(cloud.components, request.amounts, { complete: false })
    const { groupId, adopt, roleGroups, before, after } = yield* decide(
      "quotas before",
      Change,
      look(cloud, request),
      (change) => isOthersGroup(cloud, request.resource)(change.groupId)
    )
    yield* ensureDone(
      "quotas",
      Effect.catchTag(setQuota(cloud, groupId, after), "NoSuchObject", (error) => vanished(error.message)),
      // A group that is gone has no quota to put back.
      Effect.catchTag(setQuota(cloud, groupId, before), "NoSuchObject", () => Effect.void)
    )
    // The number takes the place of a name that the Python agent may have left as backend id. The name was all that said whose the group is.
    if (adopt === true) {
      yield* ensureDone("group adopted", cloud.one.group.append(groupId, adoptedTags(request.resource.id)))
    }
    // No undo of its own: the next synchronisation of members puts them back to whatever the group has.
    if (roleGroups.length > 0) yield* ensureDone("limits of roles", copyLimits(cloud, groupId, roleGroups))
    return { backendId: String(groupId), amounts: limitsToReport(cloud, request.amounts) } satisfies Outcome
  })

const vanished = (detail: string): OrderRefused =>
  new OrderRefused({
    customerMessage: "This data centre does not exist in the cloud (any more), so it cannot be changed.",
    detail
  })

const look = (cloud: Cloud, request: UpdateRequest) =>
  Effect.gen(function* () {
    const settings = yield* withPluginOptions(cloud.settings, request.pluginOptions)
    const [groups, { imageDatastores }] = yield* Effect.all(
      [groupsFor(cloud, [request.resource]), placesOf(cloud, settings)],
      {
        concurrency: "unbounded"
      }
    )
    const group = yield* groupOfOrder(cloud, groups, request.resource)
    if (group === undefined) {
      return yield* vanished(`no group for backend id "${request.resource.backendId}"`)
    }
    const { quotas } = yield* cloud.one.group.info(group.id)
    const places = { imageDatastores, externalNetwork: settings.external_network_id }
    const after = quotaFor(request.amounts, places, quotas)
    const adopt = isUntagged(group) && Option.isNone(adoptedBy(group.template))
    const vdcs = yield* vdcsForRoles(cloud, groups)
    const roleGroups = roleGroupsOf({ groups, vdcs }, request.resource.id, group.id).map(({ id }) => id)
    return { groupId: group.id, adopt, roleGroups, before: undoing(after, limitsOf(quotas)), after }
  })

type Quota = typeof QuotaSchema.Type

/** The old limits of exactly what changes. A row that was not there before goes back to the default. */
const undoing = (after: Quota, old: Required<Quota>): Quota => ({
  ...(after.vm === undefined ? {} : { vm: old.vm }),
  ...(after.datastores === undefined
    ? {}
    : {
        datastores: after.datastores.map(
          ({ id }) => old.datastores.find((row) => row.id === id) ?? { id, size: "default" as const }
        )
      }),
  ...(after.networks === undefined
    ? {}
    : {
        networks: after.networks.map(
          ({ id }) => old.networks.find((row) => row.id === id) ?? { id, leases: "default" as const }
        )
      })
})

/**
 * The VDC that a VM is to be in: its group, its internal network, its security group.
 *
 * A name is no identity: another tenant can make a network of any name. So a network or security group counts only if it is the parent group's
 * own or oneadmin's (whose objects tenants cannot make), and one with the parent's owner tag comes before one with the right name.
 */
import { Effect, Option, Schema } from "effect"
import {
  type GroupShort,
  type OpenNebulaService,
  type Owner,
  ownerOf,
  type Template,
  type Vdc
} from "../../opennebula/index.js"
import type { ProjectId } from "../../plugin/index.js"
import {
  Marketplace,
  OrderRefused,
  type ProjectResource,
  printable,
  ResourceId,
  type SiteError
} from "../../plugin/index.js"
import { asTheirVdcsSay, defaultVdc, whose } from "../groups.js"
import { isUnder } from "../standing.js"
import type { PlacementRules } from "./settings.js"

export const Parent = Schema.Struct({
  group: Schema.Int,
  network: Schema.optional(Schema.Int),
  securityGroup: Schema.optional(Schema.Int)
})
export type Parent = typeof Parent.Type

/** What of an order says it. */
export interface ParentAttributes {
  readonly parent_backend_id?: string | undefined
}

/** The parent that the order names, if it is of the order's own project; else the provider's choice. */
export const chooseParent = (
  one: OpenNebulaService,
  rules: PlacementRules,
  attributes: ParentAttributes,
  project: ProjectId
): Effect.Effect<Parent, SiteError, Marketplace> =>
  Effect.suspend(() => {
    const asked = (attributes.parent_backend_id ?? "").trim()
    return parentOf(one, asked === "" ? configuredGroup(one, rules) : ownGroup(one, asked, project))
  })

const configuredGroup = (one: OpenNebulaService, rules: PlacementRules): Effect.Effect<GroupShort, SiteError> =>
  Effect.gen(function* () {
    const configured = (rules.parentVdc ?? "").trim()
    if (configured === "") {
      return yield* new OrderRefused({
        customerMessage:
          "The order must name the virtual data centre that the machine shall be in, by parent_backend_id."
      })
    }
    const [found, vdcs] = yield* Effect.all([groupOf(one, configured), one.vdc.list()], { concurrency: "unbounded" })
    if (Option.isSome(found)) return asItsVdcSays(found.value, vdcs)
    return yield* new OrderRefused({
      customerMessage: "The virtual data centre of this offering does not exist (any more): ask the provider.",
      detail: `parent_vdc_backend_id ${printable(configured)} is no group in OpenNebula`
    })
  })

const asItsVdcSays = (group: GroupShort, vdcs: ReadonlyArray<Vdc>): GroupShort =>
  asTheirVdcsSay([group], vdcs)[0] ?? group

/** The resource of a machine's data centre, if the agent has that paused: none of its machines can be started. */
export const pausedParent = (
  one: OpenNebulaService,
  { gid }: { readonly gid: number }
): Effect.Effect<Option.Option<ResourceId>, SiteError> =>
  Effect.gen(function* () {
    const group = yield* one.group.info(gid)
    if (isUnder(group.template) !== "paused") return Option.none()
    const owner = whose(asItsVdcSays(group, yield* one.vdc.list())) ?? ""
    return Schema.decodeOption(ResourceId)(plainUuid(owner))
  }).pipe(Effect.catchTag("NoSuchObject", () => Effect.succeedNone))

const isId = (backendId: string): boolean => /^\d{1,9}$/.test(backendId)

/** By id, or by name as the Python agent has it. */
export const groupOf = (
  one: OpenNebulaService,
  backendId: string
): Effect.Effect<Option.Option<GroupShort>, SiteError> =>
  isId(backendId)
    ? one.group.info(Number(backendId)).pipe(
        Effect.map((group) => Option.some<GroupShort>(group)),
        Effect.catchTag("NoSuchObject", () => Effect.succeedNone)
      )
    : Effect.map(one.group.list(), (groups) => Option.fromNullable(groups.find((group) => group.name === backendId)))

/** Waldur's states in which a VDC can take VMs. */
const usable: ReadonlySet<string> = new Set(["OK", "Updating"])

/**
 * The group that a customer names, if it is a VDC of the project. Ids of groups and of VMs are both small numbers, so a resource with this
 * `backend_id` proves nothing: it must be the one whose uuid the group carries, or, made by the Python agent and not yet changed by this one, have
 * the group's name for `backend_id`.
 */
const ownGroup = (
  one: OpenNebulaService,
  asked: string,
  project: ProjectId
): Effect.Effect<GroupShort, SiteError, Marketplace> =>
  Effect.gen(function* () {
    const named = Option.getOrUndefined(yield* groupOf(one, asked))
    const asItSays = named === undefined ? undefined : yield* vdcOf(named, project)
    // Its administrator may have written something else into it. Its VDC is asked only then.
    const found =
      named === undefined || asItSays !== undefined
        ? asItSays
        : yield* Effect.flatMap(one.vdc.list(), (vdcs) => vdcOf(asItsVdcSays(named, vdcs), project))
    if (found === undefined) {
      return yield* new OrderRefused({
        customerMessage: `"${printable(asked)}" is not a virtual data centre of this project: choose one of this project and order again.`
      })
    }
    const { group, parent } = found
    if (!usable.has(parent.state)) {
      return yield* new OrderRefused({
        customerMessage: `The virtual data centre "${printable(parent.name)}" is not ready (${parent.state}): wait until it is, then order again.`
      })
    }
    return group
  })

/** A group, and the project's resource whose it is. */
const vdcOf = (group: GroupShort, project: ProjectId) =>
  Effect.gen(function* () {
    const marketplace = yield* Marketplace
    const resources = yield* marketplace.projectResources(project, whose(group))
    const parent = resources.find((resource) => isVdc(resource, group))
    return parent === undefined ? undefined : { group, parent }
  })

const isVdc = (resource: ProjectResource, group: GroupShort): boolean => {
  const owner = whose(group)
  return owner === undefined
    ? resource.backendId === group.name && !isId(resource.backendId)
    : sameUuid(owner, resource.id)
}

/** As uuids are compared, which come with hyphens and without. */
export const plainUuid = (uuid: string): string => uuid.replaceAll("-", "").toLowerCase()

export const sameUuid = (a: string, b: string): boolean => plainUuid(a) === plainUuid(b)

const oneadmin = 0

interface Owned {
  readonly id: number
  readonly name: string
  readonly gid: number
  readonly template: Template
}

/** Of the parent's own and oneadmin's objects: tagged and named so, else tagged, else named so; of equals the oldest. */
const belonging = <A extends Owned>(objects: ReadonlyArray<A>, group: GroupShort, ending: string): A | undefined => {
  const tag = Option.map(ownerOf(group.template), (owner: Owner) => owner.resource)
  const rank = (object: A): number => {
    const tagged = Option.exists(ownerOf(object.template), (owner) =>
      Option.exists(tag, (resource) => sameUuid(owner.resource, resource))
    )
    return (tagged ? 2 : 0) + (object.name === `${group.name}${ending}` ? 1 : 0)
  }
  return objects
    .filter((object) => (object.gid === group.id || object.gid === oneadmin) && rank(object) > 0)
    .sort((a, b) => rank(b) - rank(a) || a.id - b.id)[0]
}

/**
 * The group's network that is in its VDC. Its administrator may have written another tag into it, and called it otherwise, but puts nothing into a VDC: the oldest
 * is what was made with it.
 */
const inItsVdc = (networks: ReadonlyArray<Owned>, group: GroupShort, vdcs: ReadonlyArray<Vdc>): Owned | undefined => {
  const within = vdcs
    .filter(({ groups, id }) => id !== defaultVdc && groups.includes(group.id))
    .flatMap((vdc) => vdc.networks.map(({ id }) => id))
  return networks
    .filter(({ gid, id }) => gid === group.id && within.includes(id))
    .toSorted((one, other) => one.id - other.id)[0]
}

/** A VDC without networking has no network; whether that will do is for the template's own interfaces to say. */
export const parentOf = <R>(
  one: OpenNebulaService,
  group: Effect.Effect<GroupShort, SiteError, R>
): Effect.Effect<Parent, SiteError, R> =>
  Effect.gen(function* () {
    const [found, networks, securityGroups] = yield* Effect.all([group, one.network.list(), one.securityGroup.list()], {
      concurrency: "unbounded"
    })
    const known = belonging(networks, found, "_internal")
    const others = known === undefined && networks.some(({ gid }) => gid === found.id)
    const network = others ? inItsVdc(networks, found, yield* one.vdc.list()) : known
    const securityGroup = belonging(securityGroups, found, "_default")
    return {
      group: found.id,
      ...(network === undefined ? {} : { network: network.id }),
      ...(securityGroup === undefined ? {} : { securityGroup: securityGroup.id })
    }
  })

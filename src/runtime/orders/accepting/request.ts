/**
 * From Waldur's order to the request that a handler gets: decided once, before the order is accepted, and journalled with it.
 *
 * Sizes come from two places. Components that are billed `fixed` get theirs from the plan, all others from the limits: the order's,
 * and for what it does not name, the resource's. A plan switch is told by the plan, not by empty limits: Waldur copies the
 * resource's limits into such an order.
 */
import { Effect, Either, Option, Schema } from "effect"
import {
  amountsFromWaldur,
  OrderId,
  OrderRefused,
  OrderRequest,
  ProjectId,
  printable,
  type Resource,
  ResourceId,
  type SiteError,
  sideBySide
} from "../../../core/index.js"
import type * as api from "../../../waldur/api/index.js"
import type { Offering } from "../../offerings/offering.js"
import { recordedIn } from "../../offerings/recorded.js"
import { keepable } from "./keepable.js"
import { stillThere } from "./restore.js"

/** What is written down when an order is accepted, and read back at every later attempt. */
export const Accepted = Schema.Struct({
  offering: Schema.String,
  /** Absent if the order could not be understood: it is then refused, for the reason in the entry that follows. */
  request: Schema.optional(OrderRequest),
  /** Whether the order still waited for the provider's approval when it was first seen. */
  approve: Schema.Boolean,
  /** The plugin that it was begun with, and at which server. Absent: an earlier version has accepted it. */
  backend: Schema.optional(Schema.String),
  place: Schema.optional(Schema.String),
  /** Of any order but the first of its resource: with which plugin and at which server the resource was made or last changed, if these are others. */
  made: Schema.optional(
    Schema.Struct({ backend: Schema.optional(Schema.String), place: Schema.optional(Schema.String) })
  )
})
export type Accepted = typeof Accepted.Type

export const resourceOf = (offering: Offering, order: api.Order, resource: api.ProviderResource): Resource => ({
  id: ResourceId.make(resource.uuid),
  name: resource.name,
  slug: resource.slug,
  offering: offering.id,
  project: ProjectId.make(Option.getOrElse(resource.projectUuid, () => Option.getOrElse(order.projectUuid, noProject))),
  projectName: resource.projectName,
  backendId: Option.getOrElse(resource.backendId, () => ""),
  // No more: the request is written into the journal, and passwords that were shown to the customer stand in the metadata.
  backendMetadata: Object.fromEntries(
    Object.entries(resource.backendMetadata).filter(
      ([key, value]) =>
        offering.backend.keptMetadata?.includes(key) === true &&
        typeof value === "string" &&
        value.length <= longestKept
    )
  ),
  recorded: recordedIn(resource.backendMetadata)
})
const longestKept = 1000
const noProject = () => "0".repeat(32)

/**
 * Fails with `OrderRefused` for what the order itself has wrong. `read`: gives its resource; what else must be read of Waldur is read beside it, as
 * far as the order tells what that is.
 */
export const requestOf = (
  offering: Offering,
  order: api.Order,
  read: Effect.Effect<api.ProviderResource, SiteError>
): Effect.Effect<OrderRequest, SiteError> =>
  Effect.gen(function* () {
    const [resource, options, quotas] = yield* sideBySide(
      read,
      offering.pluginOptions,
      // What is wrong with its plan is told last, as if it had been looked at in its turn.
      Effect.either(hasSizes(order) ? quotasOf(offering, order.planUuid) : noQuotas)
    )
    const common = {
      order: OrderId.make(order.uuid),
      resource: resourceOf(offering, order, resource),
      pluginOptions: yield* kept("The options of this offering", options)
    }
    switch (order.type) {
      case "Create":
        return {
          _tag: "Create",
          ...common,
          attributes: yield* kept("The order's attributes", { ...resource.attributes, ...order.attributes }),
          amounts: yield* amountsOf(offering, yield* quotas, order.limits)
        }
      case "Update": {
        const planned = Option.isSome(order.planUuid) ? quotas : quotasOf(offering, resource.planUuid)
        const limits = { ...knownOnly(offering, resource.limits), ...order.limits }
        return {
          _tag: "Update",
          ...common,
          attributes: Either.getOrElse(keepable(order.attributes), () => ({})),
          amounts: yield* amountsOf(offering, yield* planned, limits),
          change: isPlanSwitch(order, resource) ? "plan" : "limits"
        }
      }
      case "Terminate":
        return { _tag: "Terminate", ...common, attributes: Either.getOrElse(keepable(order.attributes), () => ({})) }
      case "Restore":
        // Where nothing is left, it is refused as it stands.
        yield* stillThere(offering, common.resource)
        return { _tag: "Restore", ...common }
      default:
        return yield* new OrderRefused({
          customerMessage: `Orders of type "${printable(order.type.replace(/^unknown:/, ""))}" are not supported here.`
        })
    }
  })

const kept = (what: string, values: Readonly<Record<string, unknown>>) =>
  Effect.mapError(keepable(values), (wrong) => new OrderRefused({ customerMessage: `${what} ${wrong}.` }))

/** An older server stores whatever limits it is sent: what the offering does not have is not the customer's order. */
const knownOnly = (offering: Offering, limits: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(limits).filter(([type]) => offering.components.some((component) => component.type === type))
  )

const isPlanSwitch = (order: api.Order, resource: api.ProviderResource): boolean =>
  Option.isSome(order.oldPlanUuid) ||
  (Option.isSome(order.planUuid) && Option.getOrNull(order.planUuid) !== Option.getOrNull(resource.planUuid))

const hasSizes = ({ type }: api.Order): boolean => type === "Create" || type === "Update"

type Quotas = Readonly<Record<string, number>>
const noQuotas: Effect.Effect<Quotas> = Effect.succeed({})

const fixedOf = ({ components }: Offering): ReadonlySet<string> =>
  new Set(components.filter(({ accountingType }) => accountingType === "fixed").map(({ type }) => type))

/** Of the plan, if any component gets its size from it. */
const quotasOf = (offering: Offering, plan: Option.Option<string>): Effect.Effect<Quotas, SiteError> =>
  fixedOf(offering).size > 0 && Option.isSome(plan)
    ? Effect.map(offering.waldur.plan(plan.value, offering.id), ({ quotas }) => quotas)
    : noQuotas

const amountsOf = (offering: Offering, quotas: Quotas, limits: Readonly<Record<string, number>>) => {
  const fixed = fixedOf(offering)
  return amountsFromWaldur(offering.components, {
    ...Object.fromEntries(Object.entries(limits).filter(([type]) => !fixed.has(type))),
    ...Object.fromEntries(Object.entries(quotas).filter(([type]) => fixed.has(type)))
  })
}

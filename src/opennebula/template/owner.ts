/**
 * The owner tag: how the agent knows its own objects again. Names are labels, never identity; an object without our tag
 * is not ours.
 *
 * It stands in the object's own template (`TEMPLATE`; for a VM `USER_TEMPLATE`).
 */
import { Option } from "effect"
import { type Single, single, type Template, valueOf } from "./template.js"

export interface Owner {
  /** UUID of the Waldur resource. */
  readonly resource: string
  /** UUID of the Waldur order that made the object; empty if only the resource is noted. */
  readonly order: string
}

const resourceTag = "WALDUR_RESOURCE_UUID"
const orderTag = "WALDUR_ORDER_UUID"

export const ownerTags = (owner: Owner): ReadonlyArray<Single> => [
  single(resourceTag, owner.resource),
  single(orderTag, owner.order)
]

export const ownerOf = (template: Template): Option.Option<Owner> =>
  Option.map(valueOf(template, resourceTag), (resource) => ({
    resource,
    order: Option.getOrElse(valueOf(template, orderTag), () => "")
  }))

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
  /** Of the attempt that made it (`core/saga/marks.ts`). Absent: an earlier version did, or it was taken over. */
  readonly mark?: string
}

const resourceTag = "WALDUR_RESOURCE_UUID"
const orderTag = "WALDUR_ORDER_UUID"
const markTag = "WALDUR_MADE_BY"

export const ownerTags = (owner: Owner): ReadonlyArray<Single> => [
  single(resourceTag, owner.resource),
  single(orderTag, owner.order),
  ...(owner.mark === undefined || owner.mark === "" ? [] : [single(markTag, owner.mark)])
]

/**
 * On a group that another agent made: the Waldur resource that it was found to be, once, by its name. It is no owner tag: what hangs on such
 * a group has none either, and is still known by how it hangs together.
 */
const adoptedTag = "WALDUR_ADOPTED_BY_UUID"
export const adoptedTags = (resource: string): ReadonlyArray<Single> => [single(adoptedTag, resource)]
export const adoptedBy = (template: Template): Option.Option<string> => valueOf(template, adoptedTag)

/** The Waldur project that an object is of. On a group it says so for what lies in it, too. */
const projectTag = "WALDUR_PROJECT_UUID"
export const projectTags = (project: string): ReadonlyArray<Single> => [single(projectTag, project)]
export const projectOf = (template: Template): Option.Option<string> => valueOf(template, projectTag)
/** For whoever has to write it by hand. */
export const projectHint = (group: number): string =>
  `write ${projectTag}="<uuid of a project in Waldur>" into the template of group ${group} (onegroup update ${group} --append)`

export const ownerOf = (template: Template): Option.Option<Owner> =>
  Option.map(valueOf(template, resourceTag), (resource) => ({
    resource,
    order: Option.getOrElse(valueOf(template, orderTag), () => ""),
    ...Option.match(valueOf(template, markTag), { onNone: () => ({}), onSome: (mark) => ({ mark }) })
  }))

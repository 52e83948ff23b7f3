/** Groups (a tenant each), with what they may use at most, and what they use. */
import { Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import { fromElement, Ids, Int, ids, TemplateSchema, template, text } from "./element.js"
import { inOwnAndDefault, ownAndDefault, Quotas, quotas } from "./quotas.js"

const shortFields = { id: Int, name: Schema.String, users: Ids, admins: Ids, template: TemplateSchema }
const short = (element: XmlElement) => ({
  id: text(element, "ID"),
  name: text(element, "NAME"),
  users: ids(element, "USERS"),
  admins: ids(element, "ADMINS"),
  template: template(element)
})

/** As `one.grouppool.info` gives it: quotas stand beside it there, not in it (recording 204). */
export const GroupShort = fromElement(Schema.Struct(shortFields), short)
export type GroupShort = typeof GroupShort.Type

/** As `one.group.info` gives it (recordings 049, 118, 259). */
export const Group = fromElement(Schema.Struct({ ...shortFields, ...ownAndDefault }), (element) => ({
  ...short(element),
  ...inOwnAndDefault(element, "DEFAULT_GROUP_QUOTAS")
}))
export type Group = typeof Group.Type

/** A row of what `one.grouppool.info` has beside its groups (recording 204). */
export const GroupQuotas = fromElement(Schema.Struct({ groupId: Int, quotas: Quotas }), (element) => ({
  groupId: text(element, "ID"),
  quotas: quotas(element)
}))
export type GroupQuotas = typeof GroupQuotas.Type

/** Either of the two, by the name of its element: for reading both from one answer. */
export const GroupPart = fromElement(
  Schema.Struct({ part: Schema.String, ...shortFields, quotas: Quotas }),
  (element) => ({ part: element.name, ...short(element), quotas: quotas(element) })
)
export type GroupPart = typeof GroupPart.Type

/** A group of the pool; without quotas if OpenNebula lists none of it. */
export type GroupWithQuotas = GroupShort & { readonly quotas: Quotas | undefined }

/** Groups and what stands beside them, put together. */
export const groupsOf = (parts: ReadonlyArray<GroupPart>): ReadonlyArray<GroupWithQuotas> => {
  const quotasOfGroup = new Map(
    parts.flatMap(({ part, id, quotas }) => (part === "QUOTAS" ? [[id, quotas] as const] : []))
  )
  return parts.flatMap(({ part, ...group }) =>
    part === "GROUP" ? [{ ...group, quotas: quotasOfGroup.get(group.id) }] : []
  )
}

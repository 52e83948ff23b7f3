/**
 * Whose a group is: by its tag, and by what its VDC says, as an administrator of a group may write into its template. For data centres, and for what is put
 * into them.
 */
import { Option } from "effect"
import {
  adoptedBy,
  adoptedTags,
  type GroupShort,
  ownerOf,
  ownerTags,
  projectOf,
  type Template,
  type Vdc
} from "../opennebula/index.js"
import type { Importable } from "../plugin/index.js"

/** The Waldur resource that an object belongs to, by its tag. */
export const ownerResource = (object: { readonly template: Template }): string | undefined =>
  Option.getOrUndefined(ownerOf(object.template))?.resource

/** Of a group: the resource that it belongs to, by its tag or as an adopted one. */
export const whose = (group: { readonly template: Template }): string | undefined =>
  ownerResource(group) ?? Option.getOrUndefined(adoptedBy(group.template))

/** Those that belong to another resource than this one. */
export const othersGroups = (
  groups: ReadonlyArray<Pick<GroupShort, "id" | "template">>,
  resource: string
): ReadonlySet<number> => new Set(groups.filter((group) => (whose(group) ?? resource) !== resource).map(({ id }) => id))

/** The VDC in which every new group finds itself; it has the whole zone. */
export const defaultVdc = 0

/**
 * Groups with the owner that their VDC has, where they say another one: an administrator of a group may write into its template, and nobody but OpenNebula's
 * own administrators into that of a VDC, or where a group is. One that says nothing, or that it was adopted by another, counts as adopted by its VDC's, if
 * it is called as that VDC is: the groups of roles are in there, too, and have no owner tag of their own.
 */
export const asTheirVdcsSay = <A extends Pick<GroupShort, "id" | "name" | "template">>(
  groups: ReadonlyArray<A>,
  vdcs: ReadonlyArray<Pick<Vdc, "id" | "name" | "groups" | "template">>
): ReadonlyArray<A> => {
  // Once over all VDCs: there may be thousands of either.
  const around = new Map<number, Array<{ readonly owner: string; readonly name: string }>>()
  for (const vdc of vdcs) {
    const owner = ownerResource(vdc)
    if (owner === undefined) continue
    for (const group of vdc.groups) around.set(group, [...(around.get(group) ?? []), { owner, name: vdc.name }])
  }
  return groups.map((group) => {
    const said = ownerResource(group)
    const held = around.get(group.id) ?? []
    if (said !== undefined) {
      const [vdc] = held
      return vdc === undefined || held.some(({ owner }) => owner === said)
        ? group
        : { ...group, template: withTags(group.template, ownerTags({ resource: vdc.owner, order: "" })) }
    }
    const vdc = held.find(({ name }) => name === group.name)
    return vdc === undefined ? group : { ...group, template: withTags(group.template, adoptedTags(vdc.owner)) }
  })
}

const withTags = (template: Template, tags: Template): Template => [
  ...template.filter(({ name }) => !tags.some((tag) => tag.name === name)),
  ...tags
]

/** Whose those say that they are of which their VDCs say otherwise. */
export const claimsIn = (
  groups: ReadonlyArray<Pick<GroupShort, "id" | "template">>,
  known: ReadonlyArray<Pick<GroupShort, "id" | "template">>
): ReadonlyMap<number, string> => {
  const owners = new Map(known.map((group) => [group.id, whose(group)]))
  return new Map(
    groups.flatMap((group) => {
      const said = whose(group)
      return said === undefined || said === owners.get(group.id) ? [] : [[group.id, said]]
    })
  )
}

/**
 * Of which project is what lies in this group? Of that of the data centre in whose VDC it is. Else as is written: in its VDC, which only OpenNebula's own administrators
 * write, before the group.
 */
export const projectIn = (
  group: Pick<GroupShort, "id" | "template">,
  vdcs: ReadonlyArray<Vdc>
): Pick<Importable, "project" | "within"> => {
  const around = vdcs.filter(({ groups }) => groups.includes(group.id))
  const [within] = around.flatMap((vdc) => ownerResource(vdc) ?? [])
  if (within !== undefined) return { within }
  const [project] = [...around, group].flatMap(({ template }) => Option.toArray(projectOf(template)))
  return project === undefined ? {} : { project }
}

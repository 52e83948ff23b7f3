/** `/admin/realms/{realm}/groups...` */
import {
  type Answer,
  conflict,
  created,
  createdShown,
  deleted,
  done,
  flagOf,
  invalid,
  isObject,
  type JsonObject,
  moved,
  paged,
  readFields,
  refusal,
  shown,
  unknownError
} from "./http.js"
import { mayManage, maySee, requireRight } from "./rights.js"
import { type Call, defaultMax, groupDetails, groupHead, memberView } from "./views.js"
import { addGroup, byName, byUsername, childrenOf, type Group, pathOf } from "./world.js"

const noSuchGroup = refusal(404, { error: "Could not find group by id" })

/** Children come ten at a time where no `max` is given (recording 136). */
const defaultChildren = 10
const longestName = 255

const accessOf = (call: Call): JsonObject => {
  const manage = mayManage(call.token, call.realm)
  return { view: true, viewMembers: true, manageMembers: manage, manage, manageMembership: manage }
}

interface Shape {
  readonly brief: boolean
  readonly counted: boolean
  readonly subGroups?: ReadonlyArray<JsonObject>
}

const view = (call: Call, group: Group, { brief, counted, subGroups = [] }: Shape): JsonObject => ({
  ...groupHead(group),
  ...(counted ? { subGroupCount: childrenOf(call.realm, group).length } : {}),
  subGroups,
  ...(brief ? {} : groupDetails(group)),
  access: accessOf(call)
})

/** Substrings whatever their case, or exactly so (recordings 098, 107). */
const matches = (name: string, search: string, exact: boolean): boolean =>
  exact ? name === search : name.toLowerCase().includes(search.toLowerCase())

const hitsOf = (call: Call, search: string, exact: boolean): ReadonlyArray<Group> =>
  [...call.realm.groups.values()].filter(({ name }) => matches(name, search, exact)).sort(byName)

const ancestry = (group: Group): ReadonlyArray<Group> =>
  group.parent === undefined ? [group] : [...ancestry(group.parent), group]

export const listGroups = (call: Call): Answer => {
  requireRight(call.token, call.realm, "view-users", "manage-users", "query-groups")
  const { query } = call.request
  const exact = flagOf(query, "exact", false)
  const shape: Shape = {
    brief: flagOf(query, "briefRepresentation", true),
    counted: flagOf(query, "subGroupsCount", true)
  }
  const search = query.get("search")
  const found =
    query.get("q") !== null
      ? attributed(call, query.get("q") ?? "")
      : search === null
        ? childrenOf(call.realm, undefined)
        : hitsOf(call, search, exact)
  const page = paged(found, query)
  if (!maySee(call.token, call.realm)) return shown([])
  return shown(
    search === null || !flagOf(query, "populateHierarchy", true)
      ? page.map((group) => view(call, group, shape))
      : hierarchy(call, page, shape)
  )
}

const attributed = (call: Call, q: string): ReadonlyArray<Group> => {
  const [key = "", value = ""] = q.split(":")
  return [...call.realm.groups.values()].filter(({ attributes }) => attributes[key]?.includes(value)).sort(byName)
}

/** The top-level parents of the hits, with only the branches that lead to them (recordings 102, 103). */
const hierarchy = (call: Call, hits: ReadonlyArray<Group>, shape: Shape): ReadonlyArray<JsonObject> => {
  const shownGroups = new Set(hits.flatMap(ancestry))
  const branch = (group: Group): JsonObject =>
    view(call, group, {
      ...shape,
      subGroups: childrenOf(call.realm, group)
        .filter((one) => shownGroups.has(one))
        .map(branch)
    })
  const tops = new Set(hits.map((hit) => ancestry(hit)[0]).filter((top) => top !== undefined))
  return [...tops].map(branch)
}

export const countGroups = (call: Call): Answer => {
  requireRight(call.token, call.realm, "view-users", "manage-users", "query-groups")
  const { query } = call.request
  const search = query.get("search") ?? ""
  const all = flagOf(query, "top", false) ? childrenOf(call.realm, undefined) : [...call.realm.groups.values()]
  return shown({ count: all.filter(({ name }) => matches(name, search, false)).length })
}

const groupOf = (call: Call, id: string): Group => {
  const group = call.realm.groups.get(id)
  if (group === undefined) throw noSuchGroup
  return group
}
/** Unknown is 404 for everybody, existing is 403 without rights (recordings 164, 165). */
const visibleGroup = (call: Call, id: string): Group => {
  const group = groupOf(call, id)
  requireRight(call.token, call.realm, "view-users", "manage-users")
  return group
}
const managedGroup = (call: Call, id: string): Group => {
  const group = groupOf(call, id)
  requireRight(call.token, call.realm, "manage-users")
  return group
}

export const showGroup = (call: Call, id: string): Answer =>
  shown(view(call, visibleGroup(call, id), { brief: false, counted: true }))

export const groupByPath = (call: Call, path: string): Answer => {
  requireRight(call.token, call.realm, "view-users", "manage-users")
  const group = [...call.realm.groups.values()].find((one) => pathOf(one) === `/${path}`)
  if (group === undefined) throw refusal(404, { error: "Group path does not exist" })
  return shown({
    ...groupHead(group),
    subGroupCount: childrenOf(call.realm, group).length,
    subGroups: [],
    ...groupDetails(group)
  })
}

export const listChildren = (call: Call, id: string): Answer => {
  const parent = visibleGroup(call, id)
  const { query } = call.request
  const search = query.get("search") ?? ""
  const exact = flagOf(query, "exact", false)
  const found = childrenOf(call.realm, parent).filter(({ name }) => search === "" || matches(name, search, exact))
  const brief = flagOf(query, "briefRepresentation", false)
  return shown(paged(found, query, defaultChildren).map((group) => view(call, group, { brief, counted: true })))
}

const groupFields: ReadonlySet<string> = new Set(
  "id name description path parentId subGroupCount subGroups attributes realmRoles clientRoles access".split(" ")
)

const nameOf = (given: Readonly<Record<string, unknown>>): string => {
  const name = typeof given.name === "string" ? given.name : ""
  if (name.trim() === "") throw invalid("Group name is missing")
  return name
}

const attributesOf = (given: unknown): Group["attributes"] =>
  isObject(given)
    ? Object.fromEntries(
        Object.entries(given).map(([key, values]) => [key, Array.isArray(values) ? values.map(String) : []])
      )
    : {}

/** Names differ within a parent, by case too (recordings 082 to 084, 207). */
const claim = (call: Call, name: string, parent: Group | undefined, top: boolean, except?: Group): void => {
  if (childrenOf(call.realm, parent).some((group) => group.name === name && group !== except)) {
    throw conflict(`${top ? "Top level" : "Sibling"} group named '${name}' already exists.`)
  }
  if (name.length > longestName) throw unknownError
}

const moveGroup = (call: Call, id: string, parent: Group | undefined): void => {
  groupOf(call, id).parent = parent
}

/** `subGroups` in it is ignored (recording 090); with an `id` it moves that group (recordings 210, 212). */
export const createGroup = (call: Call): Answer => {
  requireRight(call.token, call.realm, "manage-users")
  const given = readFields(call.request, "GroupRepresentation", groupFields)
  const name = nameOf(given)
  if (typeof given.id === "string") {
    moveGroup(call, given.id, undefined)
    return done
  }
  claim(call, name, undefined, true)
  const group = addGroup(call.realm, name, { attributes: attributesOf(given.attributes) })
  return created(locationOf(call, group))
}

export const createChild = (call: Call, id: string): Answer => {
  const parent = managedGroup(call, id)
  const given = readFields(call.request, "GroupRepresentation", groupFields)
  const name = nameOf(given)
  if (typeof given.id === "string") {
    moveGroup(call, given.id, parent)
    return moved
  }
  claim(call, name, parent, false)
  const group = addGroup(call.realm, name, { parent, attributes: attributesOf(given.attributes) })
  return createdShown(locationOf(call, group), view(call, group, { brief: false, counted: false }))
}

const locationOf = ({ request, realm }: Call, group: Group): string =>
  `${request.origin}/admin/realms/${realm.name}/groups/${group.id}`

/** Attributes that are not named stay; named, they replace the whole map (recordings 204, 289). */
export const changeGroup = (call: Call, id: string): Answer => {
  const group = managedGroup(call, id)
  const given = readFields(call.request, "GroupRepresentation", groupFields)
  const name = nameOf(given)
  claim(call, name, group.parent, false, group)
  group.name = name
  if (given.attributes !== undefined) group.attributes = attributesOf(given.attributes)
  return done
}

/** Takes the children and the memberships along (recordings 215 to 217). */
export const deleteGroup = (call: Call, id: string): Answer => {
  const remove = (group: Group): void => {
    for (const child of childrenOf(call.realm, group)) remove(child)
    call.realm.groups.delete(group.id)
  }
  remove(managedGroup(call, id))
  return deleted
}

export const listMembers = (call: Call, id: string): Answer => {
  const group = visibleGroup(call, id)
  const { query } = call.request
  const brief = flagOf(query, "briefRepresentation", false)
  const members = [...group.members].sort(byUsername)
  return shown(paged(members, query, defaultMax).map((user) => memberView(user, brief)))
}

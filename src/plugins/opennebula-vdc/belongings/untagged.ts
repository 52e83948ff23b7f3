/**
 * Whose an object is that was cut off from its owner tag: groups and users are made by a call that takes a name alone, and tagged by the next
 * (docs/decisions/0004-a-group-before-its-tag.md). An order finds them again by itself, with its journal; here it is for those who have none any more.
 */
import { Option } from "effect"
import { ownerOf, type Template } from "../../../opennebula/index.js"
import { testedResource } from "../../../plugin/index.js"
import { userName } from "../tenant.js"

interface Named {
  readonly id: number
  readonly name: string
  readonly template: Template
  /** A user's primary group. */
  readonly gid?: number
}

interface Whose {
  readonly resource: string
  readonly order: string
}

/** A test order's group is called so that it is known by its name. */
const whoseGroup = ({ name, template }: Named): Option.Option<Whose> =>
  Option.orElse(ownerOf(template), () => Option.map(testedResource(name), (resource) => ({ resource, order: "" })))

/** The group itself; or the tenant's user, who was allocated into it: nobody but an administrator can put one there. */
export const whoseUntagged = (
  kind: string,
  object: Named,
  groups: ReadonlyMap<number, Named>
): Option.Option<Whose> => {
  if (kind === "group") return whoseGroup(object)
  const group = kind === "user" && object.gid !== undefined ? groups.get(object.gid) : undefined
  return group === undefined || object.name !== userName(group.name) ? Option.none() : whoseGroup(group)
}

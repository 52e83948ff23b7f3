/**
 * OpenNebula templates: what a template says (`template.ts`), how it becomes text that nothing breaks out of
 * (`serialize.ts`), the tag by which the agent knows its objects (`owner.ts`), and merging for
 * `one.template.instantiate` (`instantiate.ts`). Begin with `template.ts`.
 */
export { type InstantiateChanges, mergeForInstantiate, osDisk } from "./instantiate.js"
export { adoptedBy, adoptedTags, type Owner, ownerOf, ownerTags, projectHint, projectOf, projectTags } from "./owner.js"
export {
  type Attribute,
  type Single,
  single,
  type Template,
  type Value,
  type Vector,
  valueOf,
  vector,
  vectorsOf
} from "./template.js"

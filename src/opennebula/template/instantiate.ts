/**
 * The extra template of `one.template.instantiate`.
 *
 * OpenNebula 7.4: its attributes *replace* those of the same name in the VM template. A bare `NIC` would lose the
 * template's own, a `CONTEXT` with one key all others, a `DISK=[SIZE=...]` the image. So what changes is merged here
 * with what the template has, and only what changed is sent.
 */
import { Option } from "effect"
import { type Single, type Template, type Value, type Vector, vector, vectorsOf } from "./template.js"

export interface InstantiateChanges {
  /** Single attributes (CPU, MEMORY, owner tags, SCHED_REQUIREMENTS ...): each replaces the template's. */
  readonly singles?: ReadonlyArray<Single>
  /** Laid over the template's CONTEXT, key by key. */
  readonly context?: Readonly<Record<string, Value | undefined>>
  /** New interfaces; `keep` puts them behind the template's own, `replace` drops those. */
  readonly nics?: { readonly mode: "keep" | "replace"; readonly add: ReadonlyArray<Vector> }
  /** The size of the OS disk in MB. All other attributes of it, and all other disks, stay as they are. */
  readonly osDiskSize?: number
  /** New disks, behind the template's own. */
  readonly addDisks?: ReadonlyArray<Vector>
}

const hasImage = (disk: Vector): boolean => "IMAGE" in disk.values || "IMAGE_ID" in disk.values

/**
 * The disk that the VM boots from: the first with an image, else the first. `index` counts the template's DISKs from 0.
 */
export const osDisk = (template: Template): Option.Option<{ readonly index: number; readonly disk: Vector }> => {
  const disks = vectorsOf(template, "DISK")
  const index = Math.max(disks.findIndex(hasImage), 0)
  return Option.map(Option.fromNullable(disks[index]), (disk) => ({ index, disk }))
}

/**
 * The extra template to send along. `template` is that of `one.template.info` (not its extended form, which adds what
 * the image says).
 */
export const mergeForInstantiate = (template: Template, changes: InstantiateChanges): Template => {
  const context =
    changes.context === undefined
      ? []
      : [
          vector("CONTEXT", {
            ...Object.assign({}, ...vectorsOf(template, "CONTEXT").map((own) => own.values)),
            ...vector("CONTEXT", changes.context).values
          })
        ]
  const nics =
    changes.nics === undefined
      ? []
      : [...(changes.nics.mode === "keep" ? vectorsOf(template, "NIC") : []), ...changes.nics.add]
  return [...(changes.singles ?? []), ...context, ...nics, ...disksOf(template, changes)]
}

const disksOf = (
  template: Template,
  { addDisks = [], osDiskSize: size }: InstantiateChanges
): ReadonlyArray<Vector> => {
  if (size === undefined && addDisks.length === 0) return []
  const boot = Option.getOrUndefined(osDisk(template))
  const own = vectorsOf(template, "DISK").map((disk, index) =>
    index === boot?.index && size !== undefined ? vector("DISK", { ...disk.values, SIZE: size }) : disk
  )
  return [...own, ...addDisks]
}

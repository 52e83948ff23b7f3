/** Whose an object is that a resource's backend id names, by its owner tag, or by its id and its name: the same for groups and machines. */
import { resourceName } from "../opennebula/naming.js"
import type { Finding, ResourceId, SoughtResource } from "../plugin/index.js"

/**
 * Is an object without a tag, whose id is the resource's, called as the Python agent would have called it, or as what was imported? Its id alone
 * may have come to a stranger: after the front-end was put back from a backup, or by a mistake.
 */
export const isCalledAs = (
  { id, name = "", offered = false, slug = "" }: SoughtResource,
  prefix: string,
  called: string
): boolean => {
  if (name === "" && slug === "") return false
  const known = [resourceName(prefix, { id, name, slug }), ...(offered ? [name] : [])]
  return known.some((one) => one.toLowerCase() === called.toLowerCase())
}

/** What somebody has to do about one that is not. */
export const uncertainOwner = (resource: { readonly id: ResourceId }): string =>
  `It is not called as this resource is: if it is this resource's all the same, write WALDUR_RESOURCE_UUID="${resource.id}" into its template, else correct the backend id in Waldur.`

interface Found {
  /** "VM 7" */
  readonly subject: string
  readonly id: number
  readonly name: string
  /** `undefined`: it has a tag. `isOurs`: whether it is the resource's all the same. `mendable`: whether the tag can then be added. */
  readonly untagged: { readonly isOurs: boolean; readonly mendable: boolean } | undefined
  /** Whether the backend id is its id. */
  readonly isBackendId: boolean
  /** Whose it says that it is, where that is another's and it is known all the same that it is the resource's. */
  readonly claim?: string | undefined
}

export const ownerFindings = (resource: SoughtResource, found: Found): ReadonlyArray<Finding> => {
  const { claim, id, isBackendId, name, subject, untagged } = found
  const kind = "owner" as const
  const tag = { kind, subject, expected: "an owner tag" }
  const ofTag: ReadonlyArray<Finding> =
    untagged === undefined
      ? []
      : untagged.isOurs
        ? [{ ...tag, found: "none", mendable: untagged.mendable }]
        : [
            {
              ...tag,
              found: `none, and the name ${JSON.stringify(name)}`,
              mendable: false,
              advice: uncertainOwner(resource)
            }
          ]
  const ofClaim: ReadonlyArray<Finding> =
    claim === undefined
      ? []
      : [
          {
            ...tag,
            expected: "this resource's owner tag",
            found: `that of resource ${claim.slice(0, 36)}`,
            mendable: true,
            advice:
              "Its tenant has written that. It is reported, paused and ended as this resource's all the same; the agent puts its tag back with `drift: { owner: repair }`."
          }
        ]
  const ofId: ReadonlyArray<Finding> = isBackendId
    ? []
    : [
        {
          kind,
          subject: "backend id",
          expected: String(id),
          found: resource.backendId.trim() || "none",
          mendable: false
        }
      ]
  return [...ofTag, ...ofClaim, ...ofId]
}

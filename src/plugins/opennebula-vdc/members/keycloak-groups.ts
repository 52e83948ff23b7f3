/**
 * A data centre's groups in Keycloak: `vdc_<slug>` with one child for each role, `vdc_<slug>/admin`.
 *
 * The slug is the name of the data centre's group in OpenNebula. That name is made once, when the data centre is, and OpenNebula has no
 * call to change it (7.4): what the customer calls it, in Waldur, may change as it likes.
 */
import { Effect, Option } from "effect"
import type { KeycloakGroup, KeycloakService } from "../../../keycloak/index.js"
import { OrderRefused, type ResourceId, type SiteError } from "../../../plugin/index.js"

export const parentName = (slug: string): string => `vdc_${slug}`
/** As Keycloak's SAML assertions name it, in the mapping file and in SAML_GROUP. */
export const pathOf = (slug: string, role: string): string => `/${parentName(slug)}/${role}`

const ownerAttribute = "WALDUR_RESOURCE_UUID"
/** What the Python agent writes into its groups, which have no owner otherwise. */
const pythonAgent = "waldur-site-agent"

/** Only what says so itself is the resource's; and what the Python agent made under this very name, until it says otherwise. */
export const isOurs = (group: KeycloakGroup, resource: ResourceId): boolean => {
  const owner = group.attributes[ownerAttribute]?.[0]
  return owner === undefined ? (group.attributes.managed_by?.includes(pythonAgent) ?? false) : owner === resource
}

/** Whether it says whose it is. */
export const isTagged = (group: KeycloakGroup): boolean => group.attributes[ownerAttribute] !== undefined

const attributesFor = (slug: string, resource: ResourceId) => ({
  description: [`Access to the virtual data centre ${slug}`],
  managed_by: ["site-actors"],
  [ownerAttribute]: [resource]
})

export interface AccessGroups {
  readonly parent: KeycloakGroup
  /** Role -> its group. */
  readonly children: ReadonlyMap<string, KeycloakGroup>
}

/** What there is of them; none if the parent is not there. Refused if it is somebody else's. */
export const findGroups = (
  keycloak: KeycloakService,
  slug: string,
  resource: ResourceId
): Effect.Effect<Option.Option<AccessGroups>, SiteError> =>
  Effect.gen(function* () {
    const parent = Option.getOrUndefined(yield* keycloak.group(parentName(slug)))
    if (parent === undefined) return Option.none()
    if (!isOurs(parent, resource)) {
      return yield* new OrderRefused({
        customerMessage: `The identity provider already has a group named "${parentName(slug)}": ask the provider.`,
        detail: `Keycloak's group ${parent.id} is not this resource's`
      })
    }
    return Option.some(yield* withChildren(keycloak, parent))
  })

const withChildren = (keycloak: KeycloakService, parent: KeycloakGroup) =>
  Effect.map(keycloak.children(parent.id), (children) => ({
    parent,
    children: new Map(children.map((child) => [child.name, child]))
  }))

/** Makes what is missing. May be called again: a name that is taken meanwhile is looked at again. */
export const ensureGroups = (
  keycloak: KeycloakService,
  slug: string,
  resource: ResourceId,
  roles: ReadonlyArray<string>
): Effect.Effect<AccessGroups, SiteError> =>
  Effect.gen(function* () {
    const attributes = attributesFor(slug, resource)
    const found = yield* findGroups(keycloak, slug, resource)
    if (Option.isNone(found)) {
      yield* unlessMadeMeanwhile(keycloak.createGroup(parentName(slug), attributes))
    } else if (!isTagged(found.value.parent)) {
      yield* keycloak.setAttributes(found.value.parent, { ...found.value.parent.attributes, ...attributes })
    }
    const now = yield* required(findGroups(keycloak, slug, resource), slug)
    const missing = roles.filter((role) => !now.children.has(role))
    if (missing.length === 0) return now
    yield* Effect.forEach(missing, (role) => unlessMadeMeanwhile(keycloak.createGroup(role, attributes, now.parent.id)))
    return yield* required(findGroups(keycloak, slug, resource), slug)
  })

const unlessMadeMeanwhile = (making: Effect.Effect<string, SiteError>): Effect.Effect<void, SiteError> =>
  Effect.catchIf(
    Effect.asVoid(making),
    (error) => error._tag === "KeycloakConflict",
    () => Effect.void
  )

const required = (looking: Effect.Effect<Option.Option<AccessGroups>, SiteError>, slug: string) =>
  Effect.flatMap(
    looking,
    Option.match({
      onSome: (groups) => Effect.succeed(groups),
      onNone: () =>
        new OrderRefused({
          customerMessage: "The identity provider did not keep the groups for this data centre.",
          detail: `${parentName(slug)} is gone again`
        })
    })
  )

/** With its children and memberships; content if it is not there, or not ours. */
export const removeGroups = (keycloak: KeycloakService, slug: string, resource: ResourceId) =>
  Effect.gen(function* () {
    const parent = Option.filter(yield* keycloak.group(parentName(slug)), (group) => isOurs(group, resource))
    if (Option.isSome(parent)) yield* keycloak.deleteGroup(parent.value.id)
  })

/** What a backend's handler may ask of the marketplace, for the orders of one offering. */
import { Effect, Option } from "effect"
import { type Marketplace, OfferingId, ResourceId, type SiteError } from "../../core/index.js"
import { isMissing, type ProviderResource, uuidOf } from "../../waldur/index.js"
import type { Offering } from "../offerings/offering.js"

export const marketplaceOf = (offering: Offering): typeof Marketplace.Service => ({
  sshKey: (uuid) =>
    Effect.map(offering.waldur.sshKey(offering.providerCustomer, uuid), (key) =>
      Option.getOrUndefined(Option.map(key, (found) => found.publicKey))
    ),
  withheld: (order, attribute) =>
    Effect.flatMap(offering.waldur.order(order), ({ attributes, resourceUuid }) => {
      const own = new Map(Object.entries(attributes)).get(attribute)
      if (own !== undefined || Option.isNone(resourceUuid)) return Effect.succeed(own)
      return Effect.map(offering.waldur.resource(resourceUuid.value), (resource) =>
        new Map(Object.entries(resource.attributes)).get(attribute)
      )
    }),
  projectResources: (project, only) =>
    Effect.map(
      only === undefined
        ? allOf(offering, project)
        : Effect.map(resourceIfThere(offering, only), (found) =>
            found.filter(({ projectUuid }) => Option.contains(projectUuid, project))
          ),
      (resources) =>
        resources.map((resource) => ({
          id: ResourceId.make(resource.uuid),
          offering: Option.match(resource.offeringUuid, {
            onNone: () => offering.id,
            onSome: (uuid) => OfferingId.make(uuid)
          }),
          name: resource.name,
          backendId: Option.getOrElse(resource.backendId, () => ""),
          state: resource.state
        }))
    )
})

type Found = Effect.Effect<ReadonlyArray<ProviderResource>, SiteError>

const allOf = ({ waldur }: Offering, project: string): Found =>
  Effect.map(waldur.resources({ project }), ({ items }) => items)

/** A uuid that stands in the backend may be of a resource that Waldur does not show us (any more), or none at all. */
const resourceIfThere = ({ waldur }: Offering, uuid: string): Found =>
  Option.match(uuidOf(uuid), {
    onNone: () => Effect.succeed([]),
    onSome: (known) =>
      waldur.resource(known).pipe(
        Effect.map((found) => [found]),
        Effect.catchIf(isMissing, () => Effect.succeed([]))
      )
  })

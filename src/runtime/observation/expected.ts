/** What Waldur says that resources are, in the backend's units. */
import { Effect, Option } from "effect"
import {
  type Amounts,
  type ExpectedResource,
  ResourceId,
  type SiteError,
  standingOf,
  toBackend
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import type { Offering } from "../offerings/offering.js"
import { recordedIn } from "../offerings/recorded.js"

const none: Amounts = {}

/**
 * Sizes of components that are billed `fixed` are the plan's, all others the limits'. Each plan is read once. What the server stores of
 * components that the offering does not have is nobody's expectation.
 */
export const expectedOf = (
  { components, id, waldur }: Pick<Offering, "components" | "id" | "waldur">,
  resources: ReadonlyArray<api.ProviderResource>,
  now: number
): Effect.Effect<ReadonlyArray<ExpectedResource>, SiteError> =>
  Effect.gen(function* () {
    const quotasOf = yield* Effect.cachedFunction((plan: string) =>
      Effect.map(waldur.plan(plan, id), ({ quotas }) => quotas)
    )
    const hasFixed = components.some(({ accountingType }) => accountingType === "fixed")
    return yield* Effect.forEach(resources, (resource) =>
      Effect.gen(function* () {
        const { planUuid, projectEndDate } = resource
        const limits: Amounts = resource.limits
        const quotas: Amounts = hasFixed && Option.isSome(planUuid) ? yield* quotasOf(planUuid.value) : none
        const amounts = components.flatMap((component) => {
          const { accountingType, type } = component
          const amount: number | undefined =
            accountingType === "fixed" ? quotas[type] : accountingType === "limit" ? limits[type] : undefined
          return amount === undefined ? [] : [[type, toBackend(component, amount)] as const]
        })
        const ended = Option.filter(projectEndDate, (date) => Date.parse(date) < now)
        return {
          id: ResourceId.make(resource.uuid),
          backendId: Option.getOrElse(resource.backendId, () => ""),
          name: resource.name,
          slug: resource.slug,
          recorded: recordedIn(resource.backendMetadata),
          amounts: Object.fromEntries(amounts),
          standing: standingOf(resource),
          ...(Option.isSome(ended) ? { projectEnded: ended.value } : {})
        } satisfies ExpectedResource
      })
    )
  })

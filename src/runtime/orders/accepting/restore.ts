/**
 * Restore orders: Waldur wants a resource back that it has as ended.
 *
 * What a terminate order of ours has ended is gone, disks and addresses included: there is nothing to restore, and the order is refused in
 * one sentence. What still stands in the backend (ended in Waldur alone, or brought back by the provider, with its owner tag) is taken back
 * into use: released from a pause, machines that were stopped for it started.
 */
import { Effect } from "effect"
import {
  decide,
  type HandlerServices,
  OrderRefused,
  type Outcome,
  type Resource,
  type RestoreRequest,
  type SiteError,
  Standing
} from "../../../core/index.js"
import type { Offering } from "../../offerings/offering.js"

const gone = new OrderRefused({
  customerMessage: "The resource was ended and its data are gone, so it cannot be restored: order a new one."
})

/** How it stands in the backend; a refusal if it does not. */
export const stillThere = (
  { backend }: Pick<Offering, "backend">,
  { backendId, id, recorded = {} }: Pick<Resource, "backendId" | "id" | "recorded">
): Effect.Effect<Standing, SiteError> =>
  Effect.flatMap(backend.observe([{ id, backendId, recorded }]), ([seen]) =>
    seen?._tag === "Present" ? Effect.succeed(seen.standing.standing) : gone
  )

export const restore = (
  offering: Offering,
  { resource }: RestoreRequest
): Effect.Effect<Outcome, SiteError, HandlerServices> =>
  Effect.gen(function* () {
    const standing = yield* decide("look", Standing, stillThere(offering, resource))
    const { upkeep } = offering.backend
    if (standing !== "active" && upkeep !== undefined) yield* upkeep.setStanding(resource, "active")
    return { backendId: resource.backendId }
  })

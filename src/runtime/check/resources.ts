/**
 * Whether the offering's resources are of the kind that this backend makes. Components do not tell: machines may be sold by what data centres are sold by. With the uuid of
 * another backend's offering in the file, each of its orders would be refused, or be about something else of that number.
 */
import { Effect, Option } from "effect"
import type { Backend } from "../../core/backend.js"
import type { SiteError } from "../../core/errors.js"
import { type Observation, ResourceId } from "../../core/index.js"
import type { ProviderResource, WaldurService } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"
import { recordedIn } from "../offerings/recorded.js"
import { type Finding, warning } from "./row.js"

/** So many are looked for: one that is found will do. */
const most = 20

const soughtOf = ({ backendId, backendMetadata, name, slug, uuid }: ProviderResource) =>
  Option.map(backendId, (id) => ({
    id: ResourceId.make(uuid),
    backendId: id,
    name,
    slug,
    recorded: recordedIn(backendMetadata)
  }))

/** A number may lead to somebody else's; a name, by which the Python agent knows data centres, to nothing else. */
const isFound = (seen: Observation | undefined, backendId: string): boolean =>
  seen?._tag === "Present" &&
  (!/^\d+$/.test(backendId) || seen.findings.every(({ kind, mendable }) => kind !== "owner" || mendable))

export const resourceFindings = (
  { id, plugin }: Pick<OfferingConfig, "id" | "plugin">,
  waldur: Pick<WaldurService, "resources">,
  backend: Pick<Backend<unknown>, "observe">
): Effect.Effect<ReadonlyArray<Finding>, SiteError> =>
  Effect.gen(function* () {
    const { items } = yield* waldur.resources({ offering: id, states: ["OK"] })
    const sought = items.flatMap((resource) => Option.toArray(soughtOf(resource))).slice(0, most)
    if (sought.length === 0) return []
    const seen = yield* backend.observe(sought)
    if (sought.some(({ backendId }, at) => isFound(seen[at], backendId))) return []
    return [
      warning(
        "resources",
        `Waldur has resources of this offering as OK, and ${plugin.type} finds none of them (${sought.length} looked for, such as "${sought[0]?.name}"). Is waldur_offering_uuid that of something else, or backend_type another one's? What vanished \`site-actors resources\` shows.`
      )
    ]
  })

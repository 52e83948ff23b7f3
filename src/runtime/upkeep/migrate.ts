/**
 * Takes over what the Python agent made: backend ids that are names become ids, objects without a tag get ours. Decided for all resources
 * first, and printed; then carried out one by one, each under its lease, each step written down. Doing it again does nothing.
 */
import { Array, Effect, Option } from "effect"
import { carryOut, ensureDone, NotYet, type Resolution, ResourceId } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { Journal } from "../journal/journal.js"
import { Reconciliations } from "../observation/reconciliations.js"
import { recordedIn } from "../offerings/recorded.js"
import { counted } from "../progress.js"
import type { Site } from "./sites.js"

export interface MigrationRow {
  readonly site: Site
  readonly resource: Pick<api.ProviderResource, "uuid" | "name" | "slug" | "state">
  /** As it stands in Waldur; empty: it has none. */
  readonly before: string
  /** As it shall be; empty: it could not be found out. */
  readonly after: string
  /** Objects that get the tag, as "network 12 acme_internal". */
  readonly untagged: ReadonlyArray<string>
  /** Why nothing can be done about it. */
  readonly problem?: string
  /** Whether there is anything to do. */
  readonly changes: boolean
}

const states = ["OK", "Erred", "Updating"] as const

/** What would be done, for every resource of the offerings, in Waldur's order. Changes nothing. */
export const planMigration = (sites: ReadonlyArray<Site>) =>
  Effect.gen(function* () {
    const open = new Set<string>((yield* (yield* Journal).openOrders).map(({ resource }) => resource))
    const looking = { what: "looks at offerings", now: ({ name }: Site) => name }
    const rows = yield* counted(sites, looking, (site) =>
      Effect.gen(function* () {
        const { items } = yield* site.waldur.resources({ offering: site.id, states })
        const sought = items.map(soughtOf)
        const named = sought.filter(({ backendId }) => backendId !== "")
        const resolutions = new Map(
          Array.zip(named, yield* site.upkeep.resolve(named)).map(([{ id }, resolution]) => [id, resolution])
        )
        return Array.zip(items, sought).map(([resource, { backendId, id }]) =>
          rowOf(site, resource, backendId, resolutions.get(id), open.has(id))
        )
      })
    )
    return withoutTwins(rows.flat())
  })

export const soughtOf = (resource: api.ProviderResource) => ({
  id: ResourceId.make(resource.uuid),
  name: resource.name,
  slug: resource.slug,
  backendId: Option.getOrElse(resource.backendId, () => "").trim(),
  recorded: recordedIn(resource.backendMetadata)
})

const rowOf = (
  site: Site,
  resource: api.ProviderResource,
  before: string,
  resolution: Resolution | undefined,
  isOpen: boolean
): MigrationRow => {
  const row = { site, resource, before, after: "", untagged: [], changes: false }
  if (resolution === undefined) return { ...row, problem: "it has no backend id" }
  if (resolution._tag === "Unresolved") return { ...row, problem: resolution.problem }
  const { backendId, untagged } = resolution
  const changes = backendId !== before || untagged.length > 0
  const problem =
    changes && (isOpen || resource.state === "Updating")
      ? "an order of it is in work: wait until it has ended"
      : undefined
  return { ...row, after: backendId, untagged, changes, ...(problem === undefined ? {} : { problem }) }
}

/** Two resources cannot be the same object: which of them it is, somebody has to say. */
const withoutTwins = (rows: ReadonlyArray<MigrationRow>): ReadonlyArray<MigrationRow> => {
  const objectOf = ({ after, site }: MigrationRow) => `${site.upkeep.place} ${site.upkeep.removalOrder.at(-1)} ${after}`
  const groups = Array.groupBy(
    rows.filter(({ after }) => after !== ""),
    objectOf
  )
  return rows.map((row) => {
    const twins = row.after === "" ? [] : (groups[objectOf(row)] ?? []).filter((other) => other !== row)
    const [twin] = twins
    return twin === undefined
      ? row
      : {
          ...row,
          problem: `it leads to the same object as ${JSON.stringify(twin.resource.name)} (${twin.resource.uuid})`
        }
  })
}

/** Carries a row out that has changes and no problem. Tags first: an id in Waldur that leads to an untagged object would be worth less. */
export const migrate = ({ after, before, resource, site, untagged }: MigrationRow, owner: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const id = ResourceId.make(resource.uuid)
    const lease = yield* journal.lease(id, owner)
    if ((yield* journal.openOrders).some((order) => order.resource === id)) {
      return yield* new NotYet({ reason: "An order of it is in work: wait until it has ended." })
    }
    const job = yield* Reconciliations.begin(lease, `migrate ${JSON.stringify(before)} to ${after}`)
    const sought = { id, name: resource.name, slug: resource.slug, backendId: after }
    const result = yield* carryOut(
      job,
      Effect.gen(function* () {
        if (untagged.length > 0) yield* site.upkeep.adopt(sought)
        if (after !== before) yield* ensureDone("waldur: backend id", site.waldur.keepBackendId(resource.uuid, after))
      })
    )
    if (result._tag === "Refused") return yield* result.refusal
    yield* job.append("order", "done")
  })

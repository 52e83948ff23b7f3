/**
 * Objects that carry our owner tag although their resource is none any more: what an undo could not remove, what was left behind when
 * somebody set a resource as ended by hand. Listed; removed only by command.
 */
import { Effect, Option, Schema } from "effect"
import { NotYet, type OwnedObject, ResourceId } from "../../core/index.js"
import type { WaldurService } from "../../waldur/service.js"
import { Journal } from "../journal/journal.js"
import { Reconciliations } from "../observation/reconciliations.js"
import { counted } from "../progress.js"
import { soughtOf } from "./migrate.js"
import type { Site } from "./sites.js"

export interface Orphan extends OwnedObject {
  /** An offering in whose place it is, and which can remove it. */
  readonly site: Site
  /**
   * `terminated`: Waldur has the resource as ended. `unknown here`: none of the configured Waldurs knows the resource, but this journal does, as
   * ended. `forgotten`: the same, and the journal does not have it as ended: Waldur may have been put back from a backup, and this be a customer's.
   * `stranger`: neither does; it may belong to another agent on the same front-end.
   */
  readonly why: "terminated" | "unknown here" | "forgotten" | "stranger"
}

const livingStates = ["Creating", "OK", "Erred", "Updating", "Terminating"] as const

/** What the Waldurs say of a resource; the first that knows it counts. */
const stateOf = (servers: ReadonlyArray<WaldurService>, resource: string) =>
  Effect.gen(function* () {
    for (const waldur of servers) {
      const found = yield* waldur.resource(resource).pipe(
        Effect.map((one) => Option.some(one.state)),
        Effect.catchTag("WaldurNotFound", () => Effect.succeedNone)
      )
      if (Option.isSome(found)) return found
    }
    return Option.none()
  })

const isResource = Schema.is(ResourceId)

/**
 * Reads what is tagged, once in each place, and asks every Waldur of the configuration. Objects whose resource lives are no orphans, nor are
 * those of an order that is open in the journal.
 */
export const findOrphans = (sites: ReadonlyArray<Site>) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const keyAt = ({ upkeep }: Site, { id, kind }: OwnedObject) => `${upkeep.place} ${kind} ${id}`
    const found = new Map<string, OwnedObject & { readonly site: Site }>()
    for (const site of sites) {
      for (const object of yield* site.upkeep.owned) {
        const key = keyAt(site, object)
        if (!found.has(key)) found.set(key, { ...object, site })
      }
    }
    const living = yield* Effect.forEach(sites, (site) =>
      Effect.map(site.waldur.resources({ offering: site.id, states: livingStates }), ({ items }) => ({
        site,
        resources: items.map((resource) => soughtOf(resource))
      }))
    )
    const alive = new Set<string>(living.flatMap(({ resources }) => resources.map(({ id }) => id)))
    const open = new Set<string>((yield* journal.openOrders).map(({ resource }) => resource))
    const untaken = [...found.values()].filter(({ resource }) => !alive.has(resource) && !open.has(resource))
    // Where a tenant has written another's tag, it is no orphan.
    const theirs = yield* Effect.forEach(living, ({ resources, site }) => {
      const { belonging, place } = site.upkeep
      const objects = untaken.filter((object) => object.site.upkeep.place === place)
      return belonging === undefined || objects.length === 0
        ? Effect.succeed([])
        : Effect.map(belonging(objects, resources), (own) => own.map((object) => keyAt(site, object)))
    })
    const belonging = new Set(theirs.flat())
    const candidates = untaken.filter((object) => !belonging.has(keyAt(object.site, object)))
    const servers = [...new Map(sites.map(({ waldur }) => [waldur.apiUrl, waldur])).values()]
    const verdict = yield* Effect.cachedFunction((resource: string) =>
      Effect.gen(function* () {
        if (!isResource(resource)) return "stranger" as const
        const state = yield* stateOf(servers, resource)
        if (Option.isSome(state)) return state.value === "Terminated" ? ("terminated" as const) : undefined
        if (!(yield* journal.knows(resource))) return "stranger" as const
        return (yield* journal.hasEnded(resource)) ? ("unknown here" as const) : ("forgotten" as const)
      })
    )
    const judged = yield* counted(candidates, { what: "looks at objects" }, (object) =>
      Effect.map(
        verdict(object.resource),
        (why): ReadonlyArray<Orphan> => (why === undefined ? [] : [{ ...object, why }])
      )
    )
    return judged.flat().toSorted((one, other) => turn(one) - turn(other) || one.id - other.id)
  })

/** What holds others goes after them. */
const turn = ({ kind, site }: Orphan): number => site.upkeep.removalOrder.indexOf(kind)

/** Removes one, under its resource's lease, written down. Refuses what an open order owns. `owner`: who does it, in the lease. */
export const removeOrphan = ({ site, why, ...object }: Orphan, owner: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const what = `${object.kind} ${object.id} ${JSON.stringify(object.name)}`
    if (!isResource(object.resource)) {
      return yield* new NotYet({ reason: `${what} carries no resource's uuid: remove it in OpenNebula.` })
    }
    // First the lease: from here on no order of it begins a step elsewhere. Then the look.
    const lease = yield* journal.lease(object.resource, owner)
    if ((yield* journal.openOrders).some(({ resource }) => resource === object.resource)) {
      return yield* new NotYet({ reason: `${what} belongs to an order that is in work: wait until it has ended.` })
    }
    const log = yield* Reconciliations.begin(lease, `remove orphan ${what} (${why})`)
    yield* log.append("remove", "started")
    yield* site.upkeep.remove(object).pipe(Effect.tapError((error) => log.append("remove", "failed", error.message)))
    yield* log.append("remove", "finished")
    return what
  })

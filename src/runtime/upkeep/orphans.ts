/**
 * Objects that carry our owner tag although their resource is none any more: what an undo could not remove, what was left behind when
 * somebody set a resource as ended by hand. And what is likely to be left over although it says otherwise, or nothing. Listed; removed only by command.
 */
import { Effect, Option, Schema } from "effect"
import { type FailedCreate, NotYet, type OwnedObject, ResourceId, type SiteError } from "../../core/index.js"
import type { WaldurService } from "../../waldur/service.js"
import { Journal } from "../journal/journal.js"
import { Reconciliations } from "../observation/reconciliations.js"
import { Accepted } from "../orders/accepting/request.js"
import { waits } from "../orders/rivals.js"
import { counted } from "../progress.js"
import { soughtOf } from "./migrate.js"
import type { Site } from "./sites.js"

export interface Orphan extends OwnedObject {
  /** An offering in whose place it is, and which can remove it. */
  readonly site: Site
  /**
   * `terminated`: Waldur has the resource as ended. `unknown here`: none of the configured Waldurs knows the resource, but this journal does, as
   * ended. `forgotten`: the same, and the journal does not have it as ended: Waldur may have been put back from a backup, and this be a customer's.
   * `stranger`: neither does; it may belong to another agent on the same front-end. `surplus`: the resource lives, and is another object. `untagged`: it has
   * no tag, and is called as what a create would have made that failed after the journal was lost, or beside another agent; it may be anybody's.
   */
  readonly why: "terminated" | "unknown here" | "forgotten" | "stranger" | "surplus" | "untagged"
}

/** Somebody has to look whose these are: never removed all at once. */
export const isDoubtful = ({ why }: Pick<Orphan, "why">): boolean => why !== "terminated" && why !== "unknown here"

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
        resources: items.map((resource) => soughtOf(resource)),
        // Of one that is only being made or ended, somewhere else, there may be two for a while.
        settled: items.filter(({ state }) => state === "OK" || state === "Erred").map((resource) => soughtOf(resource))
      }))
    )
    const alive = new Set<string>(living.flatMap(({ resources }) => resources.map(({ id }) => id)))
    const open = new Set<string>((yield* journal.openOrders).map(({ resource }) => resource))
    const unworked = [...found.values()].filter(({ resource }) => !open.has(resource))
    type Living = (typeof living)[number]
    /** Those of the objects that an offering at their place names when it is asked: by `keyAt`. */
    const namedBy = (
      objects: typeof unworked,
      ask: (one: Living, here: typeof unworked) => Effect.Effect<ReadonlyArray<OwnedObject>, SiteError> | undefined
    ) =>
      Effect.map(
        Effect.forEach(living, (one) => {
          const here = objects.filter((object) => object.site.upkeep.place === one.site.upkeep.place)
          const named = here.length === 0 ? undefined : ask(one, here)
          return Effect.map(named ?? Effect.succeed([]), (all) => all.map((object) => keyAt(one.site, object)))
        }),
        (keys) => new Set(keys.flat())
      )
    const surplus = yield* namedBy(
      unworked.filter(({ resource }) => alive.has(resource)),
      ({ settled, site }, here) => site.upkeep.surplus?.(here, settled)
    )
    const asked = unworked.filter((object) => !alive.has(object.resource) || surplus.has(keyAt(object.site, object)))
    // Where a tenant has written another's tag, it is no orphan.
    const belonging = yield* namedBy(asked, ({ resources, site }, here) => site.upkeep.belonging?.(here, resources))
    const candidates = asked.filter((object) => !belonging.has(keyAt(object.site, object)))
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
        surplus.has(keyAt(object.site, object)) ? Effect.succeed("surplus" as const) : verdict(object.resource),
        (why): ReadonlyArray<Orphan> => (why === undefined ? [] : [{ ...object, why }])
      )
    )
    const untagged = yield* Effect.forEach(sites, (site) => untaggedAt(site, open))
    return [...judged.flat(), ...untagged.flat()].toSorted((one, other) => turn(one) - turn(other) || one.id - other.id)
  })

/** Creates that erred of which this journal may not know all that was made. */
const failedCreates = (site: Site) =>
  Effect.gen(function* () {
    const erred = yield* (yield* Journal).erredCreates(["restored", waits])
    return erred.flatMap(({ accepted, order }): ReadonlyArray<FailedCreate> => {
      const { offering, request } = Option.getOrElse(acceptedAs(accepted), () => ({ offering: "", request: undefined }))
      return offering === site.id && request !== undefined ? [{ order, resource: request.resource }] : []
    })
  })
const acceptedAs = Schema.decodeUnknownOption(Accepted)

const untaggedAt = (site: Site, open: ReadonlySet<string>) =>
  Effect.gen(function* () {
    const { untagged } = site.upkeep
    if (untagged === undefined) return []
    const creates = (yield* failedCreates(site)).filter(({ resource }) => !open.has(resource.id))
    if (creates.length === 0) return []
    return (yield* untagged(creates)).map((object): Orphan => ({ ...object, site, why: "untagged" }))
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

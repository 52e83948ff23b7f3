/**
 * Where an order was begun: by which backend, at which server. An operator may give its offering others while it is in the middle. What its journal has
 * noted (group 105) means something else there, and what it made would be found gone: so it waits until it is at home again. So does a later order
 * of what was made elsewhere: at its end what stands there would be found gone and go on for good, and what has its number here is somebody else's.
 */
import { Effect, Option, Schema } from "effect"
import {
  type CarriedOut,
  carryOut,
  type JournalEntry,
  NotYet,
  type OrderJournal,
  OrderRefused,
  type Resource,
  type ResourceId,
  refusalIn,
  refuse,
  type SiteError,
  type Upkeep,
  wholeOrder
} from "../../core/index.js"
import { Journal } from "../journal/journal.js"
import { Pauses } from "../journal/pauses.js"
import type { Offering } from "../offerings/offering.js"
import { Accepted } from "./accepting/request.js"
import { cancelledByProvider, cancelledSince, isBegun, isNoted, isOurs } from "./story.js"

const event = "elsewhere"

/** Was its backend or its server another one, when it was last to be carried out? */
export const isElsewhere = (entries: ReadonlyArray<JournalEntry>): boolean => isNoted(entries, event)

/**
 * From when on a wish to end the order counts. Before it was found elsewhere it was wanted undone, which it cannot be there: who wants it given up has to
 * say so once more. `accepted`: when that was.
 */
export const endCountsSince = (entries: ReadonlyArray<JournalEntry>, accepted: number): number =>
  entries.find((entry) => entry.step === wholeOrder && entry.event === event)?.at ?? accepted

type At = Pick<Offering, "backend" | "backendType">
/** All that says where that is. */
export interface Here {
  readonly backendType: string
  readonly backend: { readonly upkeep?: Pick<Upkeep, "place"> }
}

/** What is written down of it when an order is accepted. */
export const homeOf = ({ backend, backendType }: Here): Pick<Accepted, "backend" | "place"> => ({
  backend: backendType,
  ...(backend.upkeep === undefined ? {} : { place: backend.upkeep.place })
})

/** Where the resource was when an order of it was last done, if that was not here. */
export const madeElsewhere = (offering: At, resource: ResourceId) =>
  Effect.gen(function* () {
    const last = yield* (yield* Journal).lastDone(resource)
    const { backend, place } = Option.getOrElse(
      Option.flatMap(last, Schema.decodeUnknownOption(Accepted)),
      (): Pick<Accepted, "backend" | "place"> => ({})
    )
    return isAtHome(offering, { backend, place }) ? {} : { made: { backend, place } }
  })

/** A server may be called otherwise by now: then what carries the resource's tag is there. */
const isTheSame = ({ backend }: At, journal: OrderJournal): Effect.Effect<boolean, SiteError> =>
  Effect.map(backend.upkeep?.owned ?? Effect.succeed([]), (owned) =>
    owned.some(({ resource }) => resource === journal.resource)
  )

/** Is its backend, and its server, still what it was? */
export const isAtHome = (offering: Here, { backend, place }: Pick<Accepted, "backend" | "place">): boolean => {
  const now = homeOf(offering)
  return (backend ?? now.backend) === now.backend && (place ?? now.place) === now.place
}

/** Is the resource here, also without a tag, as what another agent has made? */
const isHere = (
  { backend }: At,
  { id, backendId, name, slug, recorded = {} }: Resource
): Effect.Effect<boolean, SiteError> =>
  Effect.map(
    backend.observe([{ id, backendId, name, slug, recorded }]),
    ([seen]) => seen?._tag === "Present" && seen.findings.every(({ kind, mendable }) => kind !== "owner" || mendable)
  )

/** What is in the way; nothing: it is at home, or has done nothing yet that would have to be found again. */
const inTheWay = (
  offering: At,
  journal: OrderJournal,
  accepted: Accepted
): Effect.Effect<Option.Option<string>, SiteError> =>
  Effect.gen(function* () {
    const now = homeOf(offering)
    const begun = isBegun(yield* journal.entries)
    const known =
      accepted.request === undefined || accepted.request._tag === "Create" ? undefined : accepted.request.resource
    const where = begun ? accepted : (accepted.made ?? accepted)
    if (isAtHome(offering, where) || (!begun && known === undefined)) return Option.none()
    const { backend = now.backend, place = now.place } = where
    const what = begun ? "It was begun" : "Its resource was made"
    if (backend !== now.backend)
      return Option.some(`${what} by the backend ${backend}, and its offering has ${now.backend} now.`)
    if (yield* isTheSame(offering, journal)) return Option.none()
    if (known !== undefined && (yield* isHere(offering, known))) return Option.none()
    return Option.some(
      `${what} at ${place}, and its offering is at ${now.place ?? "another place"} now, where nothing of its resource is found.`
    )
  })

const toDo = (entries: ReadonlyArray<JournalEntry>): string =>
  `Put the offering's old settings back until the order has ended. If what it was ${
    isBegun(entries)
      ? "begun at is gone for good, cancel the order on the page: nothing is touched then, and what it made stays on the list of leftovers."
      : "made at is gone for good, cancel the order on the page, which touches nothing, and have the resource removed in Waldur by its staff."
  }`

/** Fails with what is in the way, unless the order is at home. What it comes to, if somebody has given it up. */
export const atHome = (
  offering: At,
  journal: OrderJournal,
  accepted: Accepted
): Effect.Effect<Option.Option<CarriedOut<void>>, SiteError, Pauses> =>
  Effect.gen(function* () {
    const why = yield* inTheWay(offering, journal, accepted)
    if (Option.isNone(why)) return Option.none()
    // Before that somebody wanted it undone, which it cannot be here.
    if (yield* cancelledSince(event, journal)) return Option.some(yield* leftBehind(journal))
    if (!isElsewhere(yield* journal.entries)) yield* journal.append(wholeOrder, event)
    yield* (yield* Pauses).began(journal.order, why.value)
    return yield* new NotYet({ reason: `${why.value} ${toDo(yield* journal.entries)}` })
  })

/** None of its steps is undone: all of them are left over. */
const leftBehind = (journal: OrderJournal): Effect.Effect<CarriedOut<void>, SiteError> =>
  Effect.gen(function* () {
    if (Option.isNone(refusalIn(yield* journal.entries))) {
      yield* refuse(journal, new OrderRefused({ customerMessage: cancelledByProvider }))
    }
    const result = yield* carryOut(journal, Effect.void)
    if (result._tag === "Done") return result
    const leftovers = result.leftovers
      .filter(({ step }) => !isOurs(step))
      .map(({ step }) => ({ step, reason: "It was done elsewhere: by another backend, or at another server." }))
    return { ...result, leftovers }
  })

/** What an order's entries say of the order as a whole. */
import { Effect, Option, Schema } from "effect"
import { type JournalEntry, type OrderJournal, stepState, wholeOrder } from "../../core/index.js"
import { Accepted } from "./accepting/request.js"
import { Cancellations } from "./cancellations.js"

/** Steps of the runtime's own begin with this. */
export const ours = "waldur: "
/** Is it the runtime's own step, and not the backend's? */
export const isOurs = (step: string): boolean => step === wholeOrder || step.startsWith(ours)
/** Has the backend begun anything of it? */
export const isBegun = (entries: ReadonlyArray<JournalEntry>): boolean => entries.some(({ step }) => !isOurs(step))

/** Was this ever written of the order as a whole? */
export const isNoted = (entries: ReadonlyArray<JournalEntry>, event: string): boolean =>
  entries.some((entry) => entry.step === wholeOrder && entry.event === event)

/** The step in which the provider's approval is given. */
export const approval = `${ours}approve`
/** The step in which Waldur is told what a create will come to (`report/foretold.ts`). */
export const ahead = `${ours}told ahead`
/** Was it approved here? Then it executed. */
export const wasApproved = (entries: ReadonlyArray<JournalEntry>, { approve }: Accepted): boolean =>
  !approve || Option.isSome(stepState(entries, approval).result)

/** Was it quarantined, and now it is tried again: after a release, or by another process? */
export const heldBack = (entries: ReadonlyArray<JournalEntry>): boolean =>
  entries.findLast((entry) => entry.step === wholeOrder && entry.event !== "restored")?.event === "quarantined"

export const stateIn = (entries: ReadonlyArray<JournalEntry>): "new" | "open" | "done" | "erred" => {
  const last = entries.findLast(
    (entry) => entry.step === wholeOrder && ["accepted", "done", "erred"].includes(entry.event)
  )
  return last === undefined ? "new" : last.event === "done" ? "done" : last.event === "erred" ? "erred" : "open"
}

export const acceptedIn = (entries: ReadonlyArray<JournalEntry>): Effect.Effect<Accepted> =>
  Schema.decodeUnknown(Accepted)(
    entries.findLast((entry) => entry.step === wholeOrder && entry.event === "accepted")?.data
  ).pipe(Effect.orDie)

/** For the customer of an order that ends by `cancelledSince` with nothing else to say of it. */
export const cancelledByProvider = "The provider has cancelled the order."

/** Has somebody wanted the order ended since it first came to this event? Where there is nobody to want it, as in a plan: no. */
export const cancelledSince = (event: string, { entries, order }: OrderJournal): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const cancellations = yield* Effect.serviceOption(Cancellations)
    const since = (yield* entries).find((entry) => entry.step === wholeOrder && entry.event === event)
    if (Option.isNone(cancellations) || since === undefined) return false
    return (yield* cancellations.value.of(order, since.at)) !== undefined
  })

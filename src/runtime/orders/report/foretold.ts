/**
 * What Waldur is told of a create while the last of it is still on its way in the cloud (`core/foretelling.ts`): the backend id, the metadata, the limits.
 *
 * It is told in a step of its own, which nothing rests on: what did not come through, or is another in the end, is told when the work is done. Only of an
 * order that this agent has approved, and that executes: before that, a server's background task may overwrite it. If the order fails, it is taken back.
 */
import { isDeepStrictEqual } from "node:util"
import { Deferred, Effect, Option, Schema } from "effect"
import {
  isRestored,
  type OrderJournal,
  type OrderRequest,
  type Outcome,
  type SiteError,
  saying,
  stepState
} from "../../../core/index.js"
import type { Offering } from "../../offerings/offering.js"
import { ifThere } from "../forgotten.js"
import { isApprovedHere } from "../rivals.js"
import { ahead } from "../story.js"
import { unlessRefused } from "./remind.js"
import { ValueName, valuesOf } from "./values.js"

export interface Foretold {
  /** For the handler. */
  readonly foretell: (outcome: Outcome) => Effect.Effect<void>
  /** Does the order execute? Before this is known, nothing is told. */
  readonly executes: (does: boolean) => Effect.Effect<void>
  /** What of the outcome Waldur has been told. */
  readonly told: (outcome: Outcome) => ReadonlySet<ValueName>
  /** Was any of it told by an earlier attempt? Waldur may have been put back since. */
  readonly isOld: boolean
}

const Told = Schema.Array(ValueName)

/** Of one attempt at an order. */
export const makeForetold = (
  offering: Offering,
  journal: OrderJournal,
  request: OrderRequest
): Effect.Effect<Foretold> =>
  Effect.gen(function* () {
    const before = stepState(yield* journal.entries, ahead)
    const earlier = Option.getOrElse(Option.flatMap(before.result, Schema.decodeUnknownOption(Told)), () => [])
    const executing = yield* Deferred.make<boolean>()
    let now: { readonly outcome: Outcome; readonly names: ReadonlyArray<ValueName> } | undefined
    const foretell = (outcome: Outcome): Effect.Effect<void, SiteError> =>
      Effect.gen(function* () {
        const entries = yield* journal.entries
        if (before.begun || request._tag !== "Create" || !isApprovedHere(entries) || isRestored(entries)) return
        if (!(yield* Deferred.await(executing))) return
        const values = valuesOf(offering, journal, request, outcome)
        const names = values.map(({ name }) => name)
        yield* journal.announce(ahead)
        yield* Effect.forEach(values, ({ tell }) => tell, { discard: true })
        now = { outcome, names }
        yield* journal.note(ahead, "finished", names)
      })
    return {
      foretell: (outcome) =>
        Effect.catchAll(foretell(outcome), (error) =>
          Effect.logDebug(`Not told ahead, so it is told at the end: ${error.message}`)
        ).pipe(saying({ step: ahead })),
      executes: (does) => Effect.asVoid(Deferred.succeed(executing, does)),
      told: (outcome) => {
        if (now === undefined) return new Set(earlier)
        const then = now.outcome
        return new Set(now.names.filter((name) => isDeepStrictEqual(valueOf(then, name), valueOf(outcome, name))))
      },
      isOld: earlier.length > 0
    }
  })

/** Secrets are made anew each time: that they were told counts, and not which. */
const valueOf = ({ amounts, backendId, endpoints, metadata }: Outcome, name: ValueName): unknown =>
  ({ "backend id": backendId, limits: amounts, metadata, endpoints })[name]

/**
 * Of an order that has failed: what was told ahead is of something that is gone. Where Waldur has the order as done, somebody else's is the resource's, and
 * all of it is left as it is.
 *
 * Of one that its staff has set to erred Waldur has looked for the backend id in that moment, and not ended the resource as it had one (source:
 * waldur-mastermind, marketplace/handlers.py, `update_resource_when_order_is_rejected_or_erred`). There is no call that ends it but a customer's order.
 */
export const takeBackForetold = (
  { waldur }: Pick<Offering, "waldur">,
  journal: OrderJournal,
  { order, resource }: OrderRequest
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (!stepState(yield* journal.entries, ahead).begun) return
    const now = yield* ifThere({ waldur }, order)
    if (Option.exists(now, ({ state }) => state === "done")) return
    yield* waldur.setBackendMetadata(resource.id, resource.backendMetadata)
    yield* waldur.putBackendId(resource.id, resource.backendId)
    if (Option.exists(now, ({ state }) => state === "erred"))
      yield* Effect.logWarning(
        "Somebody else set the order to erred while its machine booted, so Waldur keeps the resource as Erred, now without a backend id: its customer or Waldur's staff can terminate it"
      )
  }).pipe((telling) => unlessRefused("back what stood there before the order", telling))

/**
 * What is to be done about a resource between orders, done by its actor: under its lease, one thing at a time, each step written down.
 *
 * Level-based: it looks again, and does what follows from what it sees now, not from what the loop saw.
 */
import { Duration, Effect, Option, Schema } from "effect"
import {
  carryOut,
  type ExpectedResource,
  ensureDone,
  LeaseLost,
  Marketplace,
  NotYet,
  OrderId,
  OrderRefused,
  ProjectId,
  type Reservations,
  type Resource,
  type ResourceId,
  type SiteError,
  type Steps
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import type { Lease } from "../journal/lease.js"
import type { Offering } from "../offerings/offering.js"
import { marketplaceOf } from "../orders/marketplace.js"
import { type Action, actionsFor } from "./actions.js"
import { lookAtOne } from "./look.js"
import { Reconciliations } from "./reconciliations.js"
import * as Store from "./store.js"

export const Reconciled = Schema.Literal(
  "done",
  "nothing to do",
  /** It was tried, and did not come right: the list of differences says why. */
  "left",
  /** An order of the resource is in work. */
  "busy",
  /** A server is away, or something passes by itself: the next look comes to it again. */
  "not now"
)
export type Reconciled = typeof Reconciled.Type

/** Fails with what stands in the way for now. */
export const reconcile = (offering: Offering, id: ResourceId, lease: Lease) =>
  Effect.gen(function* () {
    if (yield* offering.health.waits) return "not now" as const
    const looked = yield* lookAtOne(offering, id)
    if (Option.isNone(looked)) return "busy" as const
    const { expected, result, waldur } = looked.value
    const actions = actionsFor(result)
    const outcomes = yield* Effect.forEach(actions, (action) => act(offering, lease, expected, waldur, action))
    if (outcomes.length === 0) return "nothing to do" as const
    return outcomes.every((ok) => ok) ? ("done" as const) : ("left" as const)
  }).pipe(Effect.annotateLogs({ resource: id, offering: offering.name }))

const act = (
  offering: Offering,
  lease: Lease,
  expected: ExpectedResource,
  waldur: api.ProviderResource,
  action: Action
) =>
  Effect.gen(function* () {
    const { id } = expected
    switch (action._tag) {
      case "SetErred": {
        // Remembered first: a crash in between leaves a mark that the next look takes away, and no resource erred for ever.
        yield* Store.setErred(id, true)
        const written = yield* offering.waldur.setAsErred(id, action.sentence)
        yield* Effect.logError(
          written === "written"
            ? "Vanished from the cloud: set as erred in Waldur"
            : "Vanished from the cloud; this Waldur has no call to say so"
        )
        return true
      }
      case "SetOk": {
        // In the actor, as the mark is set: a look whose picture of Waldur is older than the mark must not take it away.
        if (waldur.state === "Erred") {
          yield* offering.waldur.setAsOk(id)
          yield* Effect.logInfo("Back in the cloud: set as OK in Waldur")
        }
        yield* Store.setErred(id, false)
        return true
      }
      case "SetStanding": {
        const { upkeep } = offering.backend
        if (upkeep === undefined) return true
        return yield* job(offering, lease, "standing", action.standing, upkeep.setStanding(expected, action.standing))
      }
      case "Record":
        return yield* job(offering, lease, "record", recordJob(action.metadata), record(offering, id, action.metadata))
      case "Enforce": {
        const { enforce } = offering.backend
        const work =
          enforce?.(expected) ??
          new OrderRefused({ customerMessage: "This backend has no `enforce` for what it found." })
        return yield* job(offering, lease, "enforcement", action.sentence, work)
      }
      case "Repair":
        return yield* job(
          offering,
          lease,
          action.kind,
          `repair ${action.kind}: ${action.sentences.join(" ")}`,
          repair(offering, expected, waldur, action.kind)
        )
    }
  })

const recordJob = (metadata: Readonly<Record<string, unknown>>): string =>
  `${Object.keys(metadata).join(", ")} noted in Waldur's metadata`

/**
 * Waldur's metadata is replaced as a whole, so it is read in the moment before, and what stands there stays. Where nothing does, this server may not show
 * what it has.
 */
const record = ({ waldur }: Offering, id: ResourceId, metadata: Readonly<Record<string, unknown>>) =>
  ensureDone(
    "waldur: metadata",
    Effect.gen(function* () {
      const { backendMetadata: shown } = yield* waldur.resource(id)
      const isLacking = Object.keys(metadata).some((key) => !(key in shown))
      if (isLacking && Object.keys(shown).length > 0) yield* waldur.setBackendMetadata(id, { ...metadata, ...shown })
    })
  )

/** Sizes are put right as an order would set them; for the rest the plugin knows how. */
const repair = (
  { backend, id, pluginOptions }: Offering,
  expected: ExpectedResource,
  waldur: api.ProviderResource,
  kind: (Action & { readonly _tag: "Repair" })["kind"]
): Effect.Effect<unknown, SiteError, Steps | Reservations | Marketplace> =>
  Effect.gen(function* () {
    if (kind !== "quotas" && kind !== "sizes") {
      return yield* backend.upkeep?.repair(expected, kind) ??
        new OrderRefused({ customerMessage: `This backend cannot put ${kind} right.` })
    }
    const resource: Resource = {
      id: expected.id,
      name: expected.name,
      slug: expected.slug,
      offering: id,
      project: ProjectId.make(Option.getOrElse(waldur.projectUuid, () => "0".repeat(32))),
      projectName: waldur.projectName,
      backendId: expected.backendId,
      backendMetadata: {},
      ...(expected.recorded === undefined ? {} : { recorded: expected.recorded })
    }
    return yield* backend.update({
      _tag: "Update",
      order: noOrder,
      resource,
      pluginOptions: yield* pluginOptions,
      attributes: {},
      amounts: expected.amounts,
      change: "limits"
    })
  })

/** Where a handler wants to know its order: none. It is only written into the tags of what an order makes. */
const noOrder = OrderId.make("0".repeat(32))

/** More than the slowest of our own needs: the machines of a whole data centre, stopped eight at a time. */
const longest = Duration.hours(2)

/** The actor does one thing at a time: a plugin that never ends its job must not keep the resource's orders waiting for ever. */
export const bounded = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | NotYet, R> =>
  Effect.timeoutFail(work, {
    duration: longest,
    onTimeout: () =>
      new NotYet({ reason: `It had not ended after ${Duration.toHours(longest)} hours, and was broken off.` })
  })

/** One job, written down. Whether it came right; what did not is kept with the difference and comes again at the next look. */
const job = (
  offering: Offering,
  lease: Lease,
  kind: string,
  what: string,
  work: Effect.Effect<unknown, SiteError, Steps | Reservations | Marketplace>
) =>
  Effect.gen(function* () {
    const journal = yield* Reconciliations.begin(lease, what)
    const result = yield* bounded(carryOut(journal, work)).pipe(
      Effect.provideService(Marketplace, marketplaceOf(offering)),
      Effect.tapError((error) =>
        error instanceof LeaseLost
          ? Effect.void
          : Effect.zipRight(
              journal.append("order", "interrupted", error.message),
              Store.setOutcome(lease.resource, kind, error.message)
            )
      )
    )
    if (result._tag === "Done") {
      yield* journal.append("order", "done")
      yield* Effect.logInfo(`Put right: ${what}`)
      return true
    }
    yield* Store.setOutcome(lease.resource, kind, result.refusal.message)
    yield* Effect.logWarning(`Cannot be put right: ${what}: ${result.refusal.message}`)
    return false
  })

/**
 * What pending orders would lead to: each is carried out against the real servers, of which nothing is changed, and a copy of the
 * journal. So a plan is the product itself at work, and cannot say anything else than what would be done.
 */
import { Cause, Clock, Effect, Exit, Layer, Option, Ref } from "effect"
import {
  makeAlarms,
  type OrderId,
  OrderId as OrderIds,
  type PlannedCall,
  ResourceId,
  rehearsal,
  type SiteError
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { Activities } from "../activity.js"
import { components, type OfferingConfig } from "../config/index.js"
import type { Place } from "../database/place.js"
import { copyOf } from "../journal/copy.js"
import * as Database from "../journal/database.js"
import { Journal, layer as journalLayer } from "../journal/journal.js"
import * as Pauses from "../journal/pauses.js"
import { layer as reservationsLayer } from "../journal/reservations.js"
import { noEarlyReads } from "../offerings/early.js"
import * as Health from "../offerings/health.js"
import type { Offering } from "../offerings/offering.js"
import { allOf, connectWaldur, openBackend } from "../offerings/open.js"
import { attempt } from "../orders/attempt.js"
import { lookOnly, rehearsedWaldur } from "./marketplace.js"

/** `refused`: it would err. `waits`: something has to pass or to be mended first. */
export interface PlannedOrder {
  readonly offering: string
  readonly order: string
  readonly type: string
  readonly resource: string
  readonly state: string
  readonly outcome: "done" | "refused" | "waits" | "nothing to do" | "bug"
  /** Why it waits, or what the bug says. */
  readonly reason?: string
  readonly calls: ReadonlyArray<PlannedCall>
}

const me = "plan"

/** The services that an attempt needs, over a copy of the journal, if there is one. It goes with the scope. */
export const onCopy = (place: Place, there: boolean) =>
  Layer.mergeAll(journalLayer, reservationsLayer, Pauses.layer(me)).pipe(
    Layer.provideMerge(Layer.unwrapScoped(Effect.map(copyOf(place, there), Database.layer))),
    Layer.provideMerge(Activities.layer)
  )

/** An offering of which nothing is changed. What it would change is told. */
const openRehearsed = (config: OfferingConfig, tell: (call: PlannedCall) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    // Its own connections: shared ones would tell whoever opened them first.
    const memoMap = yield* Layer.makeMemoMap
    const real = yield* connectWaldur(config).pipe(lookOnly(config.waldur.apiUrl))
    const inWaldur = yield* real.offering(config.id)
    const known = yield* Effect.mapError(components(config, inWaldur.components), allOf)
    const backend = yield* Effect.locally(openBackend(config, known, memoMap), rehearsal, Option.some(tell))
    const offering: Offering = {
      id: config.id,
      name: config.name,
      openedAt: yield* Clock.currentTimeMillis,
      waldur: rehearsedWaldur(real, tell),
      backend,
      backendType: config.plugin.type,
      health: yield* Health.make(Effect.void, { began: () => Effect.void, ended: Effect.void }),
      deadlines: config.orderDeadlines,
      alarms: yield* makeAlarms,
      drift: config.drift,
      exposesErrorDetails: config.exposesErrorDetails,
      components: known,
      quantities: config.plugin.quantities,
      pluginOptions: Effect.succeed(inWaldur.pluginOptions),
      guardBackendId: () => Effect.void,
      early: noEarlyReads,
      providerCustomer: Option.getOrElse(inWaldur.customerUuid, () => "")
    }
    return offering
  })

const rehearse = (offering: Offering, order: api.Order, calls: Ref.Ref<ReadonlyArray<PlannedCall>>) =>
  Effect.gen(function* () {
    yield* Ref.set(calls, [])
    const id: OrderId = OrderIds.make(order.uuid)
    const exit = yield* Effect.exit(
      Effect.gen(function* () {
        const lease = yield* (yield* Journal).lease(
          ResourceId.make(Option.getOrElse(order.resourceUuid, () => order.uuid)),
          me
        )
        return yield* attempt(offering, id, lease)
      })
    )
    const planned: PlannedOrder = {
      offering: offering.name,
      order: order.uuid,
      type: order.type,
      resource: order.resourceName,
      state: order.state,
      ...outcomeOf(exit),
      calls: yield* Ref.get(calls)
    }
    return planned
  })

const outcomeOf = (
  exit: Exit.Exit<"done" | "erred" | "nothing to do", SiteError>
): Pick<PlannedOrder, "outcome" | "reason"> =>
  Exit.match(exit, {
    onSuccess: (ended) => ({ outcome: ended === "erred" ? "refused" : ended }),
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => ({ outcome: "waits" as const, reason: error.message }),
        onNone: () => ({ outcome: "bug" as const, reason: Cause.pretty(cause).split("\n")[0] ?? "" })
      })
  })

const open: ReadonlyArray<api.OrderState> = ["pending-provider", "executing"]

/**
 * The offering's open orders, oldest first, each as if those before it had been done; or just `only`, whatever its state. Fails with what
 * keeps the offering from being opened.
 */
export const planOffering = (config: OfferingConfig, only: Option.Option<string>) =>
  Effect.gen(function* () {
    const calls = yield* Ref.make<ReadonlyArray<PlannedCall>>([])
    const offering = yield* openRehearsed(config, (call) => Ref.update(calls, (all) => [...all, call]))
    const orders = Option.isSome(only)
      ? yield* oneOrder(offering, only.value)
      : (yield* offering.waldur.orders({ offering: config.id, states: open })).items
    return yield* Effect.forEach(orders, (order) => rehearse(offering, order, calls))
  })

/** None, if it is another offering's: another marketplace's, even. */
const oneOrder = ({ id, waldur }: Offering, order: string) =>
  waldur.order(order).pipe(
    Effect.map((found) => [found].filter(({ offeringUuid }) => Option.contains(offeringUuid, id))),
    Effect.catchTag("WaldurNotFound", () => Effect.succeed([]))
  )

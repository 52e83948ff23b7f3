/** One order: its timeline out of the journal, its calls out of memory, and the next thing that will happen. */
import { SqlClient } from "@effect/sql"
import { Clock, Duration, Effect, Option, Schema } from "effect"
import type { ActionKind, OrderDetail, OrderRow } from "../../api/index.js"
import { type JournalEntry, OrderId, ResourceId, refusalIn, wholeOrder } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import { Bells } from "../actors/bells.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config } from "../config/index.js"
import { unavailable } from "../database/sql.js"
import { storyOf } from "../journal/history.js"
import { sinceAccepted } from "../journal/journal.js"
import { Pauses } from "../journal/pauses.js"
import { Accepted } from "../orders/accepting/request.js"
import { Cancellations } from "../orders/cancellations.js"
import { isBeingTold, limitFor } from "../orders/deadline.js"
import { endCountsSince } from "../orders/home.js"
import { Wakes } from "../orders/wakes.js"
import { Placement } from "../placement/index.js"
import { amountsOf, gateOf, namesOf, openOffering } from "./facts.js"
import { nextOf } from "./next.js"
import { orderRow } from "./orders.js"
import { cancelObjection } from "./previews.js"
import { marksOf, stepsOf } from "./timeline.js"

const isOrderId = Schema.is(OrderId)
const isResourceId = Schema.is(ResourceId)

const acceptedIn = (entries: ReadonlyArray<JournalEntry>) =>
  Option.fromNullable(entries.find(({ event, step }) => step === wholeOrder && event === "accepted")).pipe(
    Option.flatMap(({ data }) => Schema.decodeUnknownOption(Accepted)(data)),
    Option.getOrUndefined
  )

/** What is left of an order, and the order of its resource that goes first. */
const beside = (order: string, resource: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const leftovers = yield* sql<{ readonly step: string; readonly reason: string; readonly since: number }>`
      SELECT step, reason, at AS since FROM leftover WHERE order_id = ${order} ORDER BY at, step`
    const [before] = yield* sql<{ readonly order: string }>`
      SELECT order_id AS "order" FROM known_order WHERE resource_id = ${resource} AND ended IS NULL
        AND seq < (SELECT seq FROM known_order WHERE order_id = ${order}) ORDER BY seq LIMIT 1`
    return { leftovers, before: before?.order }
  }).pipe(unavailable)

/** When it is given up: moves on for as long as it may not be carried out. */
const deadlineOf = (
  config: Config,
  { accepted, offering, order }: Pick<OrderRow, "accepted" | "offering" | "order">,
  request: Accepted["request"],
  now: number
) =>
  Effect.gen(function* () {
    const deadlines = config.offerings.find(({ id }) => id === offering)?.orderDeadlines
    const limit = deadlines === undefined || request === undefined ? Option.none() : limitFor({ deadlines }, request)
    if (Option.isNone(limit)) return null
    const paused = yield* (yield* Pauses).total([offering, order], accepted, now)
    return accepted + Duration.toMillis(limit.value) + paused
  })

/** What is kept in memory of an order: in this process, or in the one of several that has its resource. */
const rememberedOf = (row: OrderRow, order: OrderId) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder
    const own = { ...recorder.callsOf(order), restsUntil: yield* (yield* Wakes).restsUntil(order) }
    const began = (known: { readonly began: number; readonly missing: boolean }) =>
      known.missing || row.accepted < known.began
    if (!(yield* Placement).several || !isResourceId(row.resource)) {
      return { ...own, callsMissing: began({ ...own, began: recorder.began }) }
    }
    const there = yield* (yield* Bells).remembers(row.resource, order)
    if (there === undefined) return { ...own, callsMissing: true }
    const sql = yield* SqlClient.SqlClient
    const [leases] = yield* unavailable(sql<{ readonly count: number }>`
      SELECT count(DISTINCT epoch) AS count FROM journal WHERE order_id = ${order} AND at >= ${row.accepted}`)
    return {
      calls: there.calls,
      // Where it was before, its calls are not asked for.
      callsMissing: began(there) || (leases?.count ?? 0) > 1,
      restsUntil: there.restsUntil ?? undefined
    }
  })

/** `undefined`: the journal does not know it. */
export const orderDetail = (config: Config, order: string) =>
  Effect.gen(function* () {
    const row = yield* orderRow(namesOf(config), order)
    if (row === undefined || !isOrderId(order)) return undefined
    const now = yield* Clock.currentTimeMillis
    const story = yield* storyOf(order)
    const entries = sinceAccepted(story)
    const accepted = acceptedIn(entries)
    const { calls, callsMissing, restsUntil } = yield* rememberedOf(row, order)
    const own = calls.filter(({ at }) => at >= row.accepted - 1_000)
    const steps = stepsOf(entries, own, row.ended)
    const { before, leftovers } = yield* beside(order, row.resource)
    const held = (yield* (yield* Quarantine).all).some((one) => one.order === order)
    const refusal = Option.getOrUndefined(refusalIn(entries))
    const cancellations = yield* Cancellations
    const cancellation = yield* cancellations.of(order, row.accepted)
    const isCancelled = (yield* cancellations.of(order, endCountsSince(entries, row.accepted))) !== undefined
    const isOpen = row.ended === null
    // Of steps that go on side by side, one may have ended after the other broke off: the journal's last word is not that it rests.
    const state = row.state === "executing" && restsUntil !== undefined ? "waits" : row.state
    const offering = yield* openOffering(row.offering)
    const detail: OrderDetail = {
      ...row,
      state,
      now,
      amounts: amountsOf(
        offering?.components ?? [],
        accepted?.request !== undefined && "amounts" in accepted.request ? accepted.request.amounts : {}
      ),
      deadline:
        isOpen && refusal === undefined && !isBeingTold(entries)
          ? yield* deadlineOf(config, row, accepted?.request, now)
          : null,
      next: nextOf({
        state,
        steps,
        leftovers: leftovers.length,
        held,
        gate: isOpen ? yield* gateOf(config, row.offering) : undefined,
        restsUntil,
        before,
        cancelled: isCancelled
      }),
      refusal:
        refusal === undefined ? null : { customerMessage: refusal.customerMessage, detail: refusal.detail ?? "" },
      earlierRounds: Math.max(
        0,
        story.filter(({ event, step }) => step === wholeOrder && event === "accepted").length - 1
      ),
      steps,
      marks: [
        ...marksOf(entries),
        ...(cancellation === undefined
          ? []
          : [
              {
                at: cancellation.at,
                event: "cancel",
                text: `by ${cancellation.who}${cancellation.reason === "" ? "" : `: ${cancellation.reason}`}`
              }
            ])
      ].toSorted((one, other) => one.at - other.at),
      calls: own,
      callsMissing,
      leftovers,
      actions: actionsFor(
        state,
        leftovers.length,
        isOpen && !isCancelled && cancelObjection(entries) === undefined,
        held
      )
    }
    return detail
  })

const actionsFor = (
  state: OrderDetail["state"],
  leftovers: number,
  cancellable: boolean,
  held: boolean
): ReadonlyArray<ActionKind> => [
  ...(state === "erred" || state === "waits" ? (["retry"] as const) : []),
  ...(held ? (["release"] as const) : []),
  ...(cancellable && !held ? (["cancel"] as const) : []),
  ...(leftovers > 0 ? (["remove-leftovers", "forget-leftover"] as const) : [])
]

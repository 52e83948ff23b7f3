/** One look at all resources of an offering: both sides read once, compared, written down. Changes nothing. */
import type { SqlClient } from "@effect/sql"
import { Array, Clock, Effect, Option } from "effect"
import {
  differences,
  type ExpectedResource,
  type Observation,
  type ResourceId,
  type SiteError,
  sameDifference
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { Journal } from "../journal/journal.js"
import type { Offering } from "../offerings/offering.js"
import { actionsFor, type Looked, policyFor } from "./actions.js"
import { expectedOf } from "./expected.js"
import * as Store from "./store.js"

/** Resources that an order of is in work: whatever differs now may be the order's own doing. */
const busy = Effect.map(
  Effect.flatMap(Journal, (journal) => journal.openOrders),
  (orders): ReadonlySet<string> => new Set(orders.map(({ resource }) => resource))
)

/**
 * Waldur's states in which a resource is supposed to be as Waldur says. Newer servers call it Updating or Terminating from the moment an order
 * is placed (source: waldur-mastermind, marketplace/handlers.py), which may then wait for somebody's approval for weeks: until this agent has
 * taken that order on, nothing of the resource changes, nor may it be left alone, as when it is paused meanwhile.
 */
const settledStates = ["OK", "Erred", "Updating", "Terminating"] as const
export const isSettled = ({ state }: Pick<api.ProviderResource, "state">): boolean =>
  settledStates.some((one) => one === state)

interface Pair {
  readonly waldur: api.ProviderResource
  readonly expected: ExpectedResource
  readonly observation: Observation
}

/** Both sides of these resources. Those of which the backend says nothing are left out. */
const readBoth = (
  offering: Offering,
  resources: ReadonlyArray<api.ProviderResource>
): Effect.Effect<ReadonlyArray<Pair>, SiteError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const offered = yield* Store.offered(offering.id)
    const expected = (yield* expectedOf(offering, resources, yield* Clock.currentTimeMillis)).map((one) =>
      offered.has(one.backendId) ? { ...one, offered: true } : one
    )
    const found = new Map((yield* offering.backend.observe(expected)).map((one) => [one.resource, one]))
    return Array.zip(resources, expected).flatMap(([waldur, wanted]) => {
      const observation = found.get(wanted.id)
      return observation === undefined ? [] : [{ waldur, expected: wanted, observation }]
    })
  })

/** What is to be said of one resource, with what was known of it before. */
const looked = (offering: Offering, { waldur, expected, observation }: Pair, before: Option.Option<Store.Observed>) =>
  Effect.gen(function* () {
    const found = differences(expected, observation, offering.components)
    const misses =
      observation._tag === "Missing" ? Option.match(before, { onNone: () => 0, onSome: ({ misses }) => misses }) + 1 : 0
    const record = {
      resource: expected.id,
      offering: offering.id,
      name: expected.name,
      backendId: expected.backendId,
      marketplaceState: waldur.state,
      state: observation._tag === "Present" ? observation.state : observation._tag.toLowerCase(),
      healthy: observation._tag === "Present" && observation.healthy,
      standing: expected.standing,
      facts: observation._tag === "Present" ? observation.facts : {},
      at: yield* Clock.currentTimeMillis,
      misses
    }
    const result: Looked = {
      observation,
      standing: expected.standing,
      differences: found.map((difference) => ({
        ...difference,
        policy: policyFor(difference, offering.drift, expected.offered === true)
      })),
      record: { ...record, erred: Option.exists(before, ({ erred }) => erred) }
    }
    return { expected, record, result }
  })

/** One resource, looked at by its own actor, just before something is done about it. None: an order of it is in work. */
export const lookAtOne = (offering: Offering, id: ResourceId) =>
  Effect.gen(function* () {
    const waldur = yield* offering.waldur.resource(id)
    if (!isSettled(waldur) || (yield* busy).has(id)) return Option.none()
    const [pair] = yield* readBoth(offering, [waldur])
    if (pair === undefined) return Option.none()
    const one = yield* looked(offering, pair, yield* Store.one(id))
    return Option.some({ ...one, waldur })
  })

/**
 * All resources of the offering. What came anew and what is gone is logged once. Returns the resources about which something is to be
 * done, those of which something is only to be noted in Waldur, and those that are there.
 */
export const lookAtAll = (offering: Offering) =>
  Effect.gen(function* () {
    const { items, malformed } = yield* offering.waldur.resources({
      offering: offering.id,
      states: settledStates
    })
    const wanted = items.filter((resource) => isSettled(resource) && Option.isSome(resource.backendId))
    const busyBefore = yield* busy
    const pairs = yield* readBoth(offering, wanted)
    // An order may have begun, or ended, while the backend was read.
    const busyAfter = yield* busy
    const known = new Map((yield* Store.all(offering.id)).map((row) => [row.resource, row]))
    const results = yield* Effect.forEach(
      pairs.filter(({ expected: { id } }) => !busyBefore.has(id) && !busyAfter.has(id)),
      (pair) => looked(offering, pair, Option.fromNullable(known.get(pair.expected.id)))
    )
    yield* Store.keep(results.map(({ record }) => record))
    const listed = new Set(items.map(({ uuid }) => uuid))
    // What cannot be read is not gone.
    if (malformed.length === 0) yield* Store.forget([...known.keys()].filter((id) => !listed.has(id)))
    yield* compareWithBefore(offering, results)
    const due = results.map(({ expected: { id }, result }) => ({ id, actions: actionsFor(result) }))
    const isUrgent = ({ actions }: (typeof due)[number]) => actions.some(({ _tag }) => _tag !== "Record")
    return {
      toDo: due.filter(isUrgent).map(({ id }) => id),
      toRecord: due.filter((one) => one.actions.length > 0 && !isUrgent(one)).map(({ id }) => id),
      present: results.filter(({ result }) => result.observation._tag === "Present").map(({ expected }) => expected.id)
    }
  }).pipe(
    Effect.withSpan("observation", { root: true, captureStackTrace: false, attributes: { offering: offering.id } })
  )

type Results = ReadonlyArray<Effect.Effect.Success<ReturnType<typeof looked>>>

const compareWithBefore = (offering: Offering, results: Results) =>
  Effect.gen(function* () {
    const since = yield* Clock.currentTimeMillis
    const before = Array.groupBy(yield* Store.differences(offering.id), ({ resource }) => resource)
    const now = results.flatMap(({ expected, result }) =>
      result.differences.map((difference) => ({ ...difference, resource: expected.id, name: expected.name, since }))
    )
    const nowOf = Array.groupBy(now, ({ resource }) => resource)
    const fresh = now.filter((one) => !(before[one.resource] ?? []).some((other) => sameDifference(one, other)))
    const gone = results.flatMap(({ expected }) =>
      (before[expected.id] ?? [])
        .filter((one) => !(nowOf[expected.id] ?? []).some((other) => sameDifference(one, other)))
        .map((one) => ({ ...one, name: expected.name }))
    )
    yield* Store.addDifferences(now)
    yield* Store.removeDifferences(gone)
    yield* Effect.forEach(
      fresh,
      ({ name, policy, resource, sentence }) =>
        Effect.logWarning(
          `Differs: ${JSON.stringify(name)}: ${sentence}${policy === "repair" ? " It is put right." : ""}`
        ).pipe(Effect.annotateLogs({ resource })),
      { discard: true }
    )
    yield* Effect.forEach(
      gone,
      ({ name, resource, sentence }) =>
        Effect.logInfo(`Differs no more: ${JSON.stringify(name)}: ${sentence}`).pipe(Effect.annotateLogs({ resource })),
      { discard: true }
    )
  })

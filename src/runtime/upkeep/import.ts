/**
 * Answers Waldur's requests for importable resources: offers what is in the backend and nobody's. What is then imported appears as a
 * resource with that backend id, and is adopted at the next look (`observation`).
 */
import { Clock, Duration, Effect, Option, Queue, Random } from "effect"
import type { SiteError } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import * as Store from "../observation/store.js"
import type { Offering } from "../offerings/offering.js"
import { importEvery } from "../schedules.js"

/** `Processing`: begun by an agent that did not come to its end. */
const isWaiting = ({ state }: api.ImportRequest): boolean => /^(sent|created|processing)$/i.test(state)

/** What is neither on offer yet, nor a resource already. */
const answer = (offering: Offering, request: api.ImportRequest) =>
  Effect.gen(function* () {
    const { backend, id, waldur } = offering
    yield* waldur.imports.start(request.uuid)
    const importable = yield* backend.upkeep?.importable ?? Effect.succeed([])
    const offered = new Set((yield* waldur.imports.offered(id)).items.map(({ backendId }) => backendId))
    const { items } = yield* waldur.resources({ offering: id })
    const taken = new Set(
      items.flatMap(({ backendId, state }) => (state === "Terminated" ? [] : Option.toArray(backendId)))
    )
    const fresh = importable.filter(({ backendId, name }) => !taken.has(backendId) && !taken.has(name))
    // Remembered first: what appears in Waldur with such an id is then known to come from here.
    yield* Store.offer(
      id,
      fresh.map(({ backendId }) => backendId),
      yield* Clock.currentTimeMillis
    )
    const due = fresh.filter(({ backendId }) => !offered.has(backendId))
    yield* Effect.forEach(
      due,
      (one, index) =>
        Effect.zipRight(
          waldur.imports.offer({ ...one, offering: id }),
          Effect.logInfo(`Offered ${index + 1} of ${due.length} objects for import so far`).pipe(
            Effect.when(() => (index + 1) % 100 === 0)
          )
        ),
      { discard: true }
    )
    yield* waldur.imports.finish(request.uuid)
    yield* Effect.logInfo(`Offered ${fresh.length} object(s) for import`)
  }).pipe(
    Effect.catchIf(
      (error) => error.disposition === "fail-order",
      (error: SiteError) =>
        Effect.zipRight(
          Effect.logWarning(`A request for importable resources failed: ${error.message}`),
          offering.waldur.imports.fail(
            request.uuid,
            error.customerMessage ?? "The importable resources could not be read."
          )
        )
    )
  )

/** False: this Waldur knows no imports. */
const look = (offering: Offering) =>
  Effect.gen(function* () {
    if (yield* offering.health.waits) return true
    const requests = yield* offering.waldur.imports.requests(offering.id)
    if (requests === "unsupported") {
      yield* Effect.logWarning("This Waldur knows no imports: resource_import_enabled has no effect.")
      return false
    }
    yield* Effect.forEach(requests.items.filter(isWaiting), (request) => answer(offering, request), { discard: true })
    return true
  }).pipe(
    Effect.catchAll((error) =>
      Effect.as(Effect.logWarning(`Requests to import cannot be answered: ${error.message}`), true)
    )
  )

/** Looks at once when something is in `wakes`. Ends only with the offering, or with a Waldur that knows no imports. */
export const watchImports = (offering: Offering, pollInterval: Duration.DurationInput, wakes: Queue.Dequeue<void>) =>
  Effect.gen(function* () {
    const rest = Effect.flatMap(Random.nextRange(0.8, 1.2), (factor) =>
      Effect.sleep(Duration.times(pollInterval, importEvery * factor))
    )
    const next = Effect.raceFirst(rest, Queue.take(wakes))
    yield* Effect.repeat(Effect.zipRight(next, look(offering)), { while: (goesOn) => goesOn })
  }).pipe(Effect.annotateLogs({ offering: offering.name }))

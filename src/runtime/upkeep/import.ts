/**
 * Answers Waldur's requests for importable resources: offers what is in the backend and nobody's. What is then imported appears as a
 * resource with that backend id, and is adopted at the next look (`observation`).
 */
import { Clock, Duration, Effect, Option, Queue, Random } from "effect"
import { type Amounts, amountsToWaldur, countOf, type Importable, type SiteError } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { uuidOf } from "../../waldur/index.js"
import * as Store from "../observation/store.js"
import type { Offering } from "../offerings/offering.js"
import { counted } from "../progress.js"
import { importEvery } from "../schedules.js"

/** `Processing`: begun by an agent that did not come to its end. */
const isWaiting = ({ state }: api.ImportRequest): boolean => /^(sent|created|processing)$/i.test(state)

/** The uuids of the projects in which objects would become resources; `undefined` where nobody says. */
const withProjects = ({ waldur }: Offering, objects: ReadonlyArray<Importable>) =>
  Effect.gen(function* () {
    // Many machines lie in one data centre.
    const ofResource = yield* Effect.cachedFunction((uuid: string) =>
      waldur.resource(uuid).pipe(
        Effect.map(({ projectUuid }) => Option.getOrUndefined(projectUuid)),
        Effect.catchTag("WaldurNotFound", () => Effect.succeed(undefined))
      )
    )
    return yield* counted(objects, { what: "looks for the projects of objects" }, (one) => {
      const written = Option.getOrUndefined(uuidOf(one.project ?? ""))
      const [around] = Option.toArray(uuidOf(one.within ?? ""))
      return written !== undefined || around === undefined
        ? Effect.succeed({ one, project: written })
        : Effect.map(ofResource(around), (project) => ({ one, project }))
    })
  })

/** Waldur makes the `limits` that stand in an object's metadata the imported resource's; without any, nobody would know its size. */
const withLimits = ({ components }: Offering, { amounts, metadata }: Pick<Importable, "amounts" | "metadata">) => {
  const limited = components.filter(({ accountingType }) => accountingType === "limit")
  const limits: Amounts = amountsToWaldur(limited, amounts ?? {})
  return Object.keys(limits).length === 0 ? metadata : { ...metadata, limits }
}

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
    const free = importable.filter(({ backendId, name }) => !taken.has(backendId) && !taken.has(name))
    const known = yield* withProjects(offering, free)
    const fresh = known.flatMap(({ one, project }) => (project === undefined ? [] : [{ ...one, project }]))
    for (const { one, project } of known) {
      if (project !== undefined) continue
      yield* Effect.logWarning(
        `${JSON.stringify(one.name)} (${one.backendId}) is not offered, as it is of no known project: ${one.hint}`
      )
    }
    // Remembered first: what appears in Waldur with such an id is then known to come from here.
    yield* Store.offer(
      id,
      fresh.map(({ backendId }) => backendId),
      yield* Clock.currentTimeMillis
    )
    const due = fresh.filter(({ backendId }) => !offered.has(backendId))
    const numbered = [...due.entries()]
    const offers = { what: "offers objects for import", now: ([, { name }]: (typeof numbered)[number]) => name }
    const taking = yield* counted(numbered, offers, ([index, object]) => {
      const { backendId, name, project } = object
      const metadata = withLimits(offering, object)
      return waldur.imports.offer({ offering: id, name, backendId, project, metadata }).pipe(
        Effect.as(true),
        // Such as a project that there is not (any more): it holds up no other object.
        Effect.catchTag("WaldurInvalid", ({ message }) =>
          Effect.as(Effect.logWarning(`${JSON.stringify(name)} (${backendId}) is not offered: ${message}`), false)
        ),
        Effect.zipLeft(
          Effect.when(
            Effect.logInfo(`Offered ${index + 1} of ${due.length} objects for import so far`),
            () => (index + 1) % 100 === 0
          )
        )
      )
    })
    yield* waldur.imports.finish(request.uuid)
    yield* Effect.logInfo(
      `Offered ${countOf(fresh.length - taking.filter((taken) => !taken).length, "object")} for import`
    )
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

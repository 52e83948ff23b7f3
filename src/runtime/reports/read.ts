/** What a report reads: the offering's resources in Waldur, and their usage in the backend, in one look for all of them. */
import { Effect, Either, Option } from "effect"
import { type KnownResource, ResourceId, type SiteError, type Usage } from "../../core/index.js"
import type { ReportedResource, WaldurError } from "../../waldur/index.js"
import { recordedIn } from "../offerings/recorded.js"
import type { Measured, Reporter } from "./measured.js"
import type { ToldRow } from "./memory.js"
import type { BillingPeriod } from "./periods.js"

/** A resource that is reported. */
export interface Subject {
  readonly resource: KnownResource
  readonly name: string
  /** It is no more: only the hours that it had until its end are left to tell. */
  readonly ended: boolean
}

const subjectOf = (resource: ReportedResource, ended: boolean): Subject => ({
  resource: {
    id: ResourceId.make(resource.uuid),
    backendId: Option.getOrElse(resource.backendId, () => ""),
    recorded: recordedIn(resource.backendMetadata)
  },
  name: resource.name,
  ended
})

export interface Subjects {
  readonly subjects: ReadonlyArray<Subject>
  readonly notices: ReadonlyArray<string>
}

/** Living resources, and those that have ended since they were last told of, as far as hours are told of them. */
export const subjectsOf = (
  { waldur, id }: Reporter,
  told: ReadonlyArray<ToldRow>,
  measured: Measured
): Effect.Effect<Subjects, WaldurError> =>
  Effect.gen(function* () {
    const { items, malformed } = yield* waldur.reportedResources({
      offering: id,
      states: ["OK", "Erred", "Updating", "Terminating"]
    })
    const living = new Set<string>(items.map(({ uuid }) => uuid))
    const missing = new Set(
      told
        .filter((row) => !row.final && measured.growing.has(row.component) && !living.has(row.resource))
        .map((row) => row.resource)
    )
    const ended = yield* Effect.forEach(
      missing,
      (uuid) =>
        waldur.resource(uuid).pipe(
          Effect.map((resource) => (resource.state === "Terminated" ? [subjectOf(resource, true)] : [])),
          // It is looked for again at the next report.
          Effect.catchTag("WaldurNotFound", "WaldurForbidden", "WaldurMalformedAnswer", () => Effect.succeed([]))
        ),
      { concurrency: 4 }
    )
    return {
      subjects: [...items.map((resource) => subjectOf(resource, false)), ...ended.flat()],
      notices: malformed.map(
        ({ uuid, reason }) =>
          `Waldur's resource ${Option.getOrElse(uuid, () => "without a uuid")} cannot be read, so it is not reported: ${reason}.`
      )
    }
  })

/** Resources that an order is ending, as long as Waldur has them for it. */
export const endingSubjects = (
  { waldur }: Reporter,
  resources: ReadonlyArray<ResourceId>
): Effect.Effect<Subjects, WaldurError> =>
  Effect.map(
    Effect.forEach(
      resources,
      (uuid) =>
        waldur.resource(uuid).pipe(
          Effect.map((resource) => [subjectOf(resource, true)]),
          Effect.catchTag("WaldurNotFound", () => Effect.succeed([]))
        ),
      { concurrency: 4 }
    ),
    (subjects) => ({ subjects: subjects.flat(), notices: [] })
  )

export interface Usages {
  readonly current: (subject: Subject) => Usage | undefined
  readonly accounted: (subject: Subject, period: BillingPeriod) => Usage | undefined
  /** What kept something from being read. */
  readonly failure: SiteError | undefined
}

type ById = ReadonlyMap<ResourceId, Usage>

/** What one look gave. A look that failed says of each resource why nothing is known of it. */
const keyed = (subjects: ReadonlyArray<Subject>, found: Either.Either<ReadonlyArray<Usage>, SiteError>): ById =>
  new Map(
    Either.match(found, {
      onRight: (usages) => usages.map((usage) => [usage.resource, usage] as const),
      onLeft: ({ message }) =>
        subjects.map(({ resource: { id } }) => [id, { resource: id, amounts: {}, problem: message }] as const)
    })
  )

export const readUsages = (
  { backend, pluginOptions }: Reporter,
  subjects: ReadonlyArray<Subject>,
  periods: ReadonlyArray<BillingPeriod>,
  measured: Measured
): Effect.Effect<Usages> =>
  Effect.gen(function* () {
    const known = subjects.filter(({ resource }) => resource.backendId.trim() !== "")
    const resources = known.map(({ resource }) => resource)
    const alive = known.filter(({ ended }) => !ended).map(({ resource }) => resource)
    const nothing: ReadonlyArray<Usage> = []
    const accounts: Effect.Effect<ReadonlyArray<ReadonlyArray<Usage>>, SiteError> = measured.period.length === 0 ||
    resources.length === 0 ||
    backend.accounting === undefined
      ? Effect.succeed([])
      : backend.accounting(resources, periods)
    const { current, accounted } = yield* Effect.all(
      {
        current: Effect.either(
          measured.now.length === 0 || alive.length === 0
            ? Effect.succeed(nothing)
            : Effect.flatMap(pluginOptions, (options) => backend.usage(alive, options))
        ),
        accounted: Effect.either(accounts)
      },
      { concurrency: "unbounded" }
    )
    const now = keyed(known, current)
    const spans = new Map(
      periods.map((period, index) => [
        period.key,
        keyed(
          known,
          Either.map(accounted, (all) => all[index] ?? nothing)
        )
      ])
    )
    const unnamed = ({ resource }: Subject): Usage | undefined =>
      resource.backendId.trim() === ""
        ? { resource: resource.id, amounts: {}, problem: "Waldur has no backend id of it." }
        : undefined
    return {
      current: (subject) => unnamed(subject) ?? now.get(subject.resource.id),
      accounted: (subject, { key }) => unnamed(subject) ?? spans.get(key)?.get(subject.resource.id),
      failure: Either.isLeft(current) ? current.left : Either.isLeft(accounted) ? accounted.left : undefined
    }
  })

/** Tells Waldur of one resource's figures of one billing period: what has changed, once. */
import { Effect, Ref } from "effect"
import type { JournalUnavailable, SiteError } from "../../core/index.js"
import type { WaldurError } from "../../waldur/index.js"
import type { Heard } from "./heard.js"
import type { Measured, Reporter } from "./measured.js"
import type { ToldRow, UsageMemory } from "./memory.js"
import { isUnheard, type Part } from "./part.js"
import { type Told, type Verdict, verdictsOn } from "./verdicts.js"

export type Outcome = "sent" | "would be sent" | "unchanged" | "left out" | "refused" | "not read" | "failed"

/** One line of a report. */
export interface ReportRow {
  readonly resource: string
  readonly resourceName: string
  /** YYYY-MM-01 */
  readonly period: string
  readonly component: string
  /** Waldur's. */
  readonly unit: string
  /** In Waldur's units; absent if it could not be read. */
  readonly amount?: number
  readonly outcome: Outcome
  /** Why, where there is something to say. */
  readonly detail: string
}

export interface Teller {
  readonly offering: Reporter
  readonly memory: UsageMemory["Type"]
  readonly measured: Measured
  readonly omitAnomalous: boolean
  /** Send nothing and remember nothing. */
  readonly dryRun: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  /** What Waldur has of a resource in a period (`heard.ts`). */
  readonly heard: Heard
  /** Components that are billed by plan and of which Waldur takes no usage, as far as it is known by now. */
  readonly untaken: Ref.Ref<ReadonlySet<string>>
}

export interface Result {
  readonly rows: ReadonlyArray<ReportRow>
  readonly failure: SiteError | undefined
}

type Answer =
  | { readonly _tag: "Taken" }
  | { readonly _tag: "Refused"; readonly reason: string }
  | { readonly _tag: "Failed"; readonly error: WaldurError }

type Change = Extract<Verdict, { readonly _tag: "Send" }>

/** Of ten thousand resources most have nothing new to tell: those cost no fiber. `concurrency`: how many Waldur is told of at once. */
export const tellAll = (
  teller: Teller,
  parts: ReadonlyArray<Part>,
  concurrency: number
): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.gen(function* () {
    const untaken = yield* Ref.get(teller.untaken)
    const settled = new Map(
      parts.flatMap((part) => {
        const result = withoutCalls(teller, lessUntaken(part, untaken))
        return result === undefined ? [] : [[part, result] as const]
      })
    )
    const others = parts.filter((part) => !settled.has(part))
    const told = yield* Effect.forEach(others, (part) => tell(teller, part), { concurrency })
    for (const [at, part] of others.entries()) {
      const result = told[at]
      if (result !== undefined) settled.set(part, result)
    }
    return parts.flatMap((part) => settled.get(part) ?? [])
  })

const judged = (
  { measured, now, omitAnomalous }: Teller,
  part: Part,
  told: ReadonlyMap<string, Told>
): ReadonlyArray<Verdict> => verdictsOn(part.figures, told, { growing: measured.growing, omitAnomalous, now })

/** Without figures that Waldur will not take. */
export const lessUntaken = (part: Part, untaken: ReadonlySet<string>): Part =>
  untaken.size === 0 ? part : { ...part, figures: part.figures.filter(({ component }) => !untaken.has(component)) }

/** What becomes of a part of which Waldur need not be asked or told, and nothing be remembered; nothing if it is no such part. */
const withoutCalls = (teller: Teller, part: Part): Result | undefined => {
  const told = isUnheard(part) ? teller.heard.known(part.subject.resource.id, part.period.key) : part.told
  if (told === undefined) return undefined
  const verdicts = judged(teller, part, told)
  const isSaid =
    !part.subject.ended &&
    (told.size === 0 || told === part.told) &&
    verdicts.every((verdict) => verdict._tag !== "Send")
  if (!teller.dryRun && !isSaid) return undefined
  return { failure: undefined, rows: verdicts.map((verdict) => rowOf(teller, part, verdict, undefined)) }
}

const tell = (teller: Teller, whole: Part): Effect.Effect<Result> =>
  Effect.gen(function* () {
    const untaken = yield* Ref.get(teller.untaken)
    const part = lessUntaken(whole, untaken)
    const told = yield* toldSoFar(teller, part)
    const verdicts = judged(teller, part, told)
    const changes = verdicts.filter((verdict) => verdict._tag === "Send")
    const answers = teller.dryRun ? new Map<string, Answer>() : yield* send(teller.offering, part, changes)
    const refused = [...answers].flatMap(([component, answer]) =>
      isUntaken(teller, component, answer) ? [component] : []
    )
    yield* Ref.update(teller.untaken, (known) => new Set([...known, ...refused]))
    const failure = [...answers.values()].flatMap((answer) => (answer._tag === "Failed" ? [answer.error] : []))[0]
    if (!teller.dryRun) yield* remember(teller, part, told, changes, answers, failure !== undefined)
    return { failure, rows: verdicts.map((verdict) => rowOf(teller, part, verdict, answers.get(verdict.component))) }
  }).pipe(
    Effect.catchAll((error) =>
      Effect.succeed({
        failure: error,
        rows: whole.figures.map((figure) => rowWith(teller, whole, figure, "failed", error.message))
      })
    )
  )

/** Waldur (2021 to today): "These components are invalid: vcpu." of what is billed by plan. */
const isUntaken = ({ measured }: Teller, component: string, answer: Answer): boolean =>
  measured.fixed.has(component) && answer._tag === "Refused" && /component.*invalid/i.test(answer.reason)

/** As it is remembered; without a memory, as Waldur has it: what another agent has told need not be told again. */
const toldSoFar = (
  { heard }: Teller,
  { subject, period, figures, told }: Part
): Effect.Effect<ReadonlyMap<string, Told>, WaldurError> =>
  isUnheard({ figures, told }) ? heard.ask(subject.resource.id, period.key) : Effect.succeed(told)

/** In one call. If Waldur will not take it, each on its own: one component that it refuses must not hold up the others. */
const send = (
  offering: Reporter,
  part: Part,
  changes: ReadonlyArray<Change>
): Effect.Effect<ReadonlyMap<string, Answer>> => {
  if (changes.length === 0) return Effect.succeed(new Map())
  const all = (answer: Answer) => new Map(changes.map(({ component }) => [component, answer]))
  const usages = changes.map(({ component, amount }) => ({ type: component, amount }))
  const { date } = part.period
  const dated = date === undefined ? {} : { date }
  return offering.waldur.setUsage({ resource: part.subject.resource.id, ...dated, usages }).pipe(
    Effect.as(all({ _tag: "Taken" })),
    Effect.catchTag("WaldurInvalid", (error) =>
      changes.length === 1
        ? Effect.succeed(all({ _tag: "Refused", reason: error.messages.join("; ") || error.message }))
        : Effect.map(
            Effect.forEach(changes, (change) => send(offering, part, [change])),
            (answers) => new Map(answers.flatMap((answer) => [...answer]))
          )
    ),
    Effect.catchAll((error) => Effect.succeed(all({ _tag: "Failed", error })))
  )
}

const remember = (
  { memory, offering, now }: Teller,
  part: Part,
  told: ReadonlyMap<string, Told>,
  changes: ReadonlyArray<Change>,
  answers: ReadonlyMap<string, Answer>,
  failed: boolean
): Effect.Effect<void, JournalUnavailable> => {
  const { subject, period } = part
  const row = (component: string, what: Told): ToldRow => ({
    amount: what.amount,
    at: what.at,
    ...(what.refusal === undefined ? {} : { refusal: what.refusal }),
    component,
    resource: subject.resource.id,
    period: period.key,
    final: subject.ended && !failed
  })
  const answered = changes.flatMap(({ component, amount }) => {
    const answer = answers.get(component)
    if (answer === undefined || answer._tag === "Failed") return []
    return [row(component, { amount, at: now, ...(answer._tag === "Refused" ? { refusal: answer.reason } : {}) })]
  })
  // What was read from Waldur need not be read again, and what has ended need not be looked at again.
  const before = [...told].flatMap(([component, what]) =>
    answered.some((one) => one.component === component) || (part.told.has(component) && !subject.ended)
      ? []
      : [row(component, what)]
  )
  return memory.keep(offering.id, [...before, ...answered])
}

/** One object, made in one go: there are tens of thousands, and spreading one into another takes longer than all else about it. */
const rowWith = (
  { measured }: Teller,
  { subject, period }: Part,
  { component, amount }: { readonly component: string; readonly amount?: number | undefined },
  outcome: Outcome,
  detail = ""
): ReportRow => ({
  resource: subject.resource.id,
  resourceName: subject.name,
  period: period.key,
  component,
  unit: measured.units.get(component) ?? "",
  ...(amount === undefined ? undefined : { amount }),
  outcome,
  detail
})

const rowOf = (teller: Teller, part: Part, verdict: Verdict, answer: Answer | undefined): ReportRow => {
  switch (verdict._tag) {
    case "Unread":
      return rowWith(teller, part, verdict, "not read", verdict.reason)
    case "Unchanged":
      return rowWith(teller, part, verdict, "unchanged")
    case "Held":
      return rowWith(teller, part, verdict, "left out", verdict.reason)
    case "Refused":
      return rowWith(teller, part, verdict, "refused", verdict.reason)
    case "Send":
      if (answer === undefined) return rowWith(teller, part, verdict, "would be sent")
      if (answer._tag === "Taken") return rowWith(teller, part, verdict, "sent")
      return answer._tag === "Refused"
        ? rowWith(teller, part, verdict, "refused", answer.reason)
        : rowWith(teller, part, verdict, "failed", answer.error.message)
  }
}

/** Tells Waldur of one resource's figures of one billing period: what has changed, once. */
import { Effect, Ref } from "effect"
import type { JournalUnavailable, SiteError } from "../../core/index.js"
import type { WaldurError } from "../../waldur/index.js"
import type { Figure } from "./figures.js"
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

export const tell = (teller: Teller, whole: Part): Effect.Effect<Result> =>
  Effect.gen(function* () {
    const untaken = yield* Ref.get(teller.untaken)
    const part = { ...whole, figures: whole.figures.filter(({ component }) => !untaken.has(component)) }
    const told = yield* toldSoFar(teller, part)
    const { omitAnomalous, now } = teller
    const verdicts = verdictsOn(part.figures, told, { growing: teller.measured.growing, omitAnomalous, now })
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
        rows: whole.figures.map((figure) => ({
          ...about(teller, whole, figure),
          outcome: "failed" as const,
          detail: error.message
        }))
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
  isUnheard({ figures, told }) ? heard(subject.resource.id, period.key) : Effect.succeed(told)

/** In one call. If Waldur will not take it, each on its own: one component that it refuses must not hold up the others. */
const send = (
  offering: Reporter,
  part: Part,
  changes: ReadonlyArray<Change>
): Effect.Effect<ReadonlyMap<string, Answer>> => {
  if (changes.length === 0) return Effect.succeed(new Map())
  const all = (answer: Answer) => new Map(changes.map(({ component }) => [component, answer]))
  const usages = changes.map(({ component, amount }) => ({ type: component, amount }))
  return offering.waldur.setUsage({ resource: part.subject.resource.id, date: part.period.date, usages }).pipe(
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

const about = ({ measured }: Teller, { subject, period }: Part, { component, amount }: Figure) => ({
  resource: subject.resource.id,
  resourceName: subject.name,
  period: period.key,
  component,
  unit: measured.units.get(component) ?? "",
  ...(amount === undefined ? {} : { amount })
})

const rowOf = (teller: Teller, part: Part, verdict: Verdict, answer: Answer | undefined): ReportRow => {
  const row = about(teller, part, verdict)
  switch (verdict._tag) {
    case "Unread":
      return { ...row, outcome: "not read", detail: verdict.reason }
    case "Unchanged":
      return { ...row, outcome: "unchanged", detail: "" }
    case "Held":
      return { ...row, outcome: "left out", detail: verdict.reason }
    case "Refused":
      return { ...row, outcome: "refused", detail: verdict.reason }
    case "Send":
      if (answer === undefined) return { ...row, outcome: "would be sent", detail: "" }
      if (answer._tag === "Taken") return { ...row, outcome: "sent", detail: "" }
      return answer._tag === "Refused"
        ? { ...row, outcome: "refused", detail: answer.reason }
        : { ...row, outcome: "failed", detail: answer.error.message }
  }
}

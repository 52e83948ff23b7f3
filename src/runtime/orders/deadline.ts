/**
 * An order's deadline: how long the backend's work on it may take before it is undone.
 *
 * Counted from the journal's `accepted`, so a restart does not begin anew; without the time in which the offering was stopped, one of its
 * servers away, or no agent ran (`journal/pauses.ts`), as none of that is the order's fault. Telling the marketplace of work that is done
 * is never cut short.
 *
 * An order that an operator cancels ends in the same way, at once (`control/cancellations.ts`).
 */
import { Clock, Duration, Effect, type Fiber, FiberId, Option, Runtime } from "effect"
import {
  type JournalEntry,
  type JournalError,
  type OrderJournal,
  OrderRefused,
  type OrderRequest,
  Parked,
  parkedWithin,
  pausedBetween,
  refusalIn,
  type SiteError,
  timeLeft,
  unlessTold,
  wholeOrder
} from "../../core/index.js"
import { type Cancellation, Cancellations } from "../control/cancellations.js"
import { Pauses } from "../journal/pauses.js"
import type { Offering } from "../offerings/offering.js"
import { deadlineGrace } from "../schedules.js"
import { atStart } from "./accepting/start.js"
import { ahead, approval, isOurs, ours } from "./story.js"

export interface Deadline {
  /** For carrying the order out: begins no step of the backend after the deadline. */
  readonly journal: OrderJournal
  /** Around the backend's handler: fails with `OrderRefused` after the deadline, or once the order is cancelled. */
  readonly within: <A, R>(work: Effect.Effect<A, SiteError, R>) => Effect.Effect<A, SiteError, R>
}

/** Why an order ends before its work is done. */
interface Ending {
  readonly customerMessage: string
  /** "at the deadline" */
  readonly at: string
}

/** Of the runtime's own steps, which take no time of the backend's, those before the backend's work is done; all others tell the marketplace of it. */
const beforehand: ReadonlySet<string> = new Set([approval, atStart, ahead])

/** Is the backend's work done, and the marketplace being told? From then on an order can only be done. */
export const isBeingTold = (entries: ReadonlyArray<JournalEntry>): boolean =>
  entries.some(({ step }) => step.startsWith(ours) && !beforehand.has(step))

const outcomes: ReadonlySet<string> = new Set(["finished", "adopted", "failed", "interrupted"])

export const withDeadline = (
  offering: Pick<Offering, "id" | "deadlines" | "alarms">,
  journal: OrderJournal,
  request: Pick<OrderRequest, "_tag">
): Effect.Effect<Deadline, never, Pauses> =>
  Effect.gen(function* () {
    const pauses = yield* Pauses
    const limit = limitFor(offering, request)
    const entries = yield* journal.entries
    const accepted = entries.find((entry) => entry.step === wholeOrder && entry.event === "accepted")
    // Nor is an undo cut short: it has to learn of every step how it is undone.
    const isSettled = isBeingTold(entries) || Option.isSome(refusalIn(entries))
    if (accepted === undefined || isSettled) return { journal, within: (work) => work }
    const cancellations = yield* Effect.serviceOption(Cancellations)

    const inWork = new Set<string>()
    const idle = Effect.unsafeMakeLatch(true)
    let over = false
    const track = (step: string, event: string) =>
      Effect.suspend(() => {
        if (event === "started") inWork.add(step)
        if (outcomes.has(event)) inWork.delete(step)
        return inWork.size === 0 ? idle.open : idle.close
      })

    /** Whatever has a limit within the work counts it as this does. */
    const counted = Effect.locally(pausedBetween, (since, until) =>
      pauses.total([offering.id, journal.order], since, until)
    )
    const left = (millis: number) => counted(timeLeft(millis, accepted.at))
    /** Taken up again at the order's deadline at the latest. */
    const notBeyond = (parked: Parked): Effect.Effect<Parked> =>
      Option.match(limit, {
        onNone: () => Effect.succeed(parked),
        onSome: (length) =>
          left(Duration.toMillis(length)).pipe(
            Effect.orElseSucceed(() => 5_000),
            Effect.map((rest) => parkedWithin(parked, rest))
          )
      })
    /** The step that parks is in work no more; and no order is parked that is to end now. */
    const park = (parked: Parked) =>
      Effect.gen(function* () {
        inWork.clear()
        yield* idle.open
        return yield* over ? Effect.never : Effect.flatMap(notBeyond(parked), (sooner) => Effect.fail(sooner))
      })
    const expired = (millis: number): Effect.Effect<void> =>
      left(millis).pipe(
        // A journal that cannot be read right now: the order will find out by itself.
        Effect.orElseSucceed(() => 5_000),
        Effect.flatMap((rest) =>
          rest <= 0
            ? Effect.void
            : Effect.zipRight(
                Effect.sleep(Duration.millis(Math.max(rest, 1_000))),
                Effect.suspend(() => expired(millis))
              )
        )
      )
    /** Once what is in work has ended. For the first reason alone. */
    const ended = ({ at, customerMessage }: Ending) =>
      Effect.gen(function* () {
        if (over) return yield* Effect.never
        over = true
        const step = [...inWork].join(", ")
        // A call that is on the wire might still be carried out after an undo has looked for what it made.
        yield* Effect.raceFirst(idle.await, Effect.sleep(deadlineGrace))
        return new OrderRefused({
          customerMessage,
          ...(step === "" && at.startsWith("at ")
            ? {}
            : { detail: `${at} it was at: ${step === "" ? "no step" : step}` })
        })
      })
    const atDeadline = (length: Duration.Duration) =>
      Effect.zipRight(
        expired(Duration.toMillis(length)),
        Effect.suspend(() => ended({ customerMessage: sentence(request, length), at: "at the deadline" }))
      )
    const cancelled = ({ reason, who }: Pick<Cancellation, "reason" | "who">) =>
      ended({
        customerMessage: cancelSentence(request),
        at: `cancelled by ${who}${reason === "" ? "" : ` (${reason})`},`
      })
    const untilOver = <A, R>(work: Effect.Effect<A, SiteError, R>) =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime()
        const now = yield* Clock.currentTimeMillis
        return yield* unlessTold(work, (tell: (refused: Effect.Effect<never, OrderRefused>) => void) => {
          const fibers: Array<Fiber.RuntimeFiber<void>> = []
          const end = (refusal: Effect.Effect<OrderRefused>) => {
            const telling = Effect.map(refusal, (why) => tell(Effect.fail(why)))
            fibers.push(Runtime.runFork(runtime, telling))
          }
          const unheard = [
            ...Option.toArray(
              Option.map(limit, (length) =>
                offering.alarms.after(Duration.toMillis(length) - (now - accepted.at), () => end(atDeadline(length)))
              )
            ),
            ...Option.toArray(
              Option.map(cancellations, (all) =>
                all.wanted(journal.order, accepted.at, (cancellation) => end(cancelled(cancellation)))
              )
            )
          ]
          return () => {
            for (const takeBack of unheard) takeBack()
            for (const fiber of fibers) fiber.unsafeInterruptAsFork(FiberId.none)
          }
        })
      })

    const begun = (step: string, write: Effect.Effect<void, JournalError>) =>
      Effect.suspend(() =>
        // Ended by the race in `within`; a step writes this where it cannot be interrupted otherwise.
        over
          ? Effect.interruptible(Effect.never)
          : Effect.zipRight(track(step, "started"), write).pipe(Effect.onError(() => track(step, "failed")))
      )

    return {
      journal: {
        ...journal,
        append: (step, event, data) => {
          const write = journal.append(step, event, data)
          if (isOurs(step)) return write
          return event === "started" ? begun(step, write) : Effect.zipRight(write, track(step, event))
        },
        announce: (step) => (isOurs(step) ? journal.announce(step) : begun(step, journal.announce(step))),
        note: (step, event, data) => Effect.zipRight(journal.note(step, event, data), track(step, event))
      },
      within: (work) =>
        Effect.flatMap(journal.entries, (now) => {
          const parking = Effect.catchIf(counted(work), (error) => error instanceof Parked, park)
          // What is refused already is being undone: that takes as long as it takes.
          return Option.isSome(refusalIn(now)) ? parking : untilOver(parking)
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              over = false
            })
          )
        )
    }
  })

export const limitFor = ({ deadlines }: Pick<Offering, "deadlines">, request: Pick<OrderRequest, "_tag">) => {
  switch (request._tag) {
    case "Create":
      return deadlines.create
    case "Update":
    case "Restore":
      return deadlines.update
    case "Terminate":
      return deadlines.terminate
  }
}

const sentence = (request: Pick<OrderRequest, "_tag">, limit: Duration.Duration): string => {
  const ended = request._tag === "Terminate" ? "and was given up" : "and has been undone"
  return `The order was not finished within ${inWords(limit)} ${ended}: order again, or ask the provider.`
}

const cancelSentence = (request: Pick<OrderRequest, "_tag">): string =>
  `The provider has cancelled the order${request._tag === "Terminate" ? ": what had been removed by then stays removed." : ", and it has been undone."}`

/** "30 minutes", "1 hour", "90 seconds": in the largest unit that divides it. */
const inWords = (limit: Duration.Duration): string => {
  const seconds = Math.round(Duration.toSeconds(limit))
  const units = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"]
  ] as const
  const [size, unit] = units.find(([size]) => seconds % size === 0) ?? [1, "second"]
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}

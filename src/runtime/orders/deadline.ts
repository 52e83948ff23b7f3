/**
 * An order's deadline: how long the backend's work on it may take before it is undone.
 *
 * Counted from the journal's `accepted`, so a restart does not begin anew; without the time in which the offering was stopped, one of its
 * servers away, or no agent ran (`journal/pauses.ts`), as none of that is the order's fault. Telling the marketplace of work that is done
 * is never cut short.
 *
 * An order that an operator cancels ends in the same way, at once (`cancellations.ts`).
 */
import { Clock, type Context, Duration, Effect, type Fiber, FiberId, Option, Runtime } from "effect"
import {
  countOf,
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
import { Pauses } from "../journal/pauses.js"
import type { Offering } from "../offerings/offering.js"
import { deadlineGrace } from "../schedules.js"
import { atStart } from "./accepting/start.js"
import { type Cancellation, Cancellations } from "./cancellations.js"
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

/** The backend's steps that are in work: a call that is on the wire might still be carried out after an undo has looked for what it made. */
interface InWork {
  readonly begins: (step: string) => Effect.Effect<void>
  readonly ends: (step: string) => Effect.Effect<void>
  readonly clear: Effect.Effect<void>
  /** Waits until there is none. */
  readonly over: Effect.Effect<void>
  readonly names: () => string
}

const makeInWork = (): InWork => {
  const steps = new Set<string>()
  const idle = Effect.unsafeMakeLatch(true)
  const after = (change: () => void) =>
    Effect.suspend(() => {
      change()
      return Effect.asVoid(steps.size === 0 ? idle.open : idle.close)
    })
  return {
    begins: (step) => after(() => steps.add(step)),
    ends: (step) => after(() => steps.delete(step)),
    clear: after(() => steps.clear()),
    over: idle.await,
    names: () => [...steps].join(", ")
  }
}

/** The order's own time: since it was accepted, without what is no fault of its own. */
const ownTime = (pauses: Context.Tag.Service<Pauses>, keys: ReadonlyArray<string>, since: number) => {
  /** Whatever has a limit within the work counts it as this does. */
  const counted = Effect.locally(pausedBetween, (from, until) => pauses.total(keys, from, until))
  const left = (limit: Duration.Duration): Effect.Effect<number> =>
    counted(timeLeft(Duration.toMillis(limit), since)).pipe(
      // A journal that cannot be read right now: the order will find out by itself.
      Effect.orElseSucceed(() => 5_000)
    )
  const expired = (limit: Duration.Duration): Effect.Effect<void> =>
    Effect.flatMap(left(limit), (rest) =>
      rest <= 0
        ? Effect.void
        : Effect.zipRight(
            Effect.sleep(Duration.millis(Math.max(rest, 1_000))),
            Effect.suspend(() => expired(limit))
          )
    )
  return { counted, left, expired }
}

export const withDeadline = (
  offering: Pick<Offering, "id" | "deadlines" | "alarms">,
  journal: OrderJournal,
  request: Pick<OrderRequest, "_tag">
): Effect.Effect<Deadline, never, Pauses> =>
  Effect.gen(function* () {
    const entries = yield* journal.entries
    const accepted = entries.find((entry) => entry.step === wholeOrder && entry.event === "accepted")
    // Nor is an undo cut short: it has to learn of every step how it is undone.
    const isSettled = isBeingTold(entries) || Option.isSome(refusalIn(entries))
    if (accepted === undefined || isSettled) return { journal, within: (work) => work }
    const limit = limitFor(offering, request)
    const cancellations = yield* Effect.serviceOption(Cancellations)
    const time = ownTime(yield* Pauses, [offering.id, journal.order], accepted.at)
    const inWork = makeInWork()
    let over = false

    /** No order is parked that is to end now, and each is taken up again at its deadline at the latest. */
    const park = (parked: Parked): Effect.Effect<never, Parked> =>
      Effect.zipRight(
        inWork.clear,
        Effect.suspend(() => {
          if (over) return Effect.never
          if (Option.isNone(limit)) return Effect.fail(parked)
          return Effect.flatMap(time.left(limit.value), (rest) => Effect.fail(parkedWithin(parked, rest)))
        })
      )
    /** Once what is in work has ended. For the first reason alone. */
    const ended = ({ at, customerMessage }: Ending) =>
      Effect.gen(function* () {
        if (over) return yield* Effect.never
        over = true
        const step = inWork.names()
        yield* Effect.raceFirst(inWork.over, Effect.sleep(deadlineGrace))
        return new OrderRefused({
          customerMessage,
          ...(step === "" && at.startsWith("at ")
            ? {}
            : { detail: `${at} it was at: ${step === "" ? "no step" : step}` })
        })
      })
    const atDeadline = (length: Duration.Duration) =>
      Effect.zipRight(
        time.expired(length),
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
        const age = (yield* Clock.currentTimeMillis) - accepted.at
        return yield* unlessTold(work, (tell: (refused: Effect.Effect<never, OrderRefused>) => void) => {
          const fibers: Array<Fiber.RuntimeFiber<void>> = []
          const end = (refusal: Effect.Effect<OrderRefused>) => {
            const telling = Effect.map(refusal, (why) => tell(Effect.fail(why)))
            fibers.push(Runtime.runFork(runtime, telling))
          }
          const alarm = Option.map(limit, (length) =>
            offering.alarms.after(Duration.toMillis(length) - age, () => end(atDeadline(length)))
          )
          const wanted = Option.map(cancellations, (all) =>
            all.wanted(journal.order, accepted.at, (cancellation) => end(cancelled(cancellation)))
          )
          return () => {
            for (const takeBack of [...Option.toArray(alarm), ...Option.toArray(wanted)]) takeBack()
            for (const fiber of fibers) fiber.unsafeInterruptAsFork(FiberId.none)
          }
        })
      })

    const begun = (step: string, write: Effect.Effect<void, JournalError>) =>
      Effect.suspend(() =>
        // Ended by the race in `within`; a step writes this where it cannot be interrupted otherwise.
        over
          ? Effect.interruptible(Effect.never)
          : Effect.zipRight(inWork.begins(step), write).pipe(Effect.onError(() => inWork.ends(step)))
      )
    const written = (step: string, event: string, write: Effect.Effect<void, JournalError>) =>
      outcomes.has(event) ? Effect.zipRight(write, inWork.ends(step)) : write

    return {
      journal: {
        ...journal,
        append: (step, event, data) => {
          const write = journal.append(step, event, data)
          if (isOurs(step)) return write
          return event === "started" ? begun(step, write) : written(step, event, write)
        },
        announce: (step) => (isOurs(step) ? journal.announce(step) : begun(step, journal.announce(step))),
        note: (step, event, data) => written(step, event, journal.note(step, event, data))
      },
      within: (work) =>
        Effect.flatMap(journal.entries, (now) => {
          const parking = Effect.catchIf(time.counted(work), (error) => error instanceof Parked, park)
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
  return countOf(seconds / size, unit)
}

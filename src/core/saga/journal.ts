/**
 * The journal: the memory of effects. What a step is about to do is written before the call, what came of it after the call.
 *
 * Append-only. It is what a restart resumes from, the audit trail, and the story of an order. This file is the contract between the
 * steps (`perform.ts`) and whatever stores it (`runtime/journal`); it knows no SQL.
 */
import { Context, Data, Effect, Schema } from "effect"
import type { OrderId, ResourceId } from "../orders.js"

/**
 * What can be said of a step. In the order in which it happens:
 * `started` (the call may happen from now on), then one of
 * `finished` (with the result), `adopted` (the same, but found as left by an earlier attempt), `failed` (refused for good) or
 * `interrupted` (outcome unknown: the next attempt looks first; after `held back`: another agent has made what it would make, and it has made nothing).
 * On the way back: `undoing`, then `undone`, or `undo-failed` (and the thing goes on the list of leftovers).
 */
export const StepEvent = Schema.Literal(
  "started",
  "finished",
  "adopted",
  "failed",
  "interrupted",
  "held back",
  "undoing",
  "undone",
  "undo-failed"
)
export type StepEvent = typeof StepEvent.Type

export const JournalEntry = Schema.Struct({
  /** The step's name, unique within its order; `order` for what concerns the order as a whole. */
  step: Schema.String,
  event: Schema.String,
  /** Milliseconds since 1970. */
  at: Schema.Number,
  /** A step's encoded result, an error's text. Never a secret. */
  data: Schema.optional(Schema.Unknown)
})
export type JournalEntry = typeof JournalEntry.Type

/** The `step` of entries that concern the order as a whole. */
export const wholeOrder = "order"

/**
 * Was the order in work when this journal was copied, and did the copy take the original's place? Then it may have got further than what is written.
 */
export const isRestored = (entries: ReadonlyArray<JournalEntry>): boolean => entries.some(saysRestored)

const saysRestored = ({ event, step }: JournalEntry): boolean => step === wholeOrder && event === "restored"

/** Of `restored`: the journal is older than the order, so none of it was lost. Whoever has begun it has another journal, or none, as the Python agent. */
export const newerThanJournal = "newer than this journal"

/** Is it one of those of which the journal was lost, or is an older copy? Then marks that it does not know are its own. */
export const isOfLostJournal = (entries: ReadonlyArray<JournalEntry>): boolean =>
  entries.some((entry) => saysRestored(entry) && entry.data !== newerThanJournal)

/** The journal could not be read or written (disk full, database away). Nothing is called that is not written down: so wait. */
export class JournalUnavailable extends Data.TaggedError("JournalUnavailable")<{ readonly reason: string }> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `The journal cannot be written: ${this.reason}`
  }
}

/** Another process has taken this resource over. Whoever gets this stops at once, and touches nothing. */
export class LeaseLost extends Data.TaggedError("LeaseLost")<{
  readonly resource: ResourceId
  readonly epoch: number
}> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `Resource ${this.resource} is no longer this process's (epoch ${this.epoch} has ended).`
  }
}

/** What every step may fail with besides. The runtime tries again; a plugin lets it pass. */
export type JournalError = JournalUnavailable | LeaseLost

/** The journal of one order, bound to the lease (resource and epoch) of the actor that holds it. */
export interface OrderJournal {
  readonly order: OrderId
  readonly resource: ResourceId
  /** Everything written about this order so far, oldest first, this attempt's own entries included. */
  readonly entries: Effect.Effect<ReadonlyArray<JournalEntry>>
  /** What was written before it was last accepted. Absent: nothing. */
  readonly past?: Effect.Effect<ReadonlyArray<JournalEntry>>
  /**
   * Appends one entry; refused with `LeaseLost` in the same statement if the lease has passed on. When it is answered, a power cut does not take it.
   */
  readonly append: (step: string, event: string, data?: unknown) => Effect.Effect<void, JournalError>
  /**
   * The same for what need not be waited for, as what came of a step: it is written with whatever is appended next, or by itself in a moment. Until
   * then a crash finds the step begun, as it would have just before. If it cannot be written, whatever is appended next is refused, and so this
   * attempt ends.
   */
  readonly note: (step: string, event: string, data?: unknown) => Effect.Effect<void, JournalError>
  /**
   * `started`, of a step that may be done again without harm and has no undo: the disk is not waited for. It outlives the process; a power cut may
   * take it, and what was noted since the last `append`. Whatever is appended next takes it to the disk.
   */
  readonly announce: (step: string) => Effect.Effect<void, JournalError>
}

/** All that was written of the order, also before it was last accepted: what is left over of that is still its own. Oldest first. */
export const wholeStory = ({
  entries,
  past
}: Pick<OrderJournal, "entries" | "past">): Effect.Effect<ReadonlyArray<JournalEntry>> =>
  past === undefined ? entries : Effect.zipWith(past, entries, (before, now) => [...before, ...now])

/** Something that an undo could not remove. It is kept, shown and retried until it is gone. */
export interface Leftover {
  readonly order: OrderId
  readonly resource: ResourceId
  readonly step: string
  readonly reason: string
}

/**
 * Values of which no two resources may have the same, like subnets. Ranges of integers, both ends included, in a named pool.
 * Reserved in one statement, so two orders never get overlapping ones, whatever happens in between.
 */
export interface Range {
  readonly first: number
  readonly last: number
}
export class Reservations extends Context.Tag("site-actors/core/Reservations")<
  Reservations,
  {
    /** Reserves the first candidate that overlaps no reservation of another resource; `undefined` if all do. Repeating it gives the same. */
    readonly reserve: (
      pool: string,
      resource: ResourceId,
      candidates: Iterable<Range>
    ) => Effect.Effect<Range | undefined, JournalError>
    readonly release: (pool: string, resource: ResourceId) => Effect.Effect<void, JournalError>
  }
>() {}

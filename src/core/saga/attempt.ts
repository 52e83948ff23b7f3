/** One attempt at an order: one run of its handler, and what its steps share. */
import { Context, Deferred, Effect, FiberId, MutableRef } from "effect"
import type { SiteError } from "../errors.js"
import { isRestored, type JournalEntry, type JournalError, type OrderJournal, wholeOrder } from "./journal.js"

/** Everything that the steps of one attempt share. Made by `carryOut`; a handler only passes it through. */
export interface Attempt {
  readonly journal: OrderJournal
  /** What it makes is marked with this, and what it begins to make is written down with it (`marks.ts`). */
  readonly mark: string
  /**
   * `undoing`: the handler is only run to learn how to undo what an earlier run did; nothing new is begun. `recalling`: only for what it comes to
   * by what its steps remember.
   */
  readonly direction: "forward" | "undoing" | "recalling"
  /** What may have to be undone, in the order in which it was begun. */
  readonly performed: MutableRef.MutableRef<ReadonlyArray<Performed>>
  /** Of the steps that this run has come to. */
  readonly names: Set<string>
  /** Steps that the journal knows and this run has not come to yet; when there are none left, `reachedAll` is completed. */
  readonly unreached: Set<string>
  readonly reachedAll: Deferred.Deferred<void>
  /** Is there a result that a later attempt might not come to again, and that a power cut could still take? Nothing may rest on it. */
  readonly mayForget: MutableRef.MutableRef<boolean>
  /** What earlier attempts made or chose, until it has been seen that none of it is somebody else's by now. */
  readonly unseen: MutableRef.MutableRef<ReadonlyArray<Subject>>
  /** What this order is about by a choice, and not by having made it. */
  readonly chosen: MutableRef.MutableRef<ReadonlyArray<Subject>>
  /** Until then its steps may look, and neither do nor write down anything. */
  readonly mayBegin: Deferred.Deferred<void>
}
export class Steps extends Context.Tag("site-actors/core/Steps")<Steps, Attempt>() {}

/**
 * May this order have been begun elsewhere: by an agent whose journal was lost, or by one of another make that this one replaces? Then what it has made
 * may be there without the tags that steps look for.
 */
export const mayBeBegunElsewhere: Effect.Effect<boolean, JournalError, Steps> = Effect.flatMap(Steps, ({ journal }) =>
  Effect.map(journal.entries, isRestored)
)

export interface Performed {
  readonly step: string
  readonly undo: Effect.Effect<void, SiteError>
}

export interface Subject {
  readonly step: string
  readonly isOthers: Effect.Effect<boolean, SiteError>
}

const isResult = ({ data, event }: JournalEntry): boolean => event === "finished" && data !== undefined && data !== null

/** As it begins, by what earlier ones have written. */
export const newAttempt = (
  journal: OrderJournal,
  direction: Attempt["direction"],
  entries: ReadonlyArray<JournalEntry>,
  mark: string
): Attempt => ({
  journal,
  mark,
  direction,
  performed: MutableRef.make<ReadonlyArray<Performed>>([]),
  names: new Set(),
  unreached: new Set(entries.map((entry) => entry.step).filter((step) => step !== wholeOrder)),
  reachedAll: Deferred.unsafeMake<void>(FiberId.none),
  // What an earlier attempt noted at its end may not be on the disk either.
  mayForget: MutableRef.make(entries.some(isResult)),
  unseen: MutableRef.make<ReadonlyArray<Subject>>([]),
  chosen: MutableRef.make<ReadonlyArray<Subject>>([]),
  mayBegin: atOnce
})

const atOnce: Deferred.Deferred<void> = Deferred.unsafeMake<void>(FiberId.none)
Deferred.unsafeDone(atOnce, Effect.void)

/** What is carried out so may look at once, and begins nothing before `permission` is there. */
export const beginningAfter =
  (permission: Deferred.Deferred<void>) =>
  <A, E, R>(handler: Effect.Effect<A, E, R | Steps>): Effect.Effect<A, E, Exclude<R, Steps> | Steps> =>
    Effect.flatMap(Steps, (attempt) => Effect.provideService(handler, Steps, { ...attempt, mayBegin: permission }))

/** The run has come to a step. */
export const markReached = ({ reachedAll, unreached }: Attempt, step: string): void => {
  unreached.delete(step)
  if (unreached.size === 0) Deferred.unsafeDone(reachedAll, Effect.void)
}

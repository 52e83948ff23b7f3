/**
 * Steps: how a handler does things that must not be lost and must not happen twice.
 *
 * A handler is an ordinary Effect that calls `make`, `ensure` and `decide` in the order in which things happen. It may be run many
 * times for one order: after a crash, after a connection that broke, after hours of the backend's absence. A retry is a restart.
 * What has finished answers from the journal without a call; what was started and never finished is looked for first. In an order of
 * a journal that was put back from a backup, so is what was never started: it may have been, after the backup.
 *
 * - `make`: creates something. Says how to `find` what an earlier attempt may have left (by the owner tag, never by name), how to
 *   `create` it and how to `undo` it.
 * - `ensure`: something that may be done again without harm: setting a quota, waiting until a VM runs, deleting what may be gone.
 * - `decide`: a look or a choice that later steps rely on, remembered, so that every attempt goes the same way.
 *
 * When an order fails for good, what it did is undone in reverse (`saga.ts`). To undo after a restart the handler is run once more,
 * up to where it had got; so what it does must follow from its request and from the results of its steps alone: whatever it reads
 * from the backend, it reads inside a step. Steps may run concurrently (`Effect.all`).
 */
import { Effect, Option, Schema } from "effect"
import type { SiteError } from "../errors.js"
import type { Steps } from "./attempt.js"
import { perform } from "./perform.js"
import type { IsOthers, StepError } from "./whose.js"

export interface Make<A, I, E extends SiteError, R> {
  /** How the result is kept in the journal. No secrets. */
  readonly result: Schema.Schema<A, I>
  /** What an earlier attempt of this order may have left. Only asked when that is possible, so it costs nothing on a first run. */
  readonly find: Effect.Effect<Option.Option<A>, E, R>
  readonly create: Effect.Effect<A, E, R>
  /** Removes it again, and is content when it is gone already. Absent: another step's undo takes it along. */
  readonly undo?: (made: A) => Effect.Effect<void, E, R>
  /**
   * Is it somebody else's by now? A backend that was put back from a backup gives ids for a second time. Gone is nobody's. Asked before it is undone,
   * and when an attempt goes on with what an earlier one made. Absent: what names it is never given twice.
   */
  readonly isOthers?: IsOthers<A, E, R>
}

export interface Ensure<A, I, E extends SiteError, R> {
  readonly result: Schema.Schema<A, I>
  readonly perform: Effect.Effect<A, E, R>
  /** Puts back what was before; also run when it is unknown whether `perform` came through. */
  readonly undo?: Effect.Effect<void, E, R>
  /** Others take it for the end of what was done before: all of that is on the disk first. */
  readonly ends?: boolean
  /** It only looks, and sees by itself whether what it looks at is somebody else's by now (`isOthers`). */
  readonly looks?: boolean
}

/** Creates something, once. `step`: unique within the order, in the backend's own words ("group"). */
export const make = <A, I, E extends SiteError, R>(
  step: string,
  spec: Make<A, I, E, R>
): Effect.Effect<A, E | StepError, R | Steps> => {
  const undo = spec.undo
  return perform({
    step,
    schema: spec.result,
    begins: "once",
    find: Option.some(spec.find),
    act: spec.create,
    isOthers: Option.fromNullable(spec.isOthers),
    undo:
      undo === undefined
        ? Option.none()
        : Option.some((made) => Option.match(made, { onNone: () => Effect.void, onSome: undo }))
  })
}

/** Does what may safely be done again, and remembers its result. */
export const ensure = <A, I, E extends SiteError, R>(
  step: string,
  spec: Ensure<A, I, E, R>
): Effect.Effect<A, E | StepError, R | Steps> => {
  const undo = spec.undo
  return perform({
    step,
    schema: spec.result,
    begins: undo === undefined && spec.ends !== true ? "again" : "once",
    find: Option.none(),
    act: spec.perform,
    isOthers: Option.none(),
    looks: spec.looks === true,
    undo: undo === undefined ? Option.none() : Option.some(() => undo)
  })
}

/** Does what may safely be done again and has no result. */
export const ensureDone = <E extends SiteError, R>(
  step: string,
  act: Effect.Effect<unknown, E, R>,
  undo?: Effect.Effect<void, E, R>
): Effect.Effect<void, E | StepError, R | Steps> =>
  ensure(step, { result: Schema.Null, perform: Effect.as(act, null), ...(undo === undefined ? {} : { undo }) })

/**
 * Looks or chooses, and remembers: later attempts get the same answer without looking. `isOthers`: is what was chosen somebody else's by now? As with
 * `make`; asked as well before any step is undone.
 */
export const decide = <A, I, E extends SiteError, R>(
  step: string,
  result: Schema.Schema<A, I>,
  look: Effect.Effect<A, E, R>,
  isOthers?: IsOthers<A, E, R>
): Effect.Effect<A, E | StepError, R | Steps> =>
  perform({
    step,
    schema: result,
    begins: "looking",
    find: Option.none(),
    act: look,
    undo: Option.none(),
    isOthers: Option.fromNullable(isOthers)
  })

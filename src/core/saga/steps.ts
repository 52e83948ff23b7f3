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
import { Context, Data, Effect, Either, MutableRef, Option, Schema } from "effect"
import { stillOurs } from "../calls/gate.js"
import { NotYet, RivalAtWork, type SiteError } from "../errors.js"
import { saying } from "../lean/around.js"
import { spanned } from "../lean/spans.js"
import { type Attempt, markReached, Steps, type Subject } from "./attempt.js"
import { isRestored, type JournalEntry, type JournalError, wholeStory } from "./journal.js"
import { heldBack, lookingFor, madeBy, making, startedBy } from "./marks.js"
import { Parked } from "./park.js"
import { type StepState, stepState } from "./state.js"
import { assertOurs, type IsOthers, ifOurs, type StepError } from "./whose.js"

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

/** A bug in a handler: two steps of one name, or a step whose journalled result no longer fits its schema. */
export class StepDefect extends Data.TaggedError("StepDefect")<{ readonly step: string; readonly reason: string }> {
  override get message(): string {
    return `Step "${this.step}": ${this.reason}`
  }
}

/**
 * So long after a look was answered a call that nobody has heard the end of may still be carried out, in ms: the backend had it waiting for its turn,
 * behind which the look came.
 */
const mayStillCome = 3_000

/**
 * Looks for what was made. Nothing may only mean not yet: then it looks once more, when nothing is on its way any more. Counted from the look: a
 * backend that hung answers it first thing when it goes on, together with all that it was sent before.
 */
const lookFor = <A, E, R>(find: Effect.Effect<Option.Option<A>, E, R>, { unheardOf }: StepState) =>
  Effect.flatMap(find, (found) =>
    Option.isSome(found) || !unheardOf ? Effect.succeed(found) : Effect.delay(find, mayStillCome)
  )

/** When something is undone, what another agent has made is nothing. */
const leavingOthers = <A, E, R>(find: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.catchIf(
    find,
    (error) => error instanceof RivalAtWork,
    () => Effect.succeedNone
  )

/**
 * What a power cut may take of a step. `once`: nothing, as later attempts look for it or undo it. `again`: that it was begun, as it would be done
 * again. `looking`: the same, and as it changes nothing, it may rest on what could still be taken.
 */
type Begins = "once" | "again" | "looking"

type Undo<A, E, R> = (made: Option.Option<A>) => Effect.Effect<void, E, R>

interface Step<A, I, E extends SiteError, R> {
  readonly step: string
  readonly schema: Schema.Schema<A, I>
  readonly begins: Begins
  readonly find: Option.Option<Effect.Effect<Option.Option<A>, E, R>>
  readonly act: Effect.Effect<A, E, R>
  readonly undo: Option.Option<Undo<A, E, R>>
  readonly isOthers: Option.Option<IsOthers<A, E, R>>
  readonly looks?: boolean
}

/** The one way in which a step happens. What is remembered of it is answered at once: after a restart that is nearly all of a handler. */
const perform = <A, I, E extends SiteError, R>(spec: Step<A, I, E, R>): Effect.Effect<A, E | StepError, R | Steps> =>
  Effect.contextWithEffect((context: Context.Context<R | Steps>) => {
    const { begins, find, schema, step } = spec
    const isOthers = (one: A) =>
      Option.match(spec.isOthers, {
        onNone: () => Effect.succeed(false),
        onSome: (is) => Effect.provide(is(one), context)
      })
    const attempt = Context.get(context, Steps)
    if (attempt.names.has(step)) {
      return Effect.die(new StepDefect({ step, reason: "the name is used twice in this order" }))
    }
    attempt.names.add(step)
    return Effect.flatMap(attempt.journal.entries, (entries): Effect.Effect<A, E | StepError, R> => {
      const state = stepState(entries, step)
      const earlier = Option.map(state.result, Schema.decodeUnknownEither(schema))
      if (Option.isSome(earlier) && Either.isLeft(earlier.value)) {
        const reason = `its result in the journal does not fit any more. ${earlier.value.left.message}`
        return Effect.die(new StepDefect({ step, reason }))
      }
      const known = Option.flatMap(earlier, Either.getRight)
      const made = MutableRef.make(known)
      const register = (): void => {
        if (Option.isNone(spec.undo)) return
        const undo = spec.undo.value
        const undoWhatIsFound = (find: Effect.Effect<Option.Option<A>, E, R>, undo: Undo<A, E, R>) =>
          Effect.flatMap(Effect.zip(attempt.journal.entries, wholeStory(attempt.journal)), ([now, all]) =>
            stepState(now, step).madeNothing
              ? Effect.void
              : Effect.flatMap(making(lookFor(leavingOthers(find), state), lookingFor(all, step)), undo)
          )
        const performed = {
          step,
          undo: Effect.suspend(() => {
            const now = MutableRef.get(made)
            return Option.isNone(now) && Option.isSome(find)
              ? undoWhatIsFound(find.value, undo)
              : ifOurs(step, attempt, now, isOthers, Effect.provide(undo(now), context))
          }).pipe(Effect.provide(context))
        }
        MutableRef.update(attempt.performed, (all) => [...all, performed])
      }
      const isSubject = Option.isSome(spec.isOthers)
      const isAbout = (subjects: MutableRef.MutableRef<ReadonlyArray<Subject>>, one: A): void => {
        MutableRef.update(subjects, (all) => [...all, { step, isOthers: isOthers(one) }])
      }
      if (state.begun && !state.undone) register()
      markReached(attempt, step)
      if (Option.isSome(known)) {
        if (isSubject) isAbout(attempt.unseen, known.value)
        if (isSubject && begins === "looking") isAbout(attempt.chosen, known.value)
        return Effect.succeed(known.value)
      }
      if (attempt.direction === "undoing") return Effect.never
      if (attempt.direction === "recalling")
        return Effect.fail(new NotYet({ reason: `Step "${step}" is not in the journal.` }))
      const carried = carriedOut(spec, { attempt, state, entries, made, register })
      return isSubject && begins === "looking"
        ? Effect.map(carried, (value) => {
            isAbout(attempt.chosen, value)
            return value
          })
        : carried
    })
  })

interface Reached<A> {
  readonly attempt: Attempt
  readonly entries: ReadonlyArray<JournalEntry>
  readonly state: StepState
  /** For its undo. */
  readonly made: MutableRef.MutableRef<Option.Option<A>>
  readonly register: () => void
}

/** Waits for the disk only where a power cut could take something that matters (docs/decisions/0083-what-a-power-cut-may-take.md). */
const begin = (
  step: string,
  begins: Begins,
  makes: boolean,
  { journal, mark, mayForget }: Attempt
): Effect.Effect<void, JournalError> =>
  Effect.suspend(() => {
    if (begins === "looking" || (begins === "again" && !MutableRef.get(mayForget))) return journal.announce(step)
    // Before it is written: what is noted meanwhile may not be with it.
    MutableRef.set(mayForget, false)
    return journal.append(step, "started", makes ? startedBy(mark) : undefined)
  })

const carriedOut = <A, I, E extends SiteError, R>(
  { act, begins, find, looks, schema, step }: Step<A, I, E, R>,
  { attempt, entries, made, register, state }: Reached<A>
): Effect.Effect<A, E | StepError, R> =>
  Effect.gen(function* () {
    const finish = (event: "finished" | "adopted", value: A) =>
      Effect.suspend(() => {
        MutableRef.set(made, Option.some(value))
        const result = Schema.encodeSync(schema)(value)
        return Effect.map(attempt.journal.note(step, event, result), () => {
          // What was made is found again, not made anew.
          if (Option.isNone(find) && result !== null) MutableRef.set(attempt.mayForget, true)
          return value
        })
      }).pipe(Effect.uninterruptible)

    // Together, so that nothing can be begun without being known to the undo.
    const beginning = Effect.uninterruptible(
      Effect.map(begin(step, begins, Option.isSome(find), attempt), () => {
        if (!state.begun) register()
      })
    )
    const changes = begins !== "looking" && looks !== true
    if (changes && MutableRef.get(attempt.unseen).length > 0) yield* assertOurs(attempt)
    const mayBeBegun = !state.begun && isRestored(entries)
    if (mayBeBegun) yield* beginning
    if (Option.isSome(find) && ((state.begun && !state.madeNothing) || mayBeBegun)) {
      const left = yield* making(lookFor(find.value, state), lookingFor(yield* wholeStory(attempt.journal), step))
      if (Option.isSome(left)) return yield* finish("adopted", left.value)
    }
    if (!mayBeBegun) yield* beginning
    // Writing it down may have taken its time, as may the look.
    const acted = Option.isSome(find)
      ? making(act, madeBy(yield* wholeStory(attempt.journal), step, attempt.mark))
      : act
    const value = yield* Effect.tapError(Effect.zipRight(stillOurs, acted), (error) =>
      // Begun and not over is what a parked step is.
      error instanceof Parked
        ? Effect.void
        : error instanceof RivalAtWork
          ? Effect.zipRight(
              attempt.journal.note(step, heldBack),
              attempt.journal.append(step, "interrupted", error.message)
            )
          : attempt.journal.append(step, error.disposition === "fail-order" ? "failed" : "interrupted", error.message)
    )
    // It has seen what it was about.
    if (looks === true) MutableRef.set(attempt.unseen, [])
    return yield* finish("finished", value)
  }).pipe(
    // What is said and called within the step is about it (`runtime/activity/recorder.ts`).
    saying({ step }),
    spanned(`step ${step}`)
  )

/**
 * The one way in which a step of any kind (`steps.ts`) happens. What is remembered of it is answered at once: after a restart that is nearly all of a
 * handler. Otherwise it is begun in the journal, what an earlier attempt may have left is looked for, and only where there is none is it done.
 */
import { Context, Data, Deferred, Effect, Either, MutableRef, Option, Schema } from "effect"
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

/** A bug in a handler: two steps of one name, or a step whose journalled result no longer fits its schema. */
export class StepDefect extends Data.TaggedError("StepDefect")<{ readonly step: string; readonly reason: string }> {
  override get message(): string {
    return `Step "${this.step}": ${this.reason}`
  }
}

/**
 * What a power cut may take of a step. `once`: nothing, as later attempts look for it or undo it. `again`: that it was begun, as it would be done
 * again. `looking`: the same, and as it changes nothing, it may rest on what could still be taken.
 */
type Begins = "once" | "again" | "looking"

type Undo<A, E, R> = (made: Option.Option<A>) => Effect.Effect<void, E, R>

export interface Step<A, I, E extends SiteError, R> {
  readonly step: string
  readonly schema: Schema.Schema<A, I>
  readonly begins: Begins
  readonly find: Option.Option<Effect.Effect<Option.Option<A>, E, R>>
  readonly act: Effect.Effect<A, E, R>
  readonly undo: Option.Option<Undo<A, E, R>>
  readonly isOthers: Option.Option<IsOthers<A, E, R>>
  readonly looks?: boolean
}

/** A step that an attempt has come to, and what the journal says of it. */
interface Reached<A, R> {
  readonly attempt: Attempt
  readonly context: Context.Context<R>
  readonly entries: ReadonlyArray<JournalEntry>
  readonly state: StepState
  /** For its undo. */
  readonly made: MutableRef.MutableRef<Option.Option<A>>
}

export const perform = <A, I, E extends SiteError, R>(
  spec: Step<A, I, E, R>
): Effect.Effect<A, E | StepError, R | Steps> =>
  Effect.contextWithEffect((context: Context.Context<R | Steps>) => {
    const { step } = spec
    const attempt = Context.get(context, Steps)
    if (attempt.names.has(step)) {
      return Effect.die(new StepDefect({ step, reason: "the name is used twice in this order" }))
    }
    attempt.names.add(step)
    return Effect.flatMap(attempt.journal.entries, (entries): Effect.Effect<A, E | StepError, R> => {
      const state = stepState(entries, step)
      const earlier = Option.map(state.result, Schema.decodeUnknownEither(spec.schema))
      if (Option.isSome(earlier) && Either.isLeft(earlier.value)) {
        const reason = `its result in the journal does not fit any more. ${earlier.value.left.message}`
        return Effect.die(new StepDefect({ step, reason }))
      }
      const known = Option.flatMap(earlier, Either.getRight)
      const reached = { attempt, context, entries, state, made: MutableRef.make(known) }
      if (state.begun && !state.undone) register(spec, reached)
      markReached(attempt, step)
      if (Option.isSome(known)) {
        addSubject(attempt.unseen, spec, reached, known.value)
        if (spec.begins === "looking") addSubject(attempt.chosen, spec, reached, known.value)
        return Effect.succeed(known.value)
      }
      if (attempt.direction === "undoing") return Effect.never
      if (attempt.direction === "recalling")
        return Effect.fail(new NotYet({ reason: `Step "${step}" is not in the journal.` }))
      const carried = carriedOut(spec, reached)
      return Option.isSome(spec.isOthers) && spec.begins === "looking"
        ? Effect.map(carried, (value) => {
            addSubject(attempt.chosen, spec, reached, value)
            return value
          })
        : carried
    })
  })

/** Nobody else's where the step has no way to tell. */
const isOthersBy =
  <A, I, E extends SiteError, R>({ isOthers }: Step<A, I, E, R>, { context }: Reached<A, R>) =>
  (one: A): Effect.Effect<boolean, E> =>
    Option.match(isOthers, {
      onNone: () => Effect.succeed(false),
      onSome: (is) => Effect.provide(is(one), context)
    })

/** The order is about this by now, for as long as it is nobody else's. */
const addSubject = <A, I, E extends SiteError, R>(
  subjects: MutableRef.MutableRef<ReadonlyArray<Subject>>,
  spec: Step<A, I, E, R>,
  reached: Reached<A, R>,
  one: A
): void => {
  if (Option.isNone(spec.isOthers)) return
  const subject = { step: spec.step, isOthers: isOthersBy(spec, reached)(one) }
  MutableRef.update(subjects, (all) => [...all, subject])
}

/** From now on it is undone if the order fails. */
const register = <A, I, E extends SiteError, R>(spec: Step<A, I, E, R>, reached: Reached<A, R>): void => {
  if (Option.isNone(spec.undo)) return
  const performed = { step: spec.step, undo: undoOf(spec, spec.undo.value, reached) }
  MutableRef.update(reached.attempt.performed, (all) => [...all, performed])
}

/** By what is known of it when it is undone; where nothing is, by what is found. */
const undoOf = <A, I, E extends SiteError, R>(
  spec: Step<A, I, E, R>,
  undo: Undo<A, E, R>,
  reached: Reached<A, R>
): Effect.Effect<void, SiteError> => {
  const { find, step } = spec
  const { attempt, context, made, state } = reached
  const undoWhatIsFound = (find: Effect.Effect<Option.Option<A>, E, R>) =>
    Effect.flatMap(Effect.zip(attempt.journal.entries, wholeStory(attempt.journal)), ([now, all]) =>
      stepState(now, step).madeNothing
        ? Effect.void
        : Effect.flatMap(making(lookFor(leavingOthers(find), state), lookingFor(all, step)), undo)
    )
  return Effect.suspend(() => {
    const now = MutableRef.get(made)
    return Option.isNone(now) && Option.isSome(find)
      ? Effect.provide(undoWhatIsFound(find.value), context)
      : ifOurs(step, attempt, now, isOthersBy(spec, reached), Effect.provide(undo(now), context))
  })
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

/** Writes down what it came to; with what comes next, as nothing rests on it until then. */
const finish = <A, I, E extends SiteError, R>(
  { find, schema, step }: Step<A, I, E, R>,
  { attempt, made }: Reached<A, R>,
  event: "finished" | "adopted",
  value: A
): Effect.Effect<A, JournalError> =>
  Effect.suspend(() => {
    MutableRef.set(made, Option.some(value))
    const result = Schema.encodeSync(schema)(value)
    return Effect.map(attempt.journal.note(step, event, result), () => {
      // What was made is found again, not made anew.
      if (Option.isNone(find) && result !== null) MutableRef.set(attempt.mayForget, true)
      return value
    })
  }).pipe(Effect.uninterruptible)

const noteError = (step: string, { journal }: Attempt, error: SiteError): Effect.Effect<void, JournalError> => {
  // Begun and not over is what a parked step is.
  if (error instanceof Parked) return Effect.void
  const event = error.disposition === "fail-order" ? "failed" : "interrupted"
  const noted = journal.append(step, event, error.message)
  return error instanceof RivalAtWork ? Effect.zipRight(journal.note(step, heldBack), noted) : noted
}

const carriedOut = <A, I, E extends SiteError, R>(
  spec: Step<A, I, E, R>,
  reached: Reached<A, R>
): Effect.Effect<A, E | StepError, R> =>
  Effect.gen(function* () {
    const { act, begins, find, looks, step } = spec
    const { attempt, entries, state } = reached
    // Together, so that nothing can be begun without being known to the undo.
    const beginning = Effect.uninterruptible(
      Effect.map(begin(step, begins, Option.isSome(find), attempt), () => {
        if (!state.begun) register(spec, reached)
      })
    )
    // What is looked up is of no consequence until it is written down.
    const early =
      begins === "looking" && !(yield* Deferred.isDone(attempt.mayBegin))
        ? Option.some(yield* Effect.either(Effect.zipRight(stillOurs, act)))
        : Option.none()
    yield* Deferred.await(attempt.mayBegin)
    const changes = begins !== "looking" && looks !== true
    if (changes && MutableRef.get(attempt.unseen).length > 0) yield* assertOurs(attempt)
    const mayBeBegun = !state.begun && isRestored(entries)
    if (mayBeBegun) yield* beginning
    if (Option.isSome(find) && ((state.begun && !state.madeNothing) || mayBeBegun)) {
      const left = yield* making(lookFor(find.value, state), lookingFor(yield* wholeStory(attempt.journal), step))
      if (Option.isSome(left)) return yield* finish(spec, reached, "adopted", left.value)
    }
    if (!mayBeBegun) yield* beginning
    const acted = Option.isSome(find)
      ? making(act, madeBy(yield* wholeStory(attempt.journal), step, attempt.mark))
      : Option.getOrElse(early, () => act)
    // Writing it down may have taken its time, as may the look.
    const value = yield* Effect.tapError(Effect.zipRight(stillOurs, acted), (error) => noteError(step, attempt, error))
    // It has seen what it was about.
    if (looks === true) MutableRef.set(attempt.unseen, [])
    return yield* finish(spec, reached, "finished", value)
  }).pipe(
    // What is said and called within the step is about it (`runtime/activity/recorder.ts`).
    saying({ step: spec.step }),
    spanned(`step ${spec.step}`)
  )

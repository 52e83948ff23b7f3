/**
 * Which agent has made something: what two of them make for one order has the same owner tag, as both take the order for theirs.
 *
 * Each attempt at an order draws a mark, which is written down where a step begins to make something, and goes into what it makes. So what a step of this
 * journal has made carries a mark that this journal has for that step, whichever process wrote it, and whatever has crashed in between. What carries
 * another one was made by an agent with another journal, be it a copy of this one.
 */
import { randomBytes } from "node:crypto"
import { Effect, FiberRef, Option, Schema } from "effect"
import { isOfLostJournal, isRestored, type JournalEntry } from "./journal.js"

/** 72 bits. By the system's generator: one that begins with a seed would go on alike in a machine that was copied while it ran. */
export const drawMark: Effect.Effect<string> = Effect.sync(() => randomBytes(9).toString("base64url"))

const Started = Schema.Struct({ mark: Schema.String })
/** What is written down with the beginning of a step that makes something. */
export const startedBy = (mark: string): typeof Started.Type => ({ mark })
const markIn = Schema.decodeUnknownOption(Started)

/** Whose an object with the order's tag is. One without a mark is this step's if that was begun by a version that gave none. */
export type Maker = "this step" | "another agent"

interface Making {
  /** For what is made now. */
  readonly mark: string
  /** Has no attempt before begun the step? Then no call of its own can come late. */
  readonly isFirst: boolean
  readonly makerOf: (mark: Option.Option<string>) => Maker
}

const none: Making = { mark: "", isFirst: true, makerOf: () => "this step" }
const current: FiberRef.FiberRef<Making> = FiberRef.unsafeMake(none)

/** Of a step: another agent has made what it would make. */
export const heldBack = "held back"

const counted = (entries: ReadonlyArray<JournalEntry>, step: string, event: string): number =>
  entries.filter((entry) => entry.step === step && entry.event === event).length

/**
 * By what the journal says of a step. In an order that may have been begun elsewhere (`isRestored`), what has its tag and no mark is this step's. Where its
 * journal was lost, or is an older copy, so is what has a mark that it does not know; a journal that is older than the order has lost none.
 */
export const madeBy = (entries: ReadonlyArray<JournalEntry>, step: string, mark: string): Making => ({
  mark,
  isFirst: counted(entries, step, "started") - counted(entries, step, heldBack) <= 1,
  makerOf: (found) => {
    const isOwn = entries.some(
      (entry) =>
        entry.step === step &&
        entry.event === "started" &&
        Option.getOrUndefined(markIn(entry.data))?.mark === Option.getOrUndefined(found)
    )
    const isLost = Option.isSome(found) ? isOfLostJournal(entries) : isRestored(entries)
    return isOwn || isLost ? "this step" : "another agent"
  }
})

/** For a look: what it tags was made by the last beginning of the step, whose mark is in the journal; that of this attempt is not, or not yet. */
export const lookingFor = (entries: ReadonlyArray<JournalEntry>, step: string): Making => {
  const last = entries.findLast((entry) => entry.step === step && entry.event === "started")
  return madeBy(entries, step, Option.getOrUndefined(markIn(last?.data))?.mark ?? "")
}

/** Is it a mark of one of the order's attempts, at whichever step? */
export const isMarkOf = (entries: ReadonlyArray<JournalEntry>, mark: string): boolean =>
  entries.some(({ data, event }) => event === "started" && Option.getOrUndefined(markIn(data))?.mark === mark)

/** What is looked for or made within it is about this step. */
export const making = <A, E, R>(work: Effect.Effect<A, E, R>, what: Making): Effect.Effect<A, E, R> =>
  Effect.locally(work, current, what)

/** For what the step makes: to be put beside its owner tag. Empty outside of a step that makes something. */
export const ownMark: Effect.Effect<string> = Effect.map(FiberRef.get(current), ({ mark }) => mark)

/** Who has made what carries the order's tag and this mark, or none? Asked within `find` and `create` of a `make`. */
export const makerOf = (mark: Option.Option<string>): Effect.Effect<Maker> =>
  Effect.map(FiberRef.get(current), (now) => now.makerOf(mark))

/** Is it the first time that the step is begun? If not, what has just come may be what an earlier call of its own has made. */
export const isFirstCall: Effect.Effect<boolean> = Effect.map(FiberRef.get(current), ({ isFirst }) => isFirst)

/** What the journal says of an order's steps: for a run of its handler, and for whoever has to know without one. */
import { Option, Schema } from "effect"
import type { JournalEntry } from "./journal.js"
import { heldBack } from "./marks.js"

/** What the journal says of a step: never begun, begun with unknown outcome, or finished with a result (maybe undone since). */
export interface StepState {
  readonly begun: boolean
  readonly undone: boolean
  readonly result: Option.Option<unknown>
  /** Begun, and nobody has heard what came of it: its process has died since, or the call had no answer. */
  readonly unheardOf: boolean
  /** Its last call was refused because another agent has made what it would make: nothing is to be looked for. */
  readonly madeNothing: boolean
}
export const stepState = (entries: ReadonlyArray<JournalEntry>, step: string): StepState => {
  let begun = false
  let undone = false
  let finished: JournalEntry | undefined
  // Of the way forward: what an undo says of itself changes nothing of what was called before it.
  let before: string | undefined
  let last: string | undefined
  for (const entry of entries) {
    if (entry.step !== step) continue
    const { event } = entry
    begun = true
    undone = event === "undone"
    if (event === "undoing" || event === "undo-failed") continue
    before = last
    last = event
    if (event === "finished" || event === "adopted") finished = entry
  }
  return {
    begun,
    undone,
    result: finished === undefined ? Option.none() : Option.some(finished.data),
    unheardOf: last === "started" || (last === "interrupted" && before !== heldBack),
    madeNothing: last === "interrupted" && before === heldBack
  }
}

/** What the steps of an order have noted so far, for whoever has to know without running its handler. */
export interface Noted {
  /** What the step came to. None: it has not ended, was undone, or what it came to does not fit. */
  readonly result: <A, I>(step: string, result: Schema.Schema<A, I>) => Option.Option<A>
  /** It was begun, and nothing is known of an end: where the order was when its process ended, if steps come one after the other. */
  readonly isAt: (step: string) => boolean
}
export const notedIn = (entries: ReadonlyArray<JournalEntry>): Noted => ({
  result: (step, result) => {
    const state = stepState(entries, step)
    return state.undone ? Option.none() : Option.flatMap(state.result, Schema.decodeUnknownOption(result))
  },
  isAt: (step) => entries.findLast((entry) => entry.step === step)?.event === "started"
})

/**
 * Orders that are parked: one that waits for long ends its fibers and is taken up again from its journal when there is something to see. What
 * remains of it is a note of some hundred bytes, where its fibers weigh two hundred kilobytes.
 *
 * Only a step that may be done again without harm may park (`ensure`), and one that gets on at once when it is done again.
 */
import { Data, FiberRef } from "effect"

/** Not a failure: there is nothing to do for the order until what it waits for has come to something. */
export class Parked extends Data.TaggedError("Parked")<{
  /** Has `tell` called once, at any time from now on; gives what takes that back. */
  readonly watch: (tell: () => void) => () => void
  /** ms. After so long it is taken up again in any case. */
  readonly within: number
}> {
  readonly disposition = "retry" as const
  override get message(): string {
    return "It waits, and is taken up again when what it waits for has come to something."
  }
}

/** Taken up again after `rest` ms at the latest. */
export const parkedWithin = (parked: Parked, rest: number): Parked =>
  rest >= parked.within ? parked : new Parked({ watch: parked.watch, within: Math.max(rest, 0) })

/** After so many ms of waiting a step may park. Never, unless whoever runs the order can take it up again. */
export const parksAfter: FiberRef.FiberRef<number> = FiberRef.unsafeMake(Number.POSITIVE_INFINITY)

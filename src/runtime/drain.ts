/**
 * What an end waits for, told while it does: as a bar to whoever listens (`progress.ts`), as lines to the log. Orders are left where they are,
 * which takes no time, but for calls that change something: these are seen to their end, up to a minute long (docs/decisions/0049).
 */
import { Clock, Duration, Effect } from "effect"
import { countOf, type OrderId } from "../core/index.js"
import type { Recorder } from "./activity/recorder.js"
import { tell } from "./progress.js"

export interface Ending {
  readonly atWork: ReadonlySet<OrderId>
  /** Calls that have begun and not ended, the oldest first. */
  readonly underWay: (typeof Recorder.Service)["underWay"]
}

const look = Duration.millis(200)
/** An end that takes no longer than this needs no further line. */
const patience = 2_000
const between = 10_000

/** "one.template.instantiate 7, for 3 s": the one that is waited for the longest. */
const oldest = ({ underWay }: Ending, now: number): string => {
  const [call] = underWay()
  if (call === undefined) return "its last entry in the journal"
  return `${call.call} ${call.about}`.trimEnd().concat(`, for ${Math.round((now - call.since) / 1000)} s`)
}

/** From the word that it ends until no actor is at an order any more. Where none is, one line: without it a log ends as after a kill -9. */
export const tellOfEnd = (ending: Ending): Effect.Effect<void> =>
  Effect.gen(function* () {
    const total = ending.atWork.size
    if (total === 0) return yield* Effect.logInfo("Stops: no order is in work")
    const began = yield* Clock.currentTimeMillis
    yield* Effect.logInfo(`Stops: ${countOf(total, "order")} in work, to go on at the next start from where they are`)
    let said = began + patience - between
    while (ending.atWork.size > 0) {
      const now = yield* Clock.currentTimeMillis
      const left = ending.atWork.size
      yield* tell({ what: "stops", done: total - left, total, now: oldest(ending, now) })
      if (now - said >= between) {
        said = now
        yield* Effect.logInfo(`Stops: still ${countOf(left, "order")} of ${total}, waits for ${oldest(ending, now)}`)
      }
      yield* Effect.sleep(look)
    }
    const took = (yield* Clock.currentTimeMillis) - began
    yield* tell({ what: "stops", done: total, total })
    const left = total === 1 ? "the order is left where it is" : "all orders are left where they are"
    yield* Effect.logInfo(`Stops: ${left}, after ${(took / 1000).toFixed(1)} s`)
  })

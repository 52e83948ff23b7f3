/**
 * One line at the bottom of a terminal that says how far something long has come: counts where there is something to count, a bar of the
 * time where there is something to wait for. It goes to stderr, and only where that is a terminal and nobody asked for `--json`.
 */
import { Clock, Duration, Effect, Ref, Schedule } from "effect"
import { type Progress, progressListener, tell } from "../progress.js"
import { fitted, tame } from "./cells.js"
import { span } from "./times.js"

/** Where the line goes. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
}

const width = 24
const bar = (part: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * width)
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`
}

/** "migrates resources  [####--------]  12 of 40  3.1 s  acme". `elapsed` in ms. */
export const lineOf = ({ done, now, total, what }: Progress, elapsed: number, columns: number): string => {
  const counts = total === undefined ? [] : [bar(total === 0 ? 1 : done / total), `${done} of ${total}`]
  const text = [what, ...counts, span(elapsed), ...(now === undefined ? [] : [now])].join("  ")
  // A line that wraps could not be taken back.
  return fitted(tame(text), Math.max(0, columns - 1))
}

const erase = "\r\u001b[2K"

/** Whether somebody sees such a line. */
export const isShown = (
  json: boolean,
  screen: Screen = process.stderr,
  environment: Readonly<Record<string, string | undefined>> = process.env
): boolean => !json && screen.isTTY === true && environment.TERM !== "dumb"

/** What is told inside stands on the last line of the screen, and goes when it is over; what is printed inside stands above it. */
export const showing =
  (
    json: boolean,
    screen: Screen = process.stderr,
    environment: Readonly<Record<string, string | undefined>> = process.env
  ) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    if (!isShown(json, screen, environment)) return work
    return Effect.gen(function* () {
      const shown = yield* Ref.make<{ readonly progress: Progress; readonly since: number } | undefined>(undefined)
      const write = (text: string) => Effect.sync(() => void screen.write(text))
      const draw = Effect.gen(function* () {
        const last = yield* Ref.get(shown)
        if (last === undefined) return
        const elapsed = (yield* Clock.currentTimeMillis) - last.since
        // A terminal that was told no size has 0.
        const columns = screen.columns === undefined || screen.columns === 0 ? 80 : screen.columns
        yield* write(`${erase}${lineOf(last.progress, elapsed, columns)}`)
      })
      const listen = (progress: Progress) =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          // The time is that of the whole, not of its last part.
          yield* Ref.update(shown, (last) => ({
            progress,
            since: progress.since ?? (last?.progress.what === progress.what ? last.since : at)
          }))
          yield* draw
          if (progress.total === undefined || progress.done < progress.total) return
          // What goes on after it may not tell how far it is.
          yield* Ref.set(shown, undefined)
          yield* write(erase)
        })
      yield* Effect.forkScoped(Effect.repeat(draw, Schedule.spaced("500 millis")))
      const own = yield* Effect.console
      const above = {
        ...own,
        log: (...words: ReadonlyArray<unknown>) => Effect.zipRight(write(erase), own.log(...words)),
        error: (...words: ReadonlyArray<unknown>) => Effect.zipRight(write(erase), own.error(...words)),
        // Which the lines of the log go by.
        unsafe: {
          ...own.unsafe,
          log: (...words: ReadonlyArray<unknown>) => {
            screen.write(erase)
            own.unsafe.log(...words)
          }
        }
      }
      return yield* Effect.locally(work, progressListener, listen).pipe(
        Effect.withConsole(above),
        Effect.ensuring(Effect.zipRight(Ref.set(shown, undefined), write(erase)))
      )
    }).pipe(Effect.scoped)
  }

/** A wait that ends in `patience` at the latest: its bar is the time. */
export const waiting =
  (what: string, patience: Duration.DurationInput) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const total = Math.round(Duration.toSeconds(patience))
    const tick = Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      yield* Effect.repeat(
        Effect.flatMap(Clock.currentTimeMillis, (at) =>
          tell({ what, done: Math.min(total, Math.floor((at - began) / 1000)), total, now: "seconds at most" })
        ),
        Schedule.spaced("1 second")
      )
    })
    return Effect.scoped(Effect.zipRight(Effect.forkScoped(tick), work))
  }

/** How far something long has come, told to whoever listens: a command at a terminal, and else nobody. */
import { Effect, FiberRef } from "effect"

export interface Progress {
  /** "migrates resources" */
  readonly what: string
  readonly done: number
  /** Of how many. Absent: that is not known. */
  readonly total?: number
  /** What is in work. */
  readonly now?: string
  /** When it began, if that was before it was first told; ms since 1970. */
  readonly since?: number
}

export type ProgressListener = (progress: Progress) => Effect.Effect<void>

export const progressListener: FiberRef.FiberRef<ProgressListener> = FiberRef.unsafeMake<ProgressListener>(
  () => Effect.void
)

export const tell = (progress: Progress): Effect.Effect<void> =>
  Effect.flatMap(FiberRef.get(progressListener), (listener) => listener(progress))

export interface Counting<A> {
  readonly what: string
  readonly concurrency?: number
  /** What is in work, with this one. */
  readonly now?: (item: A) => string
}

/** `Effect.forEach`, with the count told as it goes. */
export const counted = <A, B, E, R>(
  items: ReadonlyArray<A>,
  { concurrency = 1, now, what }: Counting<A>,
  work: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<Array<B>, E, R> =>
  Effect.suspend(() => {
    let done = 0
    const total = items.length
    return Effect.forEach(
      items,
      (item) =>
        Effect.suspend(() => tell({ what, done, total, ...(now === undefined ? {} : { now: now(item) }) })).pipe(
          Effect.zipRight(work(item)),
          Effect.tap(() => {
            done += 1
            return tell({ what, done, total })
          })
        ),
      { concurrency }
    )
  })

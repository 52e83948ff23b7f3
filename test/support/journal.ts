/** A journal in memory, which outlives the handlers that write to it: what a restart finds. */
import { Clock, Effect, Layer, Ref } from "effect"
import {
  type JournalEntry,
  type JournalError,
  OrderId,
  type OrderJournal,
  type Range,
  Reservations,
  ResourceId
} from "../../src/core/index.js"

export interface MemoryJournal extends OrderJournal {
  /** Called before an entry is kept; failing it is a journal that cannot be written, or a process that died here. */
  readonly onAppend: Ref.Ref<(step: string, event: string) => Effect.Effect<void, JournalError>>
  /** "group started", "group finished", ... */
  readonly story: Effect.Effect<ReadonlyArray<string>>
  /** Forgets what nobody has waited for. */
  readonly losePower: Effect.Effect<void>
}

const noCheck = (): Effect.Effect<void> => Effect.void

export const makeMemoryJournal = (
  ids: { readonly order?: string; readonly resource?: string } = {}
): Effect.Effect<MemoryJournal> =>
  Effect.gen(function* () {
    const entries = yield* Ref.make<ReadonlyArray<JournalEntry>>([])
    const onAppend = yield* Ref.make<(step: string, event: string) => Effect.Effect<void, JournalError>>(noCheck)
    const onDisk = yield* Ref.make(0)
    const note: OrderJournal["note"] = (step, event, data) =>
      Effect.gen(function* () {
        yield* (yield* Ref.get(onAppend))(step, event)
        const at = yield* Clock.currentTimeMillis
        // Through JSON, as a database keeps it: what does not survive that must not be relied on.
        const kept: unknown = data === undefined ? undefined : JSON.parse(JSON.stringify(data))
        yield* Ref.update(entries, (all) => [
          ...all,
          { step, event, at, ...(kept === undefined ? {} : { data: kept }) }
        ])
      })
    const append: OrderJournal["append"] = (step, event, data) =>
      Effect.zipRight(
        note(step, event, data),
        Effect.flatMap(Ref.get(entries), (all) => Ref.set(onDisk, all.length))
      )
    return {
      order: OrderId.make(ids.order ?? "0".repeat(31).concat("1")),
      resource: ResourceId.make(ids.resource ?? "0".repeat(31).concat("2")),
      entries: Ref.get(entries),
      onAppend,
      story: Effect.map(Ref.get(entries), (all) => all.map((entry) => `${entry.step} ${entry.event}`)),
      losePower: Effect.flatMap(Ref.get(onDisk), (kept) => Ref.update(entries, (all) => all.slice(0, kept))),
      append,
      announce: (step) => note(step, "started"),
      note
    }
  })

/** Reservations in memory, shared by all orders of a test. */
export const memoryReservations: Layer.Layer<Reservations> = Layer.effect(
  Reservations,
  Effect.map(Ref.make<ReadonlyArray<Range & { readonly pool: string; readonly resource: ResourceId }>>([]), (held) =>
    Reservations.of({
      reserve: (pool, resource, candidates) =>
        Ref.modify(held, (all) => {
          const own = all.find((range) => range.pool === pool && range.resource === resource)
          if (own !== undefined) return [{ first: own.first, last: own.last }, all]
          for (const { first, last } of candidates) {
            const free = all.every((other) => other.pool !== pool || other.first > last || other.last < first)
            if (free) return [{ first, last }, [...all, { pool, resource, first, last }]]
          }
          return [undefined, all]
        }),
      release: (pool, resource) =>
        Ref.update(held, (all) => all.filter((range) => range.pool !== pool || range.resource !== resource))
    })
  )
)

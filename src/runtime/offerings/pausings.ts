/** Offerings that an operator has paused. Written down: a restart does not resume them. */
import { SqlClient } from "@effect/sql"
import { Clock, Context, Effect, Layer, Ref } from "effect"
import type { JournalUnavailable, OfferingId } from "../../core/index.js"
import { unavailable } from "../database/sql.js"
import { Offerings } from "./offering.js"

export interface Pausing {
  readonly offering: OfferingId
  readonly who: string
  /** The operator's own words; may be empty. */
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export class Pausings extends Context.Tag("site-actors/runtime/Pausings")<
  Pausings,
  {
    readonly all: Effect.Effect<ReadonlyMap<OfferingId, Pausing>>
    /** Nothing is begun from now on; what is in work goes on to its end. */
    readonly pause: (offering: OfferingId, who: string, reason: string) => Effect.Effect<void, JournalUnavailable>
    readonly resume: (offering: OfferingId) => Effect.Effect<void, JournalUnavailable>
    /** Heeds what was said in another process meanwhile. */
    readonly refresh: Effect.Effect<void, JournalUnavailable>
    /** Has an offering that was just opened heed its pause, if it has one. */
    readonly apply: (offering: OfferingId) => Effect.Effect<void>
  }
>() {
  static readonly layer: Layer.Layer<Pausings, JournalUnavailable, SqlClient.SqlClient | Offerings> = Layer.effect(
    Pausings,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const offerings = yield* Offerings
      const written = Effect.map(
        unavailable(sql<Pausing>`SELECT offering, who, reason, since FROM offering_pause`),
        (rows) => new Map<OfferingId, Pausing>(rows.map((row) => [row.offering, row]))
      )
      const paused = yield* written
      const apply = (offering: OfferingId) =>
        Effect.flatMap(Ref.get(offerings), (open) => {
          const pausing = paused.get(offering)
          return open.get(offering)?.health.hold(pausing === undefined ? undefined : sentenceOf(pausing)) ?? Effect.void
        })
      return {
        all: Effect.sync(() => new Map(paused)),
        apply,
        refresh: Effect.gen(function* () {
          const now = yield* written
          for (const offering of new Set([...paused.keys(), ...now.keys()])) {
            const pausing = now.get(offering)
            if (pausing?.since === paused.get(offering)?.since) continue
            if (pausing === undefined) paused.delete(offering)
            else paused.set(offering, pausing)
            yield* apply(offering)
          }
        }),
        pause: (offering, who, reason) =>
          Effect.gen(function* () {
            const since = yield* Clock.currentTimeMillis
            yield* unavailable(sql`INSERT INTO offering_pause (offering, who, reason, since)
              VALUES (${offering}, ${who}, ${reason}, ${since}) ON CONFLICT (offering) DO NOTHING`)
            if (!paused.has(offering)) paused.set(offering, { offering, who, reason, since })
            yield* apply(offering)
          }),
        resume: (offering) =>
          Effect.gen(function* () {
            yield* unavailable(sql`DELETE FROM offering_pause WHERE offering = ${offering}`)
            paused.delete(offering)
            yield* apply(offering)
          })
      }
    })
  )
}

export const sentenceOf = ({ reason, who }: Pick<Pausing, "who" | "reason">): string =>
  `Paused by ${who}${reason === "" ? "." : `: ${reason}`}`

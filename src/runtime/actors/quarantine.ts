/**
 * Actors that were stopped by a defect: their orders stay executing and are left alone, everything else goes on.
 *
 * Kept in memory: a restart, most likely with the bug mended, tries again.
 */
import { SqlClient } from "@effect/sql"
import { Context, Effect, Layer, Ref } from "effect"
import type { OrderId, ResourceId } from "../../core/index.js"

export interface Quarantined {
  readonly resource: ResourceId
  readonly order: OrderId
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly since: number
}

const inMemory = Effect.map(Ref.make<ReadonlyMap<ResourceId, Quarantined>>(new Map()), (held) => ({
  put: (entry: Quarantined) => Ref.update(held, (all) => new Map([...all, [entry.resource, entry]])),
  holds: (resource: ResourceId) => Effect.map(Ref.get(held), (all) => all.has(resource)),
  release: (resource: ResourceId) => Ref.update(held, (all) => new Map([...all].filter(([key]) => key !== resource))),
  all: Effect.map(Ref.get(held), (all): ReadonlyArray<Quarantined> => [...all.values()])
}))

export class Quarantine extends Context.Tag("site-actors/runtime/Quarantine")<
  Quarantine,
  {
    readonly put: (entry: Quarantined) => Effect.Effect<void>
    readonly holds: (resource: ResourceId) => Effect.Effect<boolean>
    readonly release: (resource: ResourceId) => Effect.Effect<void>
    readonly all: Effect.Effect<ReadonlyArray<Quarantined>>
  }
>() {
  static readonly layer = Layer.effect(this, inMemory)

  /** One of several processes: holds those of its own, and knows of all from the journal. */
  static readonly several = Layer.effect(
    this,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const own = yield* inMemory
      const everywhere = Effect.orElse(
        sql<Quarantined>`SELECT resource_id AS resource, order_id AS "order", last AS reason, last_at AS since
          FROM known_order WHERE state = 'quarantined' ORDER BY seq`,
        () => own.all
      )
      return { ...own, all: everywhere }
    })
  )
}

/**
 * Actors that were stopped by a defect: their orders stay executing and are left alone, everything else goes on.
 *
 * Kept in memory: a restart, most likely with the bug mended, tries again.
 */
import { Context, Effect, Layer, Ref } from "effect"
import type { OrderId, ResourceId } from "../../core/index.js"

export interface Quarantined {
  readonly resource: ResourceId
  readonly order: OrderId
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export class Quarantine extends Context.Tag("site-actors/runtime/Quarantine")<
  Quarantine,
  {
    readonly put: (entry: Quarantined) => Effect.Effect<void>
    readonly holds: (resource: ResourceId) => Effect.Effect<boolean>
    readonly release: (resource: ResourceId) => Effect.Effect<void>
    readonly all: Effect.Effect<ReadonlyArray<Quarantined>>
  }
>() {
  static readonly layer = Layer.effect(
    Quarantine,
    Effect.map(Ref.make<ReadonlyMap<ResourceId, Quarantined>>(new Map()), (held) =>
      Quarantine.of({
        put: (entry) => Ref.update(held, (all) => new Map([...all, [entry.resource, entry]])),
        holds: (resource) => Effect.map(Ref.get(held), (all) => all.has(resource)),
        release: (resource) => Ref.update(held, (all) => new Map([...all].filter(([key]) => key !== resource))),
        all: Effect.map(Ref.get(held), (all) => [...all.values()])
      })
    )
  )
}

/** What the offerings' fibers leave behind for whoever asks how they are: the health endpoints, and the page. In memory only. */
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import type { OfferingId } from "../../core/index.js"
import type { Consumer } from "../../waldur/index.js"
import { Metrics } from "../metrics/index.js"

/** Work that is done in passes, each a look at everything. */
export type PassKind = "orders"

export interface Standing {
  /** Why it is not open; `undefined` once it is. */
  readonly closed: string | undefined
  /** Of `closed`, and from then on of being open; ms since 1970. */
  readonly since: number
  /** When the last pass that found everything ended. */
  readonly passes: Readonly<Partial<Record<PassKind, number>>>
  readonly consumers: ReadonlyArray<Consumer>
  /** Looks at its queue at once. */
  readonly wake: Effect.Effect<void>
  /** Another process looks for its orders, and hears of its events. */
  readonly elsewhere: boolean
}

const unattended = { passes: {}, consumers: [], wake: Effect.void }

export class Standings extends Context.Tag("site-actors/runtime/Standings")<
  Standings,
  {
    readonly of: (offering: OfferingId) => Effect.Effect<Standing>
    readonly closed: (offering: OfferingId, reason: string) => Effect.Effect<void>
    readonly opened: (offering: OfferingId) => Effect.Effect<void>
    readonly passed: (offering: OfferingId, kind: PassKind) => Effect.Effect<void>
    readonly consumes: (offering: OfferingId, consumer: Consumer) => Effect.Effect<void>
    readonly wakes: (offering: OfferingId, wake: Effect.Effect<void>) => Effect.Effect<void>
    /** Its orders are looked for in this process for as long as the scope lasts, and elsewhere from then on. */
    readonly attended: (offering: OfferingId) => Effect.Effect<void, never, Scope.Scope>
    /** Its orders are looked for in another process, until they are here. */
    readonly leftToOthers: (offering: OfferingId) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.effect(
    Standings,
    Effect.zipWith(Metrics, Clock.currentTimeMillis, (metrics, started) => {
      const all = new Map<OfferingId, Standing>()
      const beginning: Standing = {
        closed: "It is being opened.",
        since: started,
        passes: {},
        consumers: [],
        wake: Effect.void,
        elsewhere: false
      }
      const of = (offering: OfferingId) => all.get(offering) ?? beginning
      const change = (offering: OfferingId, how: (was: Standing, now: number) => Partial<Standing>) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const was = of(offering)
          all.set(offering, { ...was, ...how(was, now) })
        })
      return {
        of: (offering) => Effect.sync(() => of(offering)),
        closed: (offering, closed) => change(offering, () => ({ closed })),
        opened: (offering) => change(offering, (_, since) => ({ closed: undefined, since })),
        passed: (offering, kind) => change(offering, ({ passes }, now) => ({ passes: { ...passes, [kind]: now } })),
        consumes: (offering, consumer) =>
          change(offering, ({ consumers }) => ({ consumers: [...consumers, consumer] })),
        wakes: (offering, wake) => change(offering, () => ({ wake })),
        attended: (offering) =>
          Effect.acquireRelease(
            change(offering, (_, since) => ({ ...unattended, elsewhere: false, since })),
            () =>
              Effect.zipLeft(
                change(offering, () => ({ ...unattended, elsewhere: true })),
                Effect.sync(() => metrics.roundsLeft(offering))
              )
          ),
        leftToOthers: (offering) => change(offering, () => ({ elsewhere: true }))
      }
    })
  )
  /** Before anything has begun: all are closed, for this reason. */
  static readonly waiting = (reason: Effect.Effect<string>) =>
    Layer.map(Standings.layer, (built) => {
      const standings = Context.get(built, Standings)
      const of = (offering: OfferingId) =>
        Effect.zipWith(standings.of(offering), reason, (one, closed) => ({ ...one, closed }))
      return Context.make(Standings, { ...standings, of })
    })
}

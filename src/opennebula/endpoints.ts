/**
 * The front-ends that this process talks to. All clients of one URL, whatever their credentials, share its places: a front-end
 * works on only so many calls at once, however many offerings point at it. They share its breaker too: when it is away for one, it is
 * away for all.
 */
import { Context, Effect, Layer, RcMap, type Scope } from "effect"
import { type Breaker, makeBreaker } from "../core/calls/breaker.js"
import type { OfferingFault } from "../core/errors.js"
import { type FairLimiter, makeFairLimiter } from "../core/lean/fairLimiter.js"
import { type CallObserver, clientFromSettings, type OpenNebulaClient } from "./client.js"
import { type OpenNebulaError, verdictOf } from "./errors.js"
import { type OpenNebulaSettings, readSettings } from "./wire/settings.js"

export interface OpenNebulaEndpointsOptions {
  /** Hears of every call of every client. */
  readonly observe?: CallObserver
}

export class OpenNebulaEndpoints extends Context.Tag("site-actors/OpenNebulaEndpoints")<
  OpenNebulaEndpoints,
  {
    /** A client for as long as the scope lasts. Fails with what is wrong in the settings; sends nothing. */
    readonly client: (settings: OpenNebulaSettings) => Effect.Effect<OpenNebulaClient, OfferingFault, Scope.Scope>
  }
>() {
  static readonly layer = (options: OpenNebulaEndpointsOptions = {}): Layer.Layer<OpenNebulaEndpoints> =>
    Layer.scoped(
      OpenNebulaEndpoints,
      Effect.map(
        RcMap.make({ lookup: (endpoint: string) => makeBreaker<OpenNebulaError>({ endpoint, verdict: verdictOf }) }),
        (breakers) => make(options, breakers)
      )
    )
}

/** A front-end in use: its places, and how many each of its clients would allow. */
interface SharedEndpoint {
  readonly limiter: FairLimiter
  readonly limits: Array<number>
}

const make = (
  options: OpenNebulaEndpointsOptions,
  breakers: RcMap.RcMap<string, Breaker<OpenNebulaError>>
): Context.Tag.Service<OpenNebulaEndpoints> => {
  const shared = new Map<string, SharedEndpoint>()

  /** The most careful of an endpoint's users decides. */
  const applyLimits = ({ limiter, limits }: SharedEndpoint) => limiter.resize(Math.min(...limits))

  const leave = (endpoint: string, limit: number) =>
    Effect.suspend(() => {
      const one = shared.get(endpoint)
      if (one === undefined) return Effect.void
      one.limits.splice(one.limits.indexOf(limit), 1)
      if (one.limits.length > 0) return applyLimits(one)
      shared.delete(endpoint)
      return Effect.void
    })

  const join = (endpoint: string, limit: number) =>
    Effect.gen(function* () {
      const one = shared.get(endpoint) ?? { limiter: makeFairLimiter(limit), limits: [] }
      shared.set(endpoint, one)
      one.limits.push(limit)
      yield* applyLimits(one)
      return one.limiter
    })

  return {
    client: (settings) =>
      Effect.gen(function* () {
        const read = yield* readSettings(settings)
        const limiter = yield* Effect.acquireRelease(join(read.endpoint, read.maxConcurrent), () =>
          leave(read.endpoint, read.maxConcurrent)
        )
        const breaker = yield* RcMap.get(breakers, read.endpoint)
        return yield* clientFromSettings(read, { ...options, limiter, breaker })
      })
  }
}

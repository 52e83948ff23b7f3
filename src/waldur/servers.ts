/** The servers that this process talks to: offerings of one server share its breaker, whatever their credentials. */
import { Context, Effect, Layer, RcMap, type Scope } from "effect"
import { type Breaker, makeBreaker } from "../core/calls/breaker.js"
import { verdictOf, type WaldurError } from "./errors.js"

export class WaldurServers extends Context.Tag("site-actors/WaldurServers")<
  WaldurServers,
  {
    /** `apiUrl` as the configuration has it: ends in "/api/". For as long as the scope lasts. */
    readonly breaker: (apiUrl: string) => Effect.Effect<Breaker<WaldurError>, never, Scope.Scope>
  }
>() {
  static readonly layer: Layer.Layer<WaldurServers> = Layer.scoped(
    WaldurServers,
    Effect.map(
      RcMap.make({ lookup: (apiUrl: string) => makeBreaker<WaldurError>({ endpoint: apiUrl, verdict: verdictOf }) }),
      (breakers) => ({ breaker: (apiUrl) => RcMap.get(breakers, apiUrl) })
    )
  )
}

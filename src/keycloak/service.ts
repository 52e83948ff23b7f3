/**
 * What a plugin asks for: `connectKeycloak(settings)`. Offerings with the same settings share one connection, and so its token; it ends
 * with the last of their scopes. All connections to one URL share its breaker. `keycloakShared` is the plugins' `shared` layer.
 */
import { readFile } from "node:fs/promises"
import { Context, Data, Effect, FiberRef, Layer, Option, RcMap, type Scope } from "effect"
import { openDispatcher } from "../connect/index.js"
import { type Breaker, makeBreaker } from "../core/calls/breaker.js"
import { rehearsal } from "../core/calls/rehearsal.js"
import { OfferingFault } from "../core/errors.js"
import type { KeycloakService } from "./calls.js"
import { type KeycloakError, verdictOf } from "./errors.js"
import { rehearsed } from "./rehearsed.js"
import type { RequestOptions } from "./requests.js"
import type { KeycloakSettings } from "./settings.js"

export class Keycloaks extends Context.Tag("site-actors/Keycloaks")<
  Keycloaks,
  {
    /** For as long as the scope lasts. Fails with what is wrong in the settings; sends nothing. */
    readonly connect: (settings: KeycloakSettings) => Effect.Effect<KeycloakService, OfferingFault, Scope.Scope>
  }
>() {
  static readonly layer: Layer.Layer<Keycloaks> = Layer.scoped(
    Keycloaks,
    Effect.gen(function* () {
      const breakers = yield* RcMap.make({
        lookup: (endpoint: string) => makeBreaker<KeycloakError>({ endpoint, verdict: verdictOf })
      })
      const connections = yield* RcMap.make({
        lookup: (settings: KeycloakSettings) => Effect.flatMap(RcMap.get(breakers, settings.url), open(settings))
      })
      return {
        connect: (settings) =>
          Effect.gen(function* () {
            // Settings are compared by what they hold, secrets too.
            const connection = yield* RcMap.get(connections, Data.struct({ ...settings }))
            yield* (yield* RcMap.get(breakers, settings.url)).listen
            return connection
          })
      }
    })
  )
}

/** One value for all plugins, as layers are shared by identity. */
export const keycloakShared: Layer.Layer<Keycloaks> = Keycloaks.layer

export const connectKeycloak = (
  settings: KeycloakSettings
): Effect.Effect<KeycloakService, OfferingFault, Scope.Scope | Keycloaks> =>
  Effect.flatMap(Keycloaks, (keycloaks) => keycloaks.connect(settings))

const open =
  (settings: KeycloakSettings) =>
  (breaker: Breaker<KeycloakError>): Effect.Effect<KeycloakService, OfferingFault, Scope.Scope> =>
    Effect.gen(function* () {
      const ca = settings.caFile === undefined ? undefined : yield* readCa(settings.caFile)
      const { dispatcher } = yield* Effect.acquireRelease(dispatcherOf(settings, ca), ({ destroy }) =>
        Effect.promise(destroy)
      )
      // Credentials do not travel to another address. `dispatcher` is Node's own extension of fetch, and its type there is that of the
      // undici inside Node, not of ours: so the type here does not mention it.
      const requestOptions: Pick<RequestOptions, "redirect"> = { redirect: "manual", ...{ dispatcher } }
      const line = { requestOptions, timeout: settings.timeout, throughProxy: settings.proxy !== undefined, breaker }
      // Its client is a hundred files, and most configurations have no Keycloak.
      const [{ makeTokens }, { makeCalls }] = yield* Effect.promise(() =>
        Promise.all([import("./tokens.js"), import("./calls.js")])
      )
      const tokens = yield* makeTokens(settings, line)
      yield* breaker.join(tokens.probe)
      const real = makeCalls(settings, tokens, line)
      return Option.match(yield* FiberRef.get(rehearsal), {
        onNone: () => real,
        onSome: (tell) => rehearsed(real, tell)
      })
    })

const dispatcherOf = ({ proxy, timeout, verifySsl }: KeycloakSettings, ca: string | undefined) => {
  const tls = { rejectUnauthorized: verifySsl, ...(ca === undefined ? {} : { ca }) }
  return Effect.try({
    // Its own time-outs are longer than ours; whoever waits is the request.
    try: () => openDispatcher(proxy, tls, timeout),
    // The cause may quote the proxy's address, password and all.
    catch: () =>
      new OfferingFault({
        reason: "The address of the proxy to Keycloak is not a URL.",
        hint: "keycloak_proxy looks like http://host:3128."
      })
  })
}

const readCa = (path: string): Effect.Effect<string, OfferingFault> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () =>
      new OfferingFault({
        reason: `The CA file ${path} cannot be read.`,
        hint: "Give keycloak_ca_file the path of a PEM file that the agent may read."
      })
  })

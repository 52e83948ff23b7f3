/**
 * What a plugin asks for: `connectKeycloak(settings)`. Offerings with the same settings share one connection, and so its token; it ends
 * with the last of their scopes. `keycloakShared` is the plugins' `shared` layer.
 */
import { readFile } from "node:fs/promises"
import { Context, Data, Effect, FiberRef, Layer, Option, RcMap, type Scope } from "effect"
import { Agent } from "undici"
import { OfferingFault } from "../core/errors.js"
import { rehearsal } from "../core/rehearsal.js"
import { type KeycloakService, makeCalls } from "./calls.js"
import { rehearsed } from "./rehearsed.js"
import type { RequestOptions } from "./requests.js"
import type { KeycloakSettings } from "./settings.js"
import { makeTokens } from "./tokens.js"

export class Keycloaks extends Context.Tag("site-actors/Keycloaks")<
  Keycloaks,
  {
    /** For as long as the scope lasts. Fails with what is wrong in the settings; sends nothing. */
    readonly connect: (settings: KeycloakSettings) => Effect.Effect<KeycloakService, OfferingFault, Scope.Scope>
  }
>() {
  static readonly layer: Layer.Layer<Keycloaks> = Layer.scoped(
    Keycloaks,
    Effect.map(RcMap.make({ lookup: open }), (connections) => ({
      // Settings are compared by what they hold, secrets too.
      connect: (settings) => RcMap.get(connections, Data.struct({ ...settings }))
    }))
  )
}

/** One value for all plugins, as layers are shared by identity. */
export const keycloakShared: Layer.Layer<Keycloaks> = Keycloaks.layer

export const connectKeycloak = (
  settings: KeycloakSettings
): Effect.Effect<KeycloakService, OfferingFault, Scope.Scope | Keycloaks> =>
  Effect.flatMap(Keycloaks, (keycloaks) => keycloaks.connect(settings))

function open(settings: KeycloakSettings): Effect.Effect<KeycloakService, OfferingFault, Scope.Scope> {
  return Effect.gen(function* () {
    const ca = settings.caFile === undefined ? undefined : yield* readCa(settings.caFile)
    const dispatcher = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Agent({
            connect: { rejectUnauthorized: settings.verifySsl, ...(ca === undefined ? {} : { ca }) },
            // Its own time-outs are longer than ours; whoever waits is the request.
            connectTimeout: settings.timeout
          })
      ),
      (agent) => Effect.promise(() => agent.destroy())
    )
    // Credentials do not travel to another address. `dispatcher` is Node's own extension of fetch, and its type there is that of the
    // undici inside Node, not of ours: so the type here does not mention it.
    const requestOptions: Pick<RequestOptions, "redirect"> = { redirect: "manual", ...{ dispatcher } }
    const tokens = yield* makeTokens(settings, requestOptions)
    const real = makeCalls(settings, tokens, requestOptions)
    return Option.match(yield* FiberRef.get(rehearsal), {
      onNone: () => real,
      onSome: (tell) => rehearsed(real, tell)
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

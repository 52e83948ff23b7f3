/**
 * What a plugin asks for: `connect(settings)` gives the typed calls of a front-end and its watcher.
 *
 * Offerings with the same settings share one connection and so one watcher: all VMs that any of them waits for are read
 * in one call. It ends with the last of their scopes. `openNebulaShared` is the plugins' `shared` layer.
 */
import { Context, Data, Effect, FiberRef, Layer, Option, RcMap, type Scope } from "effect"
import { observed } from "../core/calls/observed.js"
import { rehearsal } from "../core/calls/rehearsal.js"
import type { OfferingFault } from "../core/errors.js"
import { shared, sharedByKey } from "../core/lean/shared.js"
import { makeOpenNebula, type OpenNebulaService } from "./calls/openNebula.js"
import type { OpenNebulaSettings } from "./client.js"
import { OpenNebulaEndpoints, type OpenNebulaEndpointsOptions } from "./endpoints.js"
import { readOnly, rehearsed } from "./rehearsal/index.js"
import { makeVmWatcher, type VmWatcher } from "./watching/watcher.js"

export interface OpenNebulaConnection {
  /** `one.group.allocate("acme")` */
  readonly one: OpenNebulaService
  readonly watcher: VmWatcher
}

/** What orders that begin in the same moment read alike, is read once for all of them. */
const readTogether = (one: OpenNebulaService): OpenNebulaService => {
  const networks = shared(one.network.list())
  const securityGroups = shared(one.securityGroup.list())
  return {
    ...one,
    network: { ...one.network, list: () => networks },
    securityGroup: { ...one.securityGroup, list: () => securityGroups },
    group: { ...one.group, info: sharedByKey(one.group.info) },
    template: { ...one.template, info: sharedByKey(one.template.info) },
    image: { ...one.image, info: sharedByKey(one.image.info) }
  }
}

export class OpenNebulaConnections extends Context.Tag("site-actors/OpenNebulaConnections")<
  OpenNebulaConnections,
  {
    /** For as long as the scope lasts. Fails with what is wrong in the settings; sends nothing. */
    readonly connect: (settings: OpenNebulaSettings) => Effect.Effect<OpenNebulaConnection, OfferingFault, Scope.Scope>
  }
>() {
  static readonly layer: Layer.Layer<OpenNebulaConnections, never, OpenNebulaEndpoints> = Layer.scoped(
    OpenNebulaConnections,
    Effect.gen(function* () {
      const endpoints = yield* OpenNebulaEndpoints
      const open = (settings: OpenNebulaSettings) =>
        Effect.gen(function* () {
          const client = yield* endpoints.client(settings)
          const one = Option.match(yield* FiberRef.get(rehearsal), {
            onNone: () => readTogether(makeOpenNebula(client)),
            onSome: (tell) => rehearsed(makeOpenNebula(readOnly(client)), tell)
          })
          return { one, watcher: yield* makeVmWatcher(one), listen: client.listen ?? Effect.void }
        })
      // Settings are compared by what they hold, secrets too.
      const connections = yield* RcMap.make({ lookup: open })
      return {
        connect: (settings) =>
          Effect.tap(RcMap.get(connections, Data.struct({ ...settings })), (connection) => connection.listen)
      }
    })
  )

  /** With the front-ends' clients: all that a plugin needs. */
  static readonly live = (options?: OpenNebulaEndpointsOptions): Layer.Layer<OpenNebulaConnections> =>
    Layer.provide(this.layer, OpenNebulaEndpoints.layer(options))
}

/**
 * One value for all plugins, as layers are shared by identity: two calls of `live()` would be two sets of places and
 * watchers.
 */
export const openNebulaShared: Layer.Layer<OpenNebulaConnections> = OpenNebulaConnections.live({
  observe: ({ method, ids, ms, outcome }) =>
    observed({ system: "opennebula", call: method, about: ids.join(" "), milliseconds: ms, outcome })
})

export const connect = (
  settings: OpenNebulaSettings
): Effect.Effect<OpenNebulaConnection, OfferingFault, Scope.Scope | OpenNebulaConnections> =>
  Effect.flatMap(OpenNebulaConnections, (connections) => connections.connect(settings))

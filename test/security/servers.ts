/** Hostile servers, and both of the agent's clients pointed at them. */
import { createServer } from "node:http"
import { connect as connectTcp } from "node:net"
import { Effect, Redacted, type Scope } from "effect"
import type { SiteError } from "../../src/core/index.js"
import { makeClient, type OpenNebulaSettings } from "../../src/opennebula/client.js"
import { makeWaldur, type WaldurOptions } from "../../src/waldur/index.js"
import { document, settingsFor } from "../support/tinyFrontEnd.js"
import { serve } from "../support/tinyServers.js"

export const token = "d4d388232ea25b721360cfd97781f51705f0a120"
/** With characters that JSON, forms and XML spell differently. */
export const clientSecret = 'client-secret+"<&>/of the agent'
export const id = "0123456789abcdef0123456789abcdef"

type WaldurExtra = Partial<Omit<WaldurOptions, "apiUrl">>

/** Waldur at `origin`, by token. */
export const waldurAt = (origin: string, more: WaldurExtra = {}) =>
  makeWaldur({
    apiUrl: `${origin}/api/`,
    credentials: { _tag: "Token", token: Redacted.make(token) },
    ...more
  })

/** Waldur at `origin`, by OIDC, with the identity provider at `provider`. */
export const waldurWithOidc = (origin: string, provider: string, more: WaldurExtra = {}) =>
  waldurAt(origin, {
    credentials: {
      _tag: "Oidc",
      tokenUrl: `${provider}/realm/token`,
      clientId: "agent",
      clientSecret: Redacted.make(clientSecret)
    },
    ...more
  })

/** One call of each kind, as the agent makes them, at `origin`: GET and POST to Waldur, the token of an identity provider, OpenNebula. */
export const allCalls = (
  origin: string,
  more: { readonly waldur?: WaldurExtra; readonly one?: Partial<OpenNebulaSettings> } = {}
): ReadonlyArray<readonly [string, Effect.Effect<void, SiteError, Scope.Scope>]> => [
  ["Waldur GET", Effect.flatMap(waldurAt(origin, more.waldur), (waldur) => Effect.asVoid(waldur.me))],
  ["Waldur POST", Effect.flatMap(waldurAt(origin, more.waldur), (waldur) => waldur.setStateDone(id))],
  ["OIDC token", Effect.flatMap(waldurWithOidc(origin, origin, more.waldur), (waldur) => Effect.asVoid(waldur.me))],
  [
    "OpenNebula",
    Effect.flatMap(makeClient(settingsFor(0, { apiUrl: `${origin}/RPC2`, ...more.one })), (client) =>
      Effect.asVoid(client.call("one.vm.info", [7], document))
    )
  ]
]

export const originOf = (port: number, scheme = "http"): string => `${scheme}://127.0.0.1:${port}`

/** A proxy that leads every tunnel to `target`, whatever name was asked for: somebody who answers for another host. */
export const misleadingProxy = (target: number) =>
  Effect.map(
    serve(
      createServer().on("connect", (_request, client) => {
        const upstream = connectTcp(target, "127.0.0.1", () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n")
          client.pipe(upstream).pipe(client)
        })
        client.on("error", () => upstream.destroy())
        upstream.on("error", () => client.destroy())
      })
    ),
    (port) => Redacted.make(`http://127.0.0.1:${port}`)
  )

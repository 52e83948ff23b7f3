/**
 * undici through a proxy: HTTPS by our own tunnels, plain HTTP as ordinary requests with the whole address, as many proxies allow CONNECT only to
 * port 443.
 *
 * undici's `ProxyAgent` (7.30) asks for a tunnel again and again, without a pause, from a proxy that hangs up; reads a 407 of plain HTTP as a bug
 * of its caller; and asks an HTTPS proxy for a tunnel to plain HTTP too.
 */
import { isIP, Socket } from "node:net"
import { Redacted } from "effect"
import { Agent, buildConnector, type Dispatcher } from "undici"
import { authorizationOf, ProxyRefuses, TunnelAgent, type TunnelTls } from "./tunnel.js"

export interface OpenDispatcher {
  readonly dispatcher: Dispatcher
  readonly destroy: () => Promise<void>
}

/** Through the proxy, if there is one. Throws if its address is no URL: the error quotes it, password and all. `connectTimeout`: ms */
export const openDispatcher = (
  proxy: Redacted.Redacted<string> | undefined,
  tls: TunnelTls,
  connectTimeout = 10_000
): OpenDispatcher => {
  if (proxy !== undefined) return throughProxy(new URL(Redacted.value(proxy)), tls, connectTimeout)
  const dispatcher = new Agent({ connect: tls, connectTimeout })
  return { dispatcher, destroy: () => dispatcher.destroy() }
}

/** `tls` holds for what is reached, and for a proxy that is reached over HTTPS. */
export const throughProxy = (proxy: URL, tls: TunnelTls, connectTimeout = 10_000): OpenDispatcher => {
  const proxyHost = proxy.hostname.replace(/^\[|\]$/g, "")
  const tunnels = new TunnelAgent(proxy, tls, false)
  const secured = buildConnector({ ...tls, timeout: connectTimeout })
  const tunnelled = new Agent({
    connect: (options, done) => {
      const { hostname, port } = options
      tunnels.createConnection({ host: hostname, port: port === "" ? 443 : port }, (error, socket) => {
        if (error !== null) return done(error, null)
        if (socket instanceof Socket) return secured({ ...options, httpSocket: socket }, done)
        return done(new Error("the tunnel is no socket"), null)
      })
    }
  })
  const direct = new Agent({
    // undici would take the server's name from the host header, which names what lies behind the proxy.
    connect: (options, done) =>
      secured(isIP(proxyHost) === 0 ? { ...options, servername: proxyHost } : nameless(options), done)
  })
  const authorization = authorizationOf(proxy)
  const dispatcher = direct.compose((ask) => (options, handler) => {
    const target = new URL(String(options.origin))
    if (target.protocol === "https:") return tunnelled.dispatch(options, handler)
    return ask(
      {
        ...options,
        origin: proxy.origin,
        path: `${target.origin}${options.path}`,
        headers: { ...headersOf(options.headers), host: target.host, ...authorization }
      },
      handler
    )
  })
  return {
    dispatcher,
    destroy: async () => {
      tunnels.destroy()
      await Promise.all([direct.destroy(), tunnelled.destroy()])
    }
  }
}

/** undici finds a name by the host then, and none for an address. */
const nameless = ({ servername: _, ...options }: buildConnector.Options): buildConnector.Options => options

type Headers = Dispatcher.DispatchOptions["headers"]

/** In whichever of undici's three forms they come; `fetch` gives a flat list. */
const headersOf = (headers: Headers): Record<string, string> => {
  if (headers === null || headers === undefined) return {}
  const pairs: Array<readonly [string, unknown]> = []
  if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) pairs.push([String(headers[at]), headers[at + 1]])
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers) pairs.push([name, value])
  } else pairs.push(...Object.entries(headers))
  return Object.fromEntries(pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))
}

/** A 407 can only be the proxy's own. */
export const refusalOf = (status: number): ProxyRefuses | undefined =>
  status === 407 ? new ProxyRefuses(status) : undefined

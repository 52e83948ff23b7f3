/**
 * Connections through a proxy's tunnel (CONNECT), as an agent of Node's HTTP: for calls of HTTPS, and for web sockets.
 *
 * `https-proxy-agent` 9.1 does not let go of a proxy that keeps silent: each call left its connection open. And an HTTPS proxy that goes away during
 * the TLS handshake ended the process, as its connection had no listener for errors any more.
 */
import { type ClientRequest, type ClientRequestArgs, Agent as HttpAgent, request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import { isIP } from "node:net"
import { type Duplex, PassThrough } from "node:stream"
import { connect as connectTls } from "node:tls"
import { codeOf } from "../core/errors.js"

/** Until the proxy has connected. */
const tunnelTimeoutMillis = 10_000

export interface TunnelTls {
  readonly rejectUnauthorized: boolean
  readonly ca?: string
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The header that a proxy with a user in its address wants. */
export const authorizationOf = ({ password, username }: URL): Record<string, string> =>
  username === "" && password === ""
    ? {}
    : {
        "proxy-authorization": `Basic ${Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString("base64")}`
      }

/** Asked for at an IP address, a server is told no name. */
const nameFor = (host: string): { readonly servername?: string } => (isIP(host) === 0 ? { servername: host } : {})

/** Its message holds nothing but the status. */
export class ProxyRefuses extends Error {
  constructor(readonly status: number) {
    super(
      `the proxy refuses: HTTP status ${status}${status === 407 ? "; it wants a user and a password, or others" : ""}`
    )
  }
}

/** Of a connection that failed: that the proxy refuses, wherever that lies in `error`, or else the code of what lies at the bottom; `none` where it has none. */
export const reasonOf = (error: unknown, none?: string): string => {
  let current: unknown = error
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (current instanceof ProxyRefuses) return current.message
    current = current.cause
  }
  return codeOf(error, none)
}

type Done = (error: Error | null, stream: Duplex) => void

/** Its errors are the connection's, or say that the proxy refuses. None holds the proxy's password. */
export class TunnelAgent extends HttpAgent {
  /** Node asks for it: which requests may use this agent. */
  readonly protocol: "http:" | "https:"
  readonly defaultPort: number
  private readonly waiting = new Set<ClientRequest>()

  /** `secure`: what is reached is HTTPS. `tls` holds for it, and for a proxy that is reached over HTTPS. */
  constructor(
    private readonly proxy: URL,
    private readonly tls: TunnelTls,
    private readonly secure: boolean
  ) {
    super()
    this.protocol = secure ? "https:" : "http:"
    this.defaultPort = secure ? 443 : 80
  }

  override createConnection({ host, port }: ClientRequestArgs, done?: Done): undefined {
    const target = host ?? "localhost"
    const place = `${isIP(target) === 6 ? `[${target}]` : target}:${port ?? this.defaultPort}`
    const proxyHost = this.proxy.hostname.replace(/^\[|\]$/g, "")
    const start = this.proxy.protocol === "https:" ? httpsRequest : httpRequest
    const tunnel = start({
      ...this.tls,
      method: "CONNECT",
      host: proxyHost,
      port: this.proxy.port === "" ? undefined : this.proxy.port,
      path: place,
      headers: { host: place, ...authorizationOf(this.proxy) },
      agent: false,
      // Node would take it from the host header, which names what lies behind the proxy.
      servername: isIP(proxyHost) === 0 ? proxyHost : ""
    })
    this.waiting.add(tunnel)
    const late = setTimeout(
      () => tunnel.destroy(new Error(`ETIMEDOUT no tunnel within ${tunnelTimeoutMillis / 1000} s`)),
      tunnelTimeoutMillis
    )
    const over = () => {
      clearTimeout(late)
      this.waiting.delete(tunnel)
    }
    const fail = (error: Error) => {
      over()
      // Node's type wants a stream also of a failure; its agent does not look at it.
      done?.(error, new PassThrough())
    }
    tunnel.on("error", fail)
    tunnel.once("connect", ({ statusCode }, socket, head) => {
      over()
      if (statusCode !== 200) {
        socket.destroy()
        return fail(new ProxyRefuses(statusCode ?? 0))
      }
      if (head.length > 0) socket.unshift(head)
      if (!this.secure) return done?.(null, socket)
      // What breaks under TLS is told there too.
      socket.on("error", () => {})
      return done?.(
        null,
        connectTls({ ...this.tls, ...nameFor(target), ALPNProtocols: ["http/1.1"], host: target, socket })
      )
    })
    tunnel.end()
    return undefined
  }

  override destroy(): void {
    for (const tunnel of this.waiting) tunnel.destroy()
    super.destroy()
  }
}

/**
 * How the processes talk: TLS with a key that both sides have (PSK), no certificates. Who has not the key cannot read along, and is not heard.
 */
import type { Socket as TcpSocket } from "node:net"
import { createServer, type TLSSocket, connect as tlsConnect } from "node:tls"
import { type RunnerAddress, Runners } from "@effect/cluster"
import * as Socket from "@effect/platform/Socket"
import * as SocketServer from "@effect/platform/SocketServer"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { RpcClient, RpcSerialization } from "@effect/rpc"
import { Deferred, Effect, Exit, FiberSet, Layer, Redacted, type Scope } from "effect"
import { codeOf } from "../../core/index.js"
import { addressOf, type ClusterSettings, ClusterUnusable } from "../config/cluster.js"
import type { ClusterKey } from "./key.js"

/** Forward secrecy, and no certificate. Node has keys of one's own up to TLS 1.2. */
const tls = {
  ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2"
} as const
const identity = "site-actors"

/** With and without the key; many times what 64 processes need, and far below what a process may open in all. */
const mostConnections = 512

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: "Another program has this port: give each process of a machine its own cluster.port.",
  EADDRNOTAVAIL: "cluster.listen has to be an address of this machine, or 0.0.0.0 for all of them.",
  EACCES: "Choose a cluster.port from 1024 on.",
  ENOTFOUND: "No such name: set cluster.host to a name or an address of this machine.",
  ECONNREFUSED: "Nobody listens there: set cluster.host to the address at which this machine is reached."
}

const unusable = (address: string) => (cause: unknown) =>
  new ClusterUnusable({
    address,
    reason: wordsOf(cause),
    hint: hints[codeOf(cause)] ?? "Check cluster.host, cluster.port and cluster.listen."
  })

/** Given up on the way where whoever opens it does: nothing may ever come of a firewall that swallows it, or a process that is stopped. */
const opening = (host: string, port: number, key: ClusterKey): Effect.Effect<TLSSocket, unknown, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() => {
        const socket = tlsConnect({
          ...tls,
          host,
          port,
          // There is no name to be checked: the key says it all.
          checkServerIdentity: () => undefined,
          pskCallback: () => ({ identity, psk: Redacted.value(key) })
        })
        return socket.setKeepAlive(true, 5_000).on("error", () => undefined)
      }),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) =>
      Effect.async<TLSSocket, unknown>((resume) => {
        socket.once("secureConnect", () => resume(Effect.succeed(socket)))
        socket.once("error", (cause) => resume(Effect.fail(cause)))
      })
  )

/** Can this address be reached, and does somebody with the key answer there? */
export const reached = (host: string, port: number, key: ClusterKey): Effect.Effect<void, ClusterUnusable> =>
  opening(host, port, key).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: "3 seconds", onTimeout: () => new Error("no answer within 3 s") }),
    Effect.mapError(unusable(addressOf({ host, port }))),
    Effect.asVoid
  )

/** To the other processes. */
export const clientProtocol = (key: ClusterKey) =>
  Layer.effect(
    Runners.RpcClientProtocol,
    Effect.map(
      RpcSerialization.RpcSerialization,
      (serialization) =>
        ({ host, port }: RunnerAddress.RunnerAddress) =>
          Effect.gen(function* () {
            const socket = yield* NodeSocket.fromDuplex(
              Effect.mapError(
                opening(host, port, key),
                (cause) => new Socket.SocketGenericError({ reason: "Open", cause })
              ),
              { openTimeout: "3 seconds" }
            )
            return yield* RpcClient.makeProtocolSocket().pipe(
              Effect.provideService(Socket.Socket, socket),
              Effect.provideService(RpcSerialization.RpcSerialization, serialization)
            )
          })
    )
  )

const isLoopback = (address: string): boolean => /^(127\.|::1$|localhost$)/.test(address)

/** From the other processes. Listens until the scope closes. */
export const socketServer = (
  { listen, port }: ClusterSettings,
  key: ClusterKey
): Layer.Layer<SocketServer.SocketServer, ClusterUnusable> =>
  Layer.scoped(
    SocketServer.SocketServer,
    Effect.gen(function* () {
      const failed = yield* Deferred.make<never, unknown>()
      const waiting = new Set<TLSSocket>()
      let accept: (socket: TLSSocket) => void = (socket) => waiting.add(socket)
      const server = createServer(
        {
          ...tls,
          pskCallback: (_socket, name) => (name === identity ? Redacted.value(key) : null),
          handshakeTimeout: 5_000
        },
        (socket) => {
          // Heard of by whoever reads from it; before anybody does, it would end the process.
          socket.on("error", () => undefined)
          accept(socket)
        }
      )
      server.maxConnections = mostConnections
      // Of one connection: somebody without the key, who said nothing for too long, or who went away. Node leaves it open.
      server.on("tlsClientError", (_, socket) => socket.destroy())
      // The server is closed when its last connection is, also of one that has not shown the key yet.
      const connections = new Set<TcpSocket>()
      server.on("connection", (socket: TcpSocket) => {
        connections.add(socket)
        socket.once("close", () => connections.delete(socket))
      })
      server.on("error", (cause) => Deferred.unsafeDone(failed, Exit.fail(cause)))
      yield* Effect.acquireRelease(
        Effect.async<void, unknown>((resume) => {
          server.once("error", (cause) => resume(Effect.fail(cause)))
          server.listen({ host: listen, port }, () => resume(Effect.void))
        }).pipe(Effect.mapError(unusable(addressOf({ host: listen, port })))),
        () =>
          Effect.async<void>((resume) => {
            server.close(() => resume(Effect.void))
            for (const socket of connections) socket.destroy()
          })
      )
      const bound = server.address()
      // As Debian has it: a machine's own name is 127.0.1.1 there.
      if (typeof bound === "object" && bound !== null && isLoopback(bound.address) && !isLoopback(listen)) {
        yield* Effect.logWarning(
          `"${listen}" is ${bound.address} on this machine: processes on other machines cannot reach this one. Set cluster.listen to an address of its network, or to 0.0.0.0.`
        )
      }
      return SocketServer.SocketServer.of({
        address: {
          _tag: "TcpAddress",
          hostname: listen,
          port: typeof bound === "object" && bound !== null ? bound.port : port
        },
        run: <R, E, A>(handler: (socket: Socket.Socket) => Effect.Effect<A, E, R>) =>
          Effect.gen(function* () {
            const fork = yield* FiberSet.makeRuntime<R>()
            accept = (socket) => {
              const connection = Effect.acquireRelease(Effect.succeed(socket), (one) =>
                Effect.sync(() => one.destroy())
              )
              fork(
                NodeSocket.fromDuplex(connection).pipe(
                  Effect.flatMap(handler),
                  Effect.catchAllCause((cause) => Effect.logDebug("A connection of another process has ended", cause))
                )
              )
            }
            for (const socket of waiting) accept(socket)
            waiting.clear()
            return yield* Effect.mapError(
              Deferred.await(failed),
              (cause) => new SocketServer.SocketServerError({ reason: "Unknown", cause })
            )
          }).pipe(Effect.scoped)
      })
    })
  )

/** What the simulated servers have in common: an HTTP server that listens for as long as a scope is open. */
import type { Server } from "node:http"
import { Data, Effect, type Scope } from "effect"

/** The port is taken, or the address cannot be listened on. */
export class ServeError extends Data.TaggedError("ServeError")<{ readonly message: string }> {}

export interface Address {
  /** 0: any free port. */
  readonly port: number
  readonly host: string
}

const bound = (server: Server, { host, port }: Address): Effect.Effect<number, ServeError> =>
  Effect.async((resume) => {
    server.once("error", ({ message }) =>
      resume(new ServeError({ message: `cannot listen on ${host}:${port}: ${message}` }))
    )
    // As the web server before a real one has it. Node's own 5 s are so short that a busy client may write to a connection that is being closed.
    server.keepAliveTimeout = 75_000
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

/**
 * Listens until the scope closes, and gives the port. Then open connections are cut; `cut`: those that the server has handed over, such as
 * web sockets.
 */
export const listening = (
  server: Server,
  address: Address,
  cut: () => void = () => undefined
): Effect.Effect<number, ServeError, Scope.Scope> =>
  Effect.acquireRelease(bound(server, address), () =>
    Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      cut()
      server.closeAllConnections()
    })
  )

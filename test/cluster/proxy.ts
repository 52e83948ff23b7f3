/** A way between a process and its database that can be cut: what was connected hangs, and nothing new comes through. */
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export interface Way {
  readonly port: number
  /** No byte passes any more, in either direction; nobody is told. */
  readonly cut: () => void
  readonly mend: () => void
}

export const wayTo = (port: number): Effect.Effect<Way, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Way & { readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      let isCut = false
      const server = createServer((near) => {
        const far = connect({ host: "127.0.0.1", port })
        for (const [one, other] of [
          [near, far],
          [far, near]
        ] as const) {
          sockets.add(one)
          if (isCut) one.pause()
          one.on("data", (bytes) => other.write(bytes))
          one.on("error", () => undefined)
          one.on("close", () => {
            sockets.delete(one)
            other.destroy()
          })
        }
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            cut: () => {
              isCut = true
              for (const socket of sockets) socket.pause()
            },
            mend: () => {
              isCut = false
              for (const socket of sockets) socket.resume()
            },
            close: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )

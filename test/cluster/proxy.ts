/**
 * A way between a process and its database that can be cut: what was connected hangs, and nothing new comes through. Or be slow: whatever is asked
 * comes late, on each connection in its order.
 */
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export interface Way {
  readonly port: number
  /** No byte passes any more, in either direction; nobody is told. */
  readonly cut: () => void
  readonly mend: () => void
  /**
   * From now on each message to the database is on its way for so long, in ms; 0: as long as it takes. `connection`: counted from 0, as they were
   * made.
   */
  readonly slow: (millis: (connection: number) => number) => void
}

export const wayTo = (port: number): Effect.Effect<Way, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Way & { readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      let isCut = false
      let delayOf = (_connection: number): number => 0
      let made = 0
      const server = createServer((near) => {
        const connection = made++
        const far = connect({ host: "127.0.0.1", port })
        let passed = Promise.resolve()
        const late = (bytes: Buffer) => {
          const due = Date.now() + delayOf(connection)
          passed = passed.then(async () => {
            const rest = due - Date.now()
            if (rest > 0) await new Promise((done) => setTimeout(done, rest))
            if (!far.destroyed) far.write(bytes)
          })
        }
        for (const [one, other, pass] of [
          [near, far, late],
          [far, near, (bytes: Buffer) => void near.write(bytes)]
        ] as const) {
          sockets.add(one)
          if (isCut) one.pause()
          one.on("data", pass)
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
            slow: (millis) => {
              delayOf = millis
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

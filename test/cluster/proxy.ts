/**
 * A way between a process and its database. It can be cut: what was connected hangs, and nothing new comes through. Or be slow: whatever is asked comes
 * late, on each connection in its order.
 */
import { connect, createServer, type Socket } from "node:net"
import { setTimeout } from "node:timers/promises"
import { Effect, type Scope } from "effect"

export interface Way {
  readonly port: number
  /** No byte passes any more, in either direction; nobody is told. */
  readonly cut: () => void
  readonly mend: () => void
  /** From now on each message to the database is under way for so long, in ms, as is asked anew for each; 0: as long as it takes. */
  readonly slow: (millis: () => number) => void
}

export const wayTo = (port: number): Effect.Effect<Way, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Way & { readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      let isCut = false
      let delay = (): number => 0
      const server = createServer((near) => {
        const far = connect({ host: "127.0.0.1", port })
        let passed = Promise.resolve()
        const late = (bytes: Buffer) => {
          const due = performance.now() + delay()
          passed = passed.then(async () => {
            const rest = due - performance.now()
            if (rest > 0) await setTimeout(rest)
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
              delay = millis
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

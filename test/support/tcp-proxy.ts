/** A way to a server that can be cut, and held up so that nobody is told. */
import { connect, createServer, type Socket } from "node:net"
import { Effect } from "effect"

/** What becomes of connections: they go through; they break, and new ones are refused; or nothing that is sent arrives. */
export type Way = "open" | "cut" | "silent"

/** In front of `port` on 127.0.0.1; ends with the scope. */
export const tcpProxy = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly port: number
      readonly set: (way: Way) => void
      readonly close: () => Promise<void>
    }>((resume) => {
      let way: Way = "open"
      const pairs = new Set<readonly [Socket, Socket]>()
      const apply = ([here, there]: readonly [Socket, Socket]) => {
        if (way === "cut") {
          here.destroy()
          there.destroy()
        } else if (way === "silent") {
          here.pause()
          there.pause()
        } else {
          here.resume()
          there.resume()
        }
      }
      const server = createServer((here) => {
        if (way === "cut") return here.destroy()
        const there = connect(port, "127.0.0.1")
        const pair = [here, there] as const
        pairs.add(pair)
        for (const [from, to] of [
          [here, there],
          [there, here]
        ] as const) {
          from.on("data", (data) => to.write(data))
          from.on("error", () => undefined)
          from.on("close", () => {
            pairs.delete(pair)
            to.destroy()
          })
        }
        apply(pair)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            set: (next) => {
              way = next
              for (const pair of pairs) apply(pair)
            },
            close: () =>
              new Promise((done) => {
                for (const [here, there] of pairs) {
                  here.destroy()
                  there.destroy()
                }
                server.close(() => done())
              })
          })
        )
      })
    }),
    ({ close }) => Effect.promise(close)
  )

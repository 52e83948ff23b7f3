/** Ports of 127.0.0.1 that are chosen before somebody listens there, or on which nobody is to listen. */
import { randomInt } from "node:crypto"
import { createServer } from "node:net"
import { Effect } from "effect"

/**
 * None of those that the system itself gives to whoever asks for any (Linux: from 32768 on; others: from 49152): tests that run at the same time
 * would be given it, in the seconds until a server that is only being started has it.
 */
const [first, last] = [12_000, 32_000]

/** One that nobody listened on a moment ago, and that nobody gets who asks for any. */
export const freePort: Effect.Effect<number> = Effect.async<number, Error>((resume) => {
  const port = randomInt(first, last)
  const server = createServer()
  server.once("error", (error) => resume(Effect.fail(error)))
  server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(port))))
}).pipe(Effect.retry({ times: 100 }), Effect.orDie)

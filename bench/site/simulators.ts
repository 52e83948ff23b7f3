/** The simulators' process as the bench has it: started, asked, ended with the scope. */
import { fork } from "node:child_process"
import { Deferred, Effect, Schema, type Scope } from "effect"
import { Answered, type Command, commands, type Open, type Opened } from "../simulators/protocol.js"

/**
 * Nearly all that the simulators make is garbage at once: with room for it, and without threads of the collector's own, they leave more of the
 * machine to the agent, which is what is measured.
 */
const v8 = [
  "--enable-source-maps",
  "--max-old-space-size=4096",
  "--min-semi-space-size=64",
  "--max-semi-space-size=64",
  "--single-threaded-gc"
]

export interface Simulators extends Opened {
  readonly ask: <A, AI, B, BI>(command: Command<A, AI, B, BI>, given: A) => Effect.Effect<B>
}

/** `main`: path of the process's entry point. */
export const startSimulators = (main: string, options: Open): Effect.Effect<Simulators, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(main, { execArgv: [...v8] })),
      (child) =>
        Effect.async<void>((resume) => {
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    const asked = new Map<number, Deferred.Deferred<unknown, Error>>()
    const endAll = (error: Error) => {
      for (const deferred of asked.values()) Deferred.unsafeDone(deferred, Effect.fail(error))
    }
    child.on("exit", (code) => endAll(new Error(`the simulators have ended with ${code}`)))
    child.on("message", (message) => {
      const { answer, failed, id } = Schema.decodeUnknownSync(Answered)(message)
      const deferred = asked.get(id)
      asked.delete(id)
      if (deferred === undefined) return
      Deferred.unsafeDone(deferred, failed === undefined ? Effect.succeed(answer) : Effect.fail(new Error(failed)))
    })
    let last = 0
    const ask: Simulators["ask"] = (command, given) =>
      Effect.gen(function* () {
        last += 1
        const id = last
        const deferred = yield* Deferred.make<unknown, Error>()
        asked.set(id, deferred)
        child.send({ id, name: command.name, given: yield* Schema.encode(command.given)(given) })
        return yield* Schema.decodeUnknown(command.answer)(yield* Deferred.await(deferred))
      }).pipe(Effect.orDie)
    return { ...(yield* ask(commands.open, options)), ask }
  })

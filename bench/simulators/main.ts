/** The simulators' process: does what the bench says (`protocol.ts`), until that goes away. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit, FiberSet, Schema, Scope } from "effect"
import { Asked, type Command, commands } from "./protocol.js"
import { openSite, type Site } from "./site.js"

const tell = (id: number, outcome: { readonly answer: unknown } | { readonly failed: string }) =>
  Effect.sync(() => process.send?.({ id, ...outcome }))

type Carried = (given: unknown) => Effect.Effect<unknown, unknown>

/** One command by its name: what was sent is read, and what is answered written, as the protocol has it. */
const on = <A, AI, B, BI>(
  { answer, given, name }: Command<A, AI, B, BI>,
  handler: (given: A) => Effect.Effect<B, unknown>
): readonly [string, Carried] => [
  name,
  (sent) => Schema.decodeUnknown(given)(sent).pipe(Effect.flatMap(handler), Effect.flatMap(Schema.encode(answer)))
]

const handlersOf = ({ handlers }: Site) => [
  on(commands.dataCentres, handlers.dataCentres),
  on(commands.machines, handlers.machines),
  on(commands.orderVdcs, handlers.orderVdcs),
  on(commands.orderVms, handlers.orderVms),
  on(commands.resizeVms, handlers.resizeVms),
  on(commands.terminate, handlers.terminate),
  on(commands.ended, handlers.ended),
  on(commands.countEnded, handlers.countEnded),
  on(commands.forgetCalls, handlers.forgetCalls),
  on(commands.calls, handlers.calls),
  on(commands.callCounts, handlers.callCounts),
  on(commands.countMachines, handlers.countMachines),
  on(commands.watchWaits, handlers.watchWaits),
  on(commands.waits, handlers.waits)
]

const main = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const known = new Map([
    on(commands.open, (options) =>
      Effect.map(Scope.extend(openSite(options), scope), (site) => {
        for (const [name, carried] of handlersOf(site)) known.set(name, carried)
        return site.opened
      })
    )
  ])
  const run = (name: string, given: unknown): Effect.Effect<unknown, unknown> =>
    known.get(name)?.(given) ?? Effect.fail(new Error(`There is no command ${name}.`))
  const fork = yield* FiberSet.makeRuntime<never>()
  const gone = yield* Effect.async<void>((resume) => {
    process.on("message", (message) => {
      const asked = Schema.decodeUnknownSync(Asked)(message)
      fork(
        Effect.exit(run(asked.name, asked.given)).pipe(
          Effect.flatMap((exit) =>
            Exit.isSuccess(exit)
              ? tell(asked.id, { answer: exit.value })
              : tell(asked.id, { failed: String(exit.cause) })
          )
        )
      )
    })
    process.once("disconnect", () => resume(Effect.void))
  })
  return gone
}).pipe(Effect.scoped)

NodeRuntime.runMain(main)

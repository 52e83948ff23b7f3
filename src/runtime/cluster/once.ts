/**
 * Work that is done in one process at a time, and goes on in another when that one ends: the looks for orders, the rounds, the reports.
 *
 * The cluster starts it where its name is placed. It does not start again what has failed, and for a second after a pause there may be two of a
 * kind: so each is started again here, in one process as well, and in several changes nothing unless it has the newest lease of its name.
 */
import { createHash } from "node:crypto"
import { Sharding } from "@effect/cluster"
import { Cause, Context, Effect, Exit, Layer, Schedule, Schema, type Scope } from "effect"
import { ResourceId } from "../../core/index.js"
import { JournalHealth } from "../journal/health.js"
import { Journal } from "../journal/journal.js"
import { mendProbe, onceAgain } from "../schedules.js"
import { underLease } from "./gate.js"
import { Placement } from "./placement.js"

export class Once extends Context.Tag("site-actors/runtime/Once")<
  Once,
  {
    /**
     * Has the work done, here or elsewhere, until the scope closes. In one process: here, and completes with it. In several it never completes.
     * `name`: the same in all processes, and only one of it; an offering's uuid for what is done for an offering.
     */
    readonly run: <R>(
      name: string,
      work: Effect.Effect<unknown, never, R>
    ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
  }
>() {
  static readonly single = Layer.succeed(Once, {
    run: (name, work) => Effect.asVoid(Effect.repeat(attempt(name, Effect.scoped(work)), untilDone))
  })

  /** `owner`: what this process is called in its leases. */
  static readonly several = (owner: string) =>
    Layer.effect(
      Once,
      Effect.gen(function* () {
        const sharding = yield* Sharding.Sharding
        const placement = yield* Placement
        const journal = yield* Journal
        const health = yield* JournalHealth
        return {
          run: <R>(name: string, work: Effect.Effect<unknown, never, R>) =>
            Effect.gen(function* () {
              const refs = yield* Effect.getFiberRefs
              const turn = Effect.gen(function* () {
                yield* health.passed
                if (!(yield* placement.isOurs(name))) return
                const lease = yield* journal.lease(leaseName(name), owner)
                yield* Effect.logDebug(`${name} is looked after here`)
                yield* underLease(journal, lease, Effect.scoped(work))
              })
              yield* sharding.registerSingleton(
                name,
                // What the fiber that asked for it has set: its log's names, whoever watches its calls. Not all of it (`setFiberRefs`): where that
                // fiber is one of several, whatever this one forks would be its own, and go on when this one is stopped.
                Effect.zipRight(Effect.inheritFiberRefs(refs), Effect.repeat(attempt(name, turn), onceAgain))
              )
              return yield* Effect.never
            })
        }
      })
    )
}

/** A bug in what is done for one offering is not the end of what is done for the others. */
const attempt = <A, E, R>(name: string, turn: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.exit(turn).pipe(
    Effect.tap((exit) => {
      if (Exit.isSuccess(exit)) return Effect.void
      if (Cause.isInterruptedOnly(exit.cause)) return Effect.interrupt
      const say = Cause.isDie(exit.cause) ? Effect.logError : Effect.logWarning
      return say(`${name} begins anew`, exit.cause)
    })
  )

const untilDone = Schedule.whileInput(mendProbe, (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit))

const isResourceId = Schema.is(ResourceId)

/** Leases have uuids for names. */
const leaseName = (name: string): ResourceId =>
  isResourceId(name) ? name : ResourceId.make(createHash("sha256").update(name).digest("hex").slice(0, 32))

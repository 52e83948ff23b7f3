/**
 * Work that is done in one process at a time, where there are several.
 *
 * The cluster starts it where its name is placed. It does not start again what has failed, and for a second after a pause there may be two of a
 * kind: so each is started again here, and changes nothing unless it has the newest lease of its name.
 */
import { createHash } from "node:crypto"
import { Sharding } from "@effect/cluster"
import { Effect, Layer, Schema } from "effect"
import { ResourceId } from "../../core/index.js"
import { JournalHealth } from "../journal/health.js"
import { Journal } from "../journal/journal.js"
import { Once, Placement, survived, underLease } from "../placement/index.js"
import { onceAgain } from "../schedules.js"

/** `owner`: what this process is called in its leases. */
export const once = (owner: string) =>
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
              Effect.zipRight(Effect.inheritFiberRefs(refs), Effect.repeat(survived(name, turn), onceAgain))
            )
            return yield* Effect.never
          })
      }
    })
  )

const isResourceId = Schema.is(ResourceId)

/** Leases have uuids for names. */
const leaseName = (name: string): ResourceId =>
  isResourceId(name) ? name : ResourceId.make(createHash("sha256").update(name).digest("hex").slice(0, 32))

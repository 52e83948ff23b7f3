/** The loop that looks at an offering's resources, and hands what is to be done to their actors. */
import { Cause, Duration, Effect, FiberMap, Queue, Random } from "effect"
import type { ResourceId } from "../../core/index.js"
import { publish } from "../activity.js"
import { Actors } from "../actors/actors.js"
import { countedRound } from "../metrics/index.js"
import { lookAtAll } from "../observation/look.js"
import { Looks } from "../observation/looks.js"
import type { Offering } from "../offerings/offering.js"
import { firstObservation } from "../schedules.js"
import { makeTurnsToNote } from "./turnsToNote.js"

/** How many resources are put right at once: each look of an actor reads the backend's pools. */
const atOnce = 4

/**
 * Looks every `interval` (jittered by a tenth either way), and when somebody asks for it. After something was done it looks once more, to
 * see whether it came right. Never while the offering waits for a server. Never ends, never fails.
 */
export const watchResources = (offering: Offering, interval: Duration.DurationInput) =>
  Effect.gen(function* () {
    const actor = yield* Actors
    const looks = yield* Looks
    const wake = yield* Queue.sliding<void>(1)
    const inWork = yield* FiberMap.make<ResourceId>()
    const places = yield* Effect.makeSemaphore(atOnce)
    const dueForNote = makeTurnsToNote()
    const pause = (from: number, to: number) =>
      Effect.flatMap(Random.nextRange(from, to), (factor) => Effect.sleep(Duration.times(interval, factor)))

    const reconcile = (resource: ResourceId) =>
      actor(resource)
        .reconcile({ offering: offering.id })
        .pipe(
          Effect.catchAllCause((cause) =>
            Cause.isInterruptedOnly(cause)
              ? Effect.interrupt
              : Effect.as(
                  Effect.logWarning(`Resource ${resource} is left for the next look`, cause),
                  "not now" as const
                )
          ),
          places.withPermits(1)
        )

    /** Whether something was done by the time that all of it has ended. Waits for it in the background. */
    const handle = (resources: ReadonlyArray<ResourceId>, again: Effect.Effect<unknown>) =>
      Effect.gen(function* () {
        let left = resources.length
        let changed = false
        yield* Effect.forEach(
          resources,
          (resource) =>
            FiberMap.run(
              inWork,
              resource,
              Effect.flatMap(reconcile(resource), (reconciled) => {
                left -= 1
                changed ||= reconciled === "done"
                return left === 0 && changed ? again : Effect.void
              }),
              { onlyIfMissing: true }
            ),
          { discard: true }
        )
      })

    const wakeUp = Effect.asVoid(Queue.offer(wake, undefined))
    yield* looks.register(offering.id, { all: wakeUp, one: (resource) => handle([resource], wakeUp) })

    const look = Effect.gen(function* () {
      if (yield* offering.health.waits) return
      const { present, toDo, toRecord } = yield* countedRound(offering.id, "observation")(lookAtAll(offering))
      yield* publish({ _tag: "Look", offering: offering.id })
      yield* handle(toDo, wakeUp)
      yield* handle(yield* dueForNote(toRecord), Effect.void)
      yield* sayThatItIsThere(offering, present)
    }).pipe(
      Effect.catchAll((error) =>
        Effect.zipRight(offering.health.report(error), Effect.logWarning(`Cannot look at resources: ${error.message}`))
      )
    )

    yield* Effect.raceFirst(pause(...firstObservation), Queue.take(wake))
    yield* Effect.forever(Effect.zipRight(look, Effect.raceFirst(pause(0.9, 1.1), Queue.take(wake))))
  }).pipe(Effect.scoped, Effect.annotateLogs({ part: "observation", offering: offering.name }))

/**
 * Waldur shows when an agent last saw a resource. A server that has no such call is asked once a look. It is a courtesy: what goes wrong here
 * is no fault of the offering, whose orders do not rest on it, and of one resource no hindrance to the others.
 */
const sayThatItIsThere = ({ waldur }: Offering, resources: ReadonlyArray<ResourceId>) =>
  Effect.gen(function* () {
    const say = (resource: ResourceId) =>
      // It may have ended, or been moved, since it was listed.
      Effect.catchTag(waldur.refreshLastSync(resource), "WaldurNotFound", "WaldurConflict", () =>
        Effect.succeed("written" as const)
      )
    const [first, ...others] = resources
    if (first === undefined || (yield* say(first)) === "unsupported") return
    yield* Effect.forEach(others, say, { concurrency: atOnce, discard: true })
  }).pipe(
    Effect.catchAll((error) => Effect.logWarning(`Waldur is not told that resources were seen: ${error.message}`))
  )

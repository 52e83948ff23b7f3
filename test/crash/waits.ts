/** What a trial waits for. Each wait ends when it is so, and says what never came if it takes far longer than it can. */
import { Deferred, Duration, Effect, Exit } from "effect"
import { type JournalCopy, readJournal } from "./journal.js"
import type { AgentProcess } from "./process.js"
import type { Site } from "./site.js"

export const patience = Duration.minutes(3)

export class NeverCame extends Error {
  constructor(readonly what: string) {
    super(`never came: ${what}`)
  }
}

export const orNever =
  (what: () => string) =>
  <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E | NeverCame, R> =>
    Effect.timeoutFail(wait, { duration: patience, onTimeout: () => new NeverCame(what()) })

/** Looks every 20 ms whether it is so. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void, NeverCame> =>
  Effect.sync(condition).pipe(
    Effect.delay("20 millis"),
    Effect.repeat({ until: (is) => is }),
    orNever(() => what),
    Effect.asVoid
  )

export const untilJournal = (site: Site, what: string, condition: (journal: JournalCopy) => boolean) =>
  until(what, () => condition(readJournal(site.dataDir)))

/** Completes when the agent has looked into both queues, or has ended instead. */
export const atWork = (site: Site, agent: AgentProcess): Effect.Effect<void, NeverCame> => {
  const looked = (from: number) =>
    [site.world.vdcOffering, site.world.vmOffering].every(({ uuid }) =>
      site.marketplace.calls
        .slice(from)
        .some(({ path, query }) => path === "/api/marketplace-orders/" && query.includes(uuid))
    )
  return Effect.suspend(() => {
    const from = site.marketplace.calls.length
    return Effect.raceFirst(
      until("the agent at work", () => looked(from)),
      Effect.flatMap(agent.ended, ({ code }) =>
        Effect.fail(new NeverCame(`the agent at work, it has ended with ${code}: ${agent.output()}`))
      )
    )
  })
}

/** Completes when Waldur has the order as ended and the journal knows it. */
export const ended = (site: Site, order: string) =>
  site.marketplace.awaitOrderEnd(order).pipe(
    orNever(() => `the end of order ${order}, which is ${site.marketplace.orders.get(order)?.state}`),
    Effect.zipLeft(
      untilJournal(site, "the order's end in the journal", (journal) => !journal.openOrders.includes(order))
    )
  )

/** SIGTERM. That it takes less than 10 s is for a test that has the machine for itself (`stop.long.ts`). */
export const stopped = (agent: AgentProcess) =>
  Effect.sync(() => agent.signal("SIGTERM")).pipe(
    Effect.zipRight(agent.ended),
    orNever(() => "the exit after SIGTERM")
  )

/**
 * The calls of a method wait for their answer from now on. `come`: the first one is on the wire; `answered`: they are answered. `before`, `after`: the
 * front-end has not carried them out yet, or has.
 */
export const held = (site: Site, name: string, when: "before" | "after") =>
  Effect.gen(function* () {
    const come = yield* Deferred.make<void>()
    const answer = yield* Deferred.make<void>()
    site.cloud.intercept(({ method }) => {
      if (method !== name) return undefined
      Deferred.unsafeDone(come, Exit.void)
      return { _tag: "Hold", when, until: Deferred.await(answer) }
    })
    return {
      come: orNever(() => `the call of ${name}`)(Deferred.await(come)),
      answered: Deferred.succeed(answer, undefined)
    }
  })

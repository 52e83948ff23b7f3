/**
 * Strikes: what the kit does to an order at one of its steps.
 *
 * All of it happens between the plugin's handler and the order's journal, which the handler gets by the service `Steps`: an entry that is
 * written tells where the handler is, and an entry that never gets through is a process that died before it could write it. So any plugin
 * can be struck at each of its steps, and neither it nor the runtime knows.
 */
import { Deferred, Effect, MutableRef, Redacted } from "effect"
import {
  type Backend,
  type HandlerServices,
  JournalUnavailable,
  LeaseLost,
  type OrderJournal,
  OrderRefused,
  type Outcome,
  type Plugin,
  type Resource,
  type SiteError,
  Steps
} from "../core/index.js"
import type { Moment, Operation } from "./model.js"

export interface Strike {
  readonly step: string
  readonly moment: Moment
}

/** A strike that an order is going to meet. */
interface Aimed extends Strike {
  /** Completes when it has fallen. */
  readonly fallen: Deferred.Deferred<void>
  hasFallen: boolean
}

const isResult = (event: string): boolean => event === "finished" || event === "adopted"

/** Until the race that this order has lost ends it; wherever it stands. */
const ended: Effect.Effect<never> = Effect.interruptible(Effect.never)

const givenUp = new OrderRefused({ customerMessage: "The kit has given this order up." })

export interface Strikes {
  /** The plugin, with its orders watched and struck. */
  readonly plugin: Plugin
  /** The backend as it was opened last. */
  readonly opened: Effect.Effect<Backend<unknown>>
  readonly aim: (resourceName: string, operation: Operation, strike: Strike) => Effect.Effect<Deferred.Deferred<void>>
  /** Lets go of everything that waits where the process died. */
  readonly buryProcess: Effect.Effect<void>
  /** Run once, at the start of the create of the resource of that name. */
  readonly beforeCreate: (resourceName: string, act: (resource: Resource) => Effect.Effect<void>) => void
  /** Run once, before the first step of the create of the resource of that name is begun. */
  readonly beforeSteps: (resourceName: string, look: Effect.Effect<void>) => void
  /** The steps that an order of this kind went through, in the order in which they began. */
  readonly stepsOf: (resourceName: string, operation: Operation) => ReadonlyArray<string>
  /** The steps that were undone, or would have been, when the order was given up. */
  readonly undoneOf: (resourceName: string) => ReadonlyArray<string>
  /** Secrets that were issued to customers. */
  readonly issued: Set<string>
  /** The most handlers that were at work for one resource at one time. */
  readonly mostAtOnce: () => number
}

/** Keeps what a customer is shown, so that it can be looked for elsewhere. */
const issue = (outcome: Outcome, issued: Set<string>): Outcome => {
  const { issueSecrets } = outcome
  if (issueSecrets === undefined) return outcome
  return {
    ...outcome,
    issueSecrets: Effect.tap(issueSecrets, (secrets) =>
      Effect.sync(() => {
        for (const secret of Object.values(secrets)) issued.add(Redacted.value(secret))
      })
    )
  }
}

export const makeStrikes = (inner: Plugin): Strikes => {
  const aimed = new Map<string, Aimed>()
  const greetings = new Map<string, (resource: Resource) => Effect.Effect<void>>()
  const firsts = new Map<string, Effect.Effect<void>>()
  const steps = new Map<string, Set<string>>()
  const undone = new Map<string, ReadonlyArray<string>>()
  const issued = new Set<string>()
  const atWork = new Map<string, number>()
  let most = 0
  let process = Effect.runSync(Deferred.make<void>())
  /** Here the process dies: nothing more is written. What is left of it is told to let go when the next process begins. */
  const death = ({ resource }: Pick<OrderJournal, "resource">) =>
    Effect.suspend(() =>
      Effect.zipRight(Effect.interruptible(Deferred.await(process)), new LeaseLost({ resource, epoch: 0 }))
    )
  let backend: Backend<unknown> | undefined

  const watched = (journal: OrderJournal, key: string, refuse: Effect.Effect<void>): OrderJournal => {
    const append: OrderJournal["append"] = (step, event, data) =>
      Effect.suspend(() => {
        const first = firsts.get(key)
        firsts.delete(key)
        const write = Effect.zipRight(first ?? Effect.void, journal.append(step, event, data))
        const dead = death(journal)
        if (event === "started") steps.set(key, (steps.get(key) ?? new Set()).add(step))
        const strike = aimed.get(key)
        if (strike === undefined || strike.hasFallen || strike.step !== step) return write
        const fall = Effect.suspend(() => {
          strike.hasFallen = true
          return Deferred.succeed(strike.fallen, undefined)
        })
        switch (strike.moment) {
          case "before":
            return event === "started" ? write.pipe(Effect.zipRight(fall), Effect.zipRight(dead)) : write
          case "during":
          case "unknown":
            return isResult(event) ? Effect.zipRight(fall, dead) : write
          case "after":
            return isResult(event) ? write.pipe(Effect.zipRight(fall), Effect.zipRight(dead)) : write
          case "lost":
            return isResult(event)
              ? Effect.zipRight(fall, new JournalUnavailable({ reason: "the kit has lost an answer" }))
              : write
          case "refused":
            return isResult(event)
              ? write.pipe(Effect.zipRight(fall), Effect.zipRight(refuse), Effect.zipRight(ended))
              : write
          case "undo before":
          case "undo after":
            return write
        }
      })
    return { ...journal, append, announce: (step) => append(step, "started"), note: append }
  }

  /** A handler, watched. `key`: the resource's name and the operation. */
  const handled = (
    operation: Operation,
    resource: Resource,
    handler: Effect.Effect<Outcome, SiteError, HandlerServices>
  ): Effect.Effect<Outcome, SiteError, HandlerServices> =>
    Effect.gen(function* () {
      const key = `${resource.name} ${operation}`
      const attempt = yield* Steps
      const refusal = yield* Deferred.make<never, OrderRefused>()
      const refuse = Effect.asVoid(Deferred.fail(refusal, givenUp))
      const strike = aimed.get(key)
      // The process ended with an unknown outcome, and the next one finds that the order was given up.
      if (strike?.moment === "unknown" && strike.hasFallen && attempt.direction === "forward") return yield* givenUp
      const greeting = operation === "create" ? greetings.get(resource.name) : undefined
      greetings.delete(resource.name)
      if (greeting !== undefined) yield* greeting(resource)
      const inUndo = strike !== undefined && !strike.hasFallen && strike.moment.startsWith("undo") ? strike : undefined
      return yield* handler.pipe(
        Effect.provideService(Steps, { ...attempt, journal: watched(attempt.journal, key, refuse) }),
        Effect.map((outcome) => issue(outcome, issued)),
        Effect.flatMap((outcome) => (inUndo === undefined ? Effect.succeed(outcome) : givenUp)),
        Effect.raceFirst(Deferred.await(refusal)),
        Effect.tapErrorTag("OrderRefused", () =>
          Effect.sync(() => {
            const all = MutableRef.updateAndGet(attempt.performed, (before) =>
              before.map((performed) =>
                performed.step === inUndo?.step
                  ? { ...performed, undo: struckUndo(inUndo, performed.undo, death(attempt.journal)) }
                  : performed
              )
            )
            undone.set(
              resource.name,
              all.map(({ step }) => step)
            )
          })
        )
      )
    }).pipe((work) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const now = (atWork.get(resource.id) ?? 0) + 1
          atWork.set(resource.id, now)
          most = Math.max(most, now)
        }),
        () => work,
        () => Effect.sync(() => atWork.set(resource.id, (atWork.get(resource.id) ?? 1) - 1))
      )
    )

  const struckUndo = (
    strike: Aimed,
    undo: Effect.Effect<void, SiteError>,
    dead: Effect.Effect<never, SiteError>
  ): Effect.Effect<void, SiteError> =>
    Effect.suspend(() => {
      if (strike.hasFallen) return undo
      strike.hasFallen = true
      const fall = Effect.zipRight(Deferred.succeed(strike.fallen, undefined), dead)
      return strike.moment === "undo before" ? fall : Effect.zipRight(undo, fall)
    })

  return {
    plugin: {
      ...inner,
      open: (context, memoMap) =>
        Effect.map(inner.open(context, memoMap), (opened) => {
          backend = opened
          return {
            ...opened,
            create: (request) => handled("create", request.resource, opened.create(request)),
            update: (request) => handled("update", request.resource, opened.update(request)),
            terminate: (request) => handled("terminate", request.resource, opened.terminate(request))
          }
        })
    },
    opened: Effect.suspend(() =>
      backend === undefined ? Effect.dieMessage("The backend was never opened") : Effect.succeed(backend)
    ),
    aim: (resourceName, operation, strike) =>
      Effect.map(Deferred.make<void>(), (fallen) => {
        aimed.set(`${resourceName} ${operation}`, { ...strike, fallen, hasFallen: false })
        return fallen
      }),
    buryProcess: Effect.suspend(() => {
      const past = process
      process = Effect.runSync(Deferred.make<void>())
      return Effect.asVoid(Deferred.succeed(past, undefined))
    }),
    beforeCreate: (resourceName, act) => {
      greetings.set(resourceName, act)
    },
    beforeSteps: (resourceName, look) => {
      firsts.set(`${resourceName} create`, look)
    },
    stepsOf: (resourceName, operation) => [...(steps.get(`${resourceName} ${operation}`) ?? [])],
    undoneOf: (resourceName) => undone.get(resourceName) ?? [],
    issued,
    mostAtOnce: () => most
  }
}

/**
 * Mailboxes of one process: what is asked of a key is done one after the other, on a fiber of its own that whoever asked only waits for.
 *
 * An entity of the cluster does the same for several processes. Of the steps of fibers that the restart of an order takes, half were its address, its
 * server, its client and their messages (docs/decisions/0078-what-an-order-costs.md).
 */
import { Duration, Effect, type Fiber, Runtime, type Scope } from "effect"
import { steadyMillisBy } from "../../core/index.js"

export interface Mailboxes<Key, Actor, R> {
  /**
   * Has its actor do something when its turn comes, and gives what came of it. Whoever asked may go away: what was begun goes on. Interrupts whoever
   * asks once the process ends.
   */
  readonly ask: <A, E>(key: Key, work: (actor: Actor) => Effect.Effect<A, E, R>) => Effect.Effect<A, E>
}

interface Mailbox<Actor> {
  actor: Actor | undefined
  /** What is asked and has not had its turn, the oldest first. */
  readonly waiting: Array<Letter>
  isAtWork: boolean
  /** When it had nothing to do any more: steady, ms. */
  idleSince: number
}

interface Letter {
  readonly open: () => void
  readonly giveBack: () => void
}

export interface Life {
  /** An actor that had nothing to do for so long leaves memory. */
  readonly idle: Duration.Duration
  /** When the scope closes, what is at work is waited for so long before it is interrupted. */
  readonly patience: Duration.Duration
}

/** `make`: the actor of a key, made when something is asked of it and it is not in memory. It is taken down with the scope. */
export const makeMailboxes = <Key, Actor, R>(
  make: (key: Key) => Effect.Effect<Actor, never, R>,
  { idle, patience }: Life
): Effect.Effect<Mailboxes<Key, Actor, R>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const run = Runtime.runFork(yield* Effect.interruptible(Effect.runtime<R>()))
    const clock = yield* Effect.clock
    const all = new Map<Key, Mailbox<Actor>>()
    const atWork = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
    const none = Effect.unsafeMakeLatch(true)
    let isClosed = false

    const actorOf = (key: Key, mailbox: Mailbox<Actor>): Effect.Effect<Actor, never, R> =>
      mailbox.actor === undefined
        ? Effect.tap(make(key), (made) => {
            mailbox.actor = made
          })
        : Effect.succeed(mailbox.actor)

    const mailboxOf = (key: Key): Mailbox<Actor> => {
      const known = all.get(key)
      if (known !== undefined) return known
      const mailbox = { actor: undefined, waiting: [], isAtWork: false, idleSince: 0 }
      all.set(key, mailbox)
      return mailbox
    }

    const next = (mailbox: Mailbox<Actor>): void => {
      const letter = mailbox.waiting.shift()
      mailbox.isAtWork = letter !== undefined
      if (letter === undefined) mailbox.idleSince = steadyMillisBy(clock)
      else letter.open()
    }

    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        isClosed = true
        for (const { waiting } of all.values()) for (const { giveBack } of waiting.splice(0)) giveBack()
        yield* Effect.timeoutOption(none.await, patience)
        for (const fiber of atWork) fiber.unsafeInterruptAsFork(fiber.id())
        yield* none.await
      }).pipe(Effect.interruptible)
    )

    const forgetIdle = Effect.sync(() => {
      const before = steadyMillisBy(clock) - Duration.toMillis(idle)
      for (const [key, { idleSince, isAtWork }] of all) if (!isAtWork && idleSince <= before) all.delete(key)
    })
    yield* Effect.forkScoped(Effect.forever(Effect.delay(forgetIdle, idle)))

    const ask = <A, E>(key: Key, work: (actor: Actor) => Effect.Effect<A, E, R>): Effect.Effect<A, E> =>
      Effect.async<A, E>((resume) => {
        const giveBack = () => resume(Effect.interrupt)
        if (isClosed) return giveBack()
        const mailbox = mailboxOf(key)
        const open = () => {
          const fiber = run(Effect.flatMap(actorOf(key, mailbox), work))
          atWork.add(fiber)
          none.unsafeClose()
          fiber.addObserver((exit) => {
            atWork.delete(fiber)
            if (atWork.size === 0) none.unsafeOpen()
            resume(exit)
            next(mailbox)
          })
        }
        mailbox.waiting.push({ open, giveBack })
        if (!mailbox.isAtWork) next(mailbox)
      })
    return { ask }
  })

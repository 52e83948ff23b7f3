/**
 * The gate before a call that changes something. Whoever acts under a lease puts one up: it lets the call pass at once while the lease was
 * confirmed a moment ago, looks at it again after a pause (the process was stopped, the machine slept, the call waited for its turn), and
 * never lets it pass once another process has the resource.
 *
 * A FiberRef, so that it stands before every call of an order, whichever client makes it. Looks are not held up: they do no harm, and are
 * shared between orders.
 */
import { Effect, FiberRef } from "effect"

/** Completes when the call may go. It does not fail: who put it up ends the fiber that may not pass. */
export const changeGate: FiberRef.FiberRef<Effect.Effect<void>> = FiberRef.unsafeMake<Effect.Effect<void>>(Effect.void)

/**
 * The same gate for once more, when a call's connection stands and it is about to be written: where other processes may take the resource over. To connect
 * takes its time, most of all in a process that has much to do, and one that was stopped meanwhile would send as soon as it goes on. Interrupts the call that may not pass, which nobody else could.
 */
export const sendingGate: FiberRef.FiberRef<Effect.Effect<void>> = FiberRef.unsafeMake<Effect.Effect<void>>(Effect.void)

/**
 * Waits until the resource is known to be ours still: at once, if that was confirmed a moment ago. For a call that comes long after its step began,
 * as a second try at something that takes time. Whoever has lost the resource in the meantime goes no further. The calls of OpenNebula, Keycloak and
 * Waldur have it before them anyway.
 */
export const stillOurs: Effect.Effect<void> = Effect.flatten(FiberRef.get(changeGate))

/** Around a call, just before it goes out. `changes`: it is more than a look. */
export const throughGate =
  (changes: boolean) =>
  <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    changes
      ? Effect.flatMap(FiberRef.get(changeGate), (gate) => (gate === Effect.void ? call : Effect.zipRight(gate, call)))
      : call

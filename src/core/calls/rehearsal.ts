/**
 * A rehearsal: a handler runs as ever, what it reads is real, and what it would change is only said.
 *
 * A FiberRef, as the observer of calls is: a backend's connection that is opened while it is set sends nothing that changes anything.
 * A backend says by `rehearses` in its definition that its connections heed it; without that it is never rehearsed.
 */
import { type Effect, FiberRef, Option } from "effect"

/** A call that would be made. */
export interface PlannedCall {
  /** `opennebula`, `waldur`, ... */
  readonly system: string
  /** `one.group.allocate`, `POST marketplace-orders/{uuid}/set_state_done/`. */
  readonly call: string
  /** What it is about, and with which values; what would only be made is in angle brackets: "<group> <VDC>". Never a secret. */
  readonly about: string
}

export const rehearsal: FiberRef.FiberRef<Option.Option<(call: PlannedCall) => Effect.Effect<void>>> =
  FiberRef.unsafeMake(Option.none())

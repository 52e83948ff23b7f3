/** Which process a resource, or a piece of work that is done once, belongs to. */
import { Context, Effect, Layer } from "effect"
import type { JournalUnavailable } from "../../core/index.js"

export interface Holders {
  /** The start of a process that has it; `undefined`: nobody at the moment. */
  readonly of: (id: string) => string | undefined
  /** All of it as one word: another one, when anything has moved. */
  readonly all: string
}

export class Placement extends Context.Tag("site-actors/runtime/Placement")<
  Placement,
  {
    /** Is this one of several processes? */
    readonly several: boolean
    /** Is it this process's, as the database has it at this moment? `id`: a resource's, or the name of a work. */
    readonly isOurs: (id: string) => Effect.Effect<boolean, JournalUnavailable>
    /** What this start of this process is called in `holders`. */
    readonly self: string
    /** Who has what, as the database has it at this moment. */
    readonly holders: Effect.Effect<Holders, JournalUnavailable>
  }
>() {
  /** One process: everything. */
  static readonly single = Layer.succeed(Placement, {
    several: false,
    isOurs: () => Effect.succeed(true),
    self: "",
    holders: Effect.succeed({ of: () => "", all: "" })
  })
}

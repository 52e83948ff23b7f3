/** What the kit is given, and what it says. */
import type { Effect, Scope } from "effect"
import type { Resource } from "../core/index.js"

export type Json = Readonly<Record<string, unknown>>

/** Something that stands in the backend. */
export interface BackendObject {
  /** "database", "role". */
  readonly kind: string
  /** Tells it from others of its kind. */
  readonly id: string
  /** The uuid of the resource that it belongs to, however that can be told from outside; absent: nobody's. */
  readonly owner?: string | undefined
  /** What is the same for all resources that were ordered alike, such as sizes and limits. No ids, no times, no names. */
  readonly detail?: string
}

/** A backend for one run of the kit, alone and empty or not: what is there at first has to be there at the end. */
export interface BackendUnderTest {
  /** `backend_settings` by which an agent reaches it. */
  readonly settings: Json
  /** Everything that orders can make, looked at from outside: not by the plugin's own code. */
  readonly objects: Effect.Effect<ReadonlyArray<BackendObject>, unknown>
  /** Makes somebody else's objects, of the very names that this resource's would have. Absent: names do not matter there. */
  readonly foreign?: (resource: Resource) => Effect.Effect<void, unknown>
  /** Changes the size of a resource behind the agent's back, so that `observe` has a difference to find. */
  readonly disturb?: (backendId: string) => Effect.Effect<void, unknown>
  /** Lets a resource use more than was ordered, so that there is something to enforce; for a backend with `enforce`. */
  readonly outgrow?: (backendId: string) => Effect.Effect<void, unknown>
  /** Lets the next create fail for good in the backend's own way, halfway if possible: a full host, a quota. */
  readonly refuse?: Effect.Effect<void, unknown>
  /** Texts that must be in no log and no journal, beside the secrets that the plugin issues: the password in the settings. */
  readonly secrets?: ReadonlyArray<string>
}

/** What a customer orders, all in the offering's units. */
export interface KitOrders {
  /** What the offering sells. `limit` unless said otherwise; amounts of `fixed` ones come by plans. */
  readonly components: ReadonlyArray<{
    readonly type: string
    readonly accountingType?: "limit" | "fixed" | "usage" | "one"
    readonly measuredUnit?: string
    /** Backend units in one of the offering's. Default 1. */
    readonly unitFactor?: number
  }>
  readonly create: { readonly amounts: Readonly<Record<string, number>>; readonly attributes?: Json }
  /** The amounts that an update changes. Absent: updates are not tried. */
  readonly update?: { readonly amounts: Readonly<Record<string, number>> }
}

export interface KitOptions {
  /** Made anew for each run, and closed with its scope. */
  readonly makeBackend: Effect.Effect<BackendUnderTest, unknown, Scope.Scope>
  readonly orders: KitOrders
  /** At most so many cells of the matrix, spread over all of it. Default: all. */
  readonly cells?: number
  /** Orders in work at the same time, and so resources that stand at the same time. Default 24, at most 30. */
  readonly atOnce?: number
  /** How long an order may take before it counts as stuck, in seconds. Default 60. */
  readonly patience?: number
}

/**
 * When something is done to an order, at one of its steps.
 *
 * The process ends: `before` the step's call, `during` it (the call is carried out, and nobody has read the answer), `after` its result is
 * in the journal. `lost`: as `during`, and the process lives on. The order is given up: `refused` after the step is finished, `unknown`
 * when the process ended during it. The process ends in the undo: `undo before`, `undo after` this step's undo was carried out.
 */
export const moments = ["before", "during", "after", "lost", "refused", "unknown", "undo before", "undo after"] as const
export type Moment = (typeof moments)[number]
export type Operation = "create" | "update" | "terminate"

export interface CellName {
  readonly operation: Operation
  readonly step: string
  readonly moment: Moment
}

export type ProblemKind = "duplicate" | "leftover" | "wrong"
export interface Problem {
  readonly kind: ProblemKind
  /** What was found, and what should have been. */
  readonly text: string
}

export interface Cell extends CellName {
  readonly problems: ReadonlyArray<Problem>
}

/** One promise of the contract that is no matter of a step. */
export interface Check {
  readonly name: string
  readonly status: "kept" | "broken" | "not tried"
  readonly detail: string
}

export interface KitReport {
  /** The plugin's type. */
  readonly backend: string
  readonly cells: ReadonlyArray<Cell>
  /** How many cells there are, tried or not. */
  readonly possibleCells: number
  readonly checks: ReadonlyArray<Check>
  /** Everything that is wrong, one line each. Empty: the contract is kept. */
  readonly problems: ReadonlyArray<string>
  readonly milliseconds: number
}

/** What every part of a run stands on: the stage, the backend's objects, and what an order has to come to. */
import { Effect } from "effect"
import type { BackendUnderTest, KitOrders, Operation, Problem, ProblemKind } from "./model.js"
import type { Stage } from "./stage.js"
import type { Strikes } from "./strikes.js"
import { shapeOf } from "./world.js"

export interface Ground {
  readonly stage: Stage
  readonly strikes: Strikes
  readonly backend: BackendUnderTest
  readonly orders: KitOrders
}

export const problem = (kind: ProblemKind, text: string): Problem => ({ kind, text })

/** Places an order and sees its end; everything but `expected` is a problem. */
export const through = (
  { stage }: Ground,
  operation: Operation,
  name: string,
  expected: "done" | "erred" = "done"
): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.flatMap(Effect.either(stage[operation](name)), (placed) =>
    placed._tag === "Left"
      ? Effect.succeed([problem("wrong", `the ${operation} order cannot be placed: ${placed.left.message}`)])
      : ending(stage, operation, placed.right, expected)
  )

export const ending = (stage: Stage, operation: Operation, order: string, expected: "done" | "erred") =>
  Effect.flatMap(stage.ended(order), (end): Effect.Effect<ReadonlyArray<Problem>> => {
    if (end === undefined) return Effect.map(endless(stage, operation, order), (text) => [problem("wrong", text)])
    if (end.state === expected) return Effect.succeed([])
    const text = `the ${operation} order is ${end.state}, should be ${expected}: ${end.errorMessage}`
    return Effect.succeed([problem("wrong", text)])
  })

/** An order without an end, and the bug that it met. */
export const endless = (stage: Stage, operation: Operation, order: string) =>
  Effect.map(
    stage.stuck(order),
    (bug) => `the ${operation} order does not end${bug === undefined ? "" : `, by a bug: ${bug}`}`
  )

export const look = ({ backend }: Ground) => Effect.orDie(backend.objects)

export const idOf = ({ stage }: Ground, name: string): string => stage.resource(name)?.uuid ?? ""

/** The objects of the resource of that name. */
export const shape = (ground: Ground, name: string) =>
  Effect.map(look(ground), (objects) => shapeOf(objects, idOf(ground, name)))

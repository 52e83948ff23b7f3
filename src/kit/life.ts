/** A resource's life without a fault, from which the kit learns the steps of each operation and what they come to. */
import { Effect, Ref } from "effect"
import { afterUpdate, enforcementCheck, goneCheck, notTried, passwordCheck, questions, verdict } from "./checks.js"
import { type Ground, look, shape, through } from "./ground.js"
import type { Check, Operation, Problem } from "./model.js"
import { added, named } from "./world.js"

/** What the undisturbed life came to. */
export interface Life {
  readonly steps: Readonly<Record<Operation, ReadonlyArray<string>>>
  readonly undone: ReadonlyArray<string>
  /** The resource's objects after its create, and after its update. */
  readonly created: ReadonlyArray<string>
  readonly updated: ReadonlyArray<string>
}

/** Create, look, update, look, terminate: without a fault. And one create that is given up at its end. */
export const undisturbed = (ground: Ground) =>
  Effect.gen(function* () {
    const { orders, stage, strikes } = ground
    const name = "kit-life"
    const problems: Array<string> = []
    const checks: Array<Check> = []
    const note = (found: ReadonlyArray<Problem>) => problems.push(...found.map(({ text }) => text))
    const atFirst = yield* look(ground)
    const early = yield* Ref.make(atFirst)
    strikes.beforeSteps(
      name,
      Effect.flatMap(look(ground), (objects) => Ref.set(early, objects))
    )
    note(yield* through(ground, "create", name))
    const created = yield* shape(ground, name)
    if (created.length === 0) problems.push("nothing in the backend belongs to the created resource")
    const resource = stage.resource(name)
    if (resource !== undefined && resource.backendId === "") problems.push("the create gave no backend id")
    checks.push(...(yield* questions(ground, name)), yield* passwordCheck(ground, name))
    if (orders.update !== undefined) note(yield* through(ground, "update", name))
    const updated = yield* shape(ground, name)
    if (orders.update !== undefined) checks.push(...(yield* afterUpdate(ground, name)))
    checks.push(yield* enforcementCheck(ground, name))
    note(yield* through(ground, "terminate", name))
    const left = added(atFirst, yield* look(ground))
    if (left.length > 0) problems.push(`left after the terminate: ${named(left)}`)
    checks.push(yield* goneCheck(ground, name, resource?.backendId ?? ""))
    const steps = {
      create: strikes.stepsOf(name, "create"),
      update: strikes.stepsOf(name, "update"),
      terminate: strikes.stepsOf(name, "terminate")
    }

    const unasked = added(atFirst, yield* Ref.get(early))
    checks.push(
      verdict("create: what it makes, it makes in its steps", [
        ...(unasked.length > 0
          ? [`made before its first step, so it may be made before the order is approved: ${named(unasked)}`]
          : []),
        ...(steps.create.length === 0 && created.length > 0 ? ["it has none"] : [])
      ])
    )

    const last = steps.create.at(-1)
    const givenUp = "a create that is given up leaves nothing"
    if (last === undefined || problems.length > 0) checks.push(notTried(givenUp, "creates do not work"))
    else {
      const before = yield* look(ground)
      yield* strikes.aim("kit-undone", "create", { step: last, moment: "refused" })
      const faults = yield* through(ground, "create", "kit-undone", "erred")
      const standing = added(before, yield* look(ground))
      checks.push(
        verdict(givenUp, [
          ...faults.map(({ text }) => text),
          ...(standing.length > 0 ? [`left: ${named(standing)}`] : [])
        ])
      )
    }
    const life: Life = { steps, undone: strikes.undoneOf("kit-undone"), created, updated }
    return { life, checks: [verdict("create, update and terminate", problems), ...checks] }
  })

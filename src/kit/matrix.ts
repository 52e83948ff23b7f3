/** The matrix: many orders at once, each struck at a step of its own, with one restart for all of them. */
import { Deferred, Effect } from "effect"
import { ending, type Ground, idOf, look, problem } from "./ground.js"
import type { Life } from "./life.js"
import type { Cell, CellName, moments, Operation, Problem } from "./model.js"
import { compareShapes, shapeOf } from "./world.js"

/** In the order in which they are dealt to resources: those of one operation one after the other. */
export const cellsOf = ({ steps, undone }: Life, hasUpdate: boolean): ReadonlyArray<CellName> => {
  const of = (operation: Operation, which: ReadonlyArray<(typeof moments)[number]>, names: ReadonlyArray<string>) =>
    names.flatMap((step) => which.map((moment): CellName => ({ operation, step, moment })))
  const process = ["before", "during", "after", "lost"] as const
  const back = ["refused", "unknown"] as const
  return [
    ...of("create", [...process, ...back], steps.create),
    ...of("create", ["undo before", "undo after"], undone),
    ...(hasUpdate ? of("update", [...process, ...back], steps.update) : []),
    ...of("terminate", process, steps.terminate)
  ]
}

/** At most so many, spread evenly. */
export const spread = <A>(all: ReadonlyArray<A>, most: number): ReadonlyArray<A> =>
  all.length <= most
    ? all
    : Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]).flatMap((one) =>
        one === undefined ? [] : [one]
      )

const isGivenUp = ({ moment }: CellName): boolean =>
  moment === "refused" || moment === "unknown" || moment.startsWith("undo")
const outlivesItsStrike = ({ moment }: CellName): boolean => moment === "lost" || moment === "refused"

export interface Subject {
  readonly name: string
  readonly cells: ReadonlyArray<CellName>
}

/** What it meets in this operation. */
const cellOf = ({ cells }: Subject, operation: Operation): CellName | undefined =>
  cells.find((cell) => cell.operation === operation)

/** Resources with what each of them meets: at most one cell of each operation. */
export const deal = (cells: ReadonlyArray<CellName>): ReadonlyArray<Subject> => {
  const of = (operation: Operation) => cells.filter((cell) => cell.operation === operation)
  // A create that is given up leaves nothing that could be updated or ended.
  const [creates, failing] = [of("create").filter((cell) => !isGivenUp(cell)), of("create").filter(isGivenUp)]
  const [updates, terminates] = [of("update"), of("terminate")]
  const length = Math.max(creates.length, updates.length, terminates.length)
  const living = Array.from({ length }, (_, at) =>
    [creates[at], updates[at], terminates[at]].flatMap((cell) => (cell === undefined ? [] : [cell]))
  )
  return [...living, ...failing.map((cell) => [cell])].map((own, at) => ({ name: `kit-${at + 1}`, cells: own }))
}

/** One operation for all subjects at once; strikes fall, the agent is started again, and the orders end. */
const strikeAll = (ground: Ground, operation: Operation, subjects: ReadonlyArray<Subject>) =>
  Effect.gen(function* () {
    const { stage, strikes } = ground
    const placed = yield* Effect.forEach(
      subjects,
      (subject) =>
        Effect.gen(function* () {
          const cell = cellOf(subject, operation)
          const fallen = cell === undefined ? undefined : yield* strikes.aim(subject.name, operation, cell)
          return { subject, cell, fallen, order: yield* Effect.orDie(stage[operation](subject.name)) }
        }),
      { concurrency: 8 }
    )
    const missed = new Set<string>()
    yield* Effect.forEach(
      placed,
      ({ fallen, order, subject }) =>
        fallen === undefined
          ? Effect.void
          : // An order that has ended comes to no further moment: an undo that throws has none after it.
            Effect.raceFirst(Deferred.await(fallen), stage.ended(order)).pipe(
              Effect.zipRight(Deferred.isDone(fallen)),
              Effect.map((met) => (met ? undefined : missed.add(subject.name)))
            ),
      { concurrency: "unbounded" }
    )
    // Those that live on, and those that have no strike, end by themselves: what is killed is only what waits at its strike.
    const survivors = placed.filter(({ cell }) => cell === undefined || outlivesItsStrike(cell))
    const endOf = ({ cell, order, subject }: (typeof placed)[number]) =>
      Effect.map(
        ending(stage, operation, order, cell !== undefined && isGivenUp(cell) ? "erred" : "done"),
        (found) => ({
          name: subject.name,
          problems: [...found, ...(missed.has(subject.name) ? [problem("wrong", "never came to this moment")] : [])]
        })
      )
    const first = yield* Effect.forEach(survivors, endOf, { concurrency: "unbounded" })
    const struck = placed.filter((one) => !survivors.includes(one))
    if (struck.length === 0) return first
    yield* stage.restart
    return [...first, ...(yield* Effect.forEach(struck, endOf, { concurrency: "unbounded" }))]
  })

/** The whole life of some subjects, and what came of each cell. */
export const batch = (ground: Ground, life: Life, subjects: ReadonlyArray<Subject>) =>
  Effect.gen(function* () {
    const { orders, stage } = ground
    const found = new Map<CellName, Array<Problem>>()
    const unmet: Array<Problem> = []
    const note = (subject: Subject, operation: Operation, problems: ReadonlyArray<Problem>) => {
      const cell = cellOf(subject, operation)
      if (cell === undefined) unmet.push(...problems)
      else found.set(cell, [...(found.get(cell) ?? []), ...problems])
    }
    const byName = new Map(subjects.map((subject) => [subject.name, subject]))
    const go = (
      operation: Operation,
      some: ReadonlyArray<Subject>,
      expected: (subject: Subject) => ReadonlyArray<string>
    ) =>
      Effect.gen(function* () {
        for (const { name, problems } of yield* strikeAll(ground, operation, some)) {
          const subject = byName.get(name)
          if (subject !== undefined) note(subject, operation, problems)
        }
        const objects = yield* look(ground)
        for (const subject of some) {
          const actual = shapeOf(objects, idOf(ground, subject.name))
          const wanted = expected(subject)
          note(
            subject,
            operation,
            wanted.length === 0
              ? actual.map((item) => problem("leftover", `${item} is left`))
              : compareShapes(wanted, actual)
          )
        }
      })
    const failsAt = (subject: Subject, operation: Operation) => {
      const cell = cellOf(subject, operation)
      return cell !== undefined && isGivenUp(cell)
    }
    yield* go("create", subjects, (subject) => (failsAt(subject, "create") ? [] : life.created))
    const living = subjects.filter(
      (subject) => !failsAt(subject, "create") && stage.resource(subject.name)?.state === "OK"
    )
    if (orders.update !== undefined) {
      yield* go("update", living, (subject) => (failsAt(subject, "update") ? life.created : life.updated))
    }
    yield* go("terminate", living, () => [])
    return {
      cells: subjects.flatMap(({ cells }) => cells.map((cell): Cell => ({ ...cell, problems: found.get(cell) ?? [] }))),
      unmet
    }
  })

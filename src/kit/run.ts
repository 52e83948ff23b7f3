/**
 * One run: a resource's life without a fault, from which the kit learns the steps and what they come to; then the matrix, many orders at
 * once, each struck at a step of its own, with one restart for all of them; and the questions between orders.
 */
import { Clock, Deferred, Effect, Redacted, Schedule } from "effect"
import {
  type Amounts,
  amountsFromWaldur,
  type Backend,
  type Component,
  differences,
  type Outcome,
  type Plugin,
  ResourceId
} from "../core/index.js"
import type {
  BackendUnderTest,
  Cell,
  CellName,
  Check,
  KitOptions,
  KitOrders,
  KitReport,
  moments,
  Operation,
  Problem,
  ProblemKind
} from "./model.js"
import { makeStage, type Stage } from "./stage.js"
import { makeStrikes, type Strikes } from "./strikes.js"
import { added, compareShapes, named, shapeOf } from "./world.js"

interface Ground {
  readonly stage: Stage
  readonly strikes: Strikes
  readonly backend: BackendUnderTest
  readonly orders: KitOrders
}

/** What the undisturbed life came to. */
interface Life {
  readonly steps: Readonly<Record<Operation, ReadonlyArray<string>>>
  readonly undone: ReadonlyArray<string>
  /** The resource's objects after its create, and after its update. */
  readonly created: ReadonlyArray<string>
  readonly updated: ReadonlyArray<string>
}

const problem = (kind: ProblemKind, text: string): Problem => ({ kind, text })
const kept = (name: string, detail = ""): Check => ({ name, status: "kept", detail })
const broken = (name: string, detail: string): Check => ({ name, status: "broken", detail })
const notTried = (name: string, detail: string): Check => ({ name, status: "not tried", detail })
/** Kept if nothing speaks against it. */
const verdict = (name: string, against: ReadonlyArray<string>, detail = ""): Check =>
  against.length === 0 ? kept(name, detail) : broken(name, against.join("; "))

/** Places an order and sees its end; everything but `expected` is a problem. */
const through = (
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

const ending = (stage: Stage, operation: Operation, order: string, expected: "done" | "erred") =>
  Effect.map(stage.ended(order), (end): ReadonlyArray<Problem> => {
    if (end === undefined) return [problem("wrong", `the ${operation} order does not end`)]
    if (end.state === expected) return []
    return [problem("wrong", `the ${operation} order is ${end.state}, should be ${expected}: ${end.errorMessage}`)]
  })

const look = ({ backend }: Ground) => Effect.orDie(backend.objects)

const idOf = ({ stage }: Ground, name: string): string => stage.resource(name)?.uuid ?? ""

/** The objects of the resource of that name. */
const shape = (ground: Ground, name: string) =>
  Effect.map(look(ground), (objects) => shapeOf(objects, idOf(ground, name)))

/** Create, look, update, look, terminate: without a fault. And one create that is given up at its end. */
const undisturbed = (ground: Ground) =>
  Effect.gen(function* () {
    const { orders, stage, strikes } = ground
    const name = "kit-life"
    const problems: Array<string> = []
    const checks: Array<Check> = []
    const note = (found: ReadonlyArray<Problem>) => problems.push(...found.map(({ text }) => text))
    const atFirst = yield* look(ground)
    note(yield* through(ground, "create", name))
    const created = yield* shape(ground, name)
    if (created.length === 0) problems.push("nothing in the backend belongs to the created resource")
    const resource = stage.resource(name)
    if (resource !== undefined && resource.backendId === "") problems.push("the create gave no backend id")
    checks.push(...(yield* questions(ground, name)))
    if (orders.update !== undefined) note(yield* through(ground, "update", name))
    const updated = yield* shape(ground, name)
    if (orders.update !== undefined) checks.push(...(yield* afterUpdate(ground, name)))
    note(yield* through(ground, "terminate", name))
    const left = added(atFirst, yield* look(ground))
    if (left.length > 0) problems.push(`left after the terminate: ${named(left)}`)
    checks.push(yield* goneCheck(ground, name, resource?.backendId ?? ""))
    const steps = {
      create: strikes.stepsOf(name, "create"),
      update: strikes.stepsOf(name, "update"),
      terminate: strikes.stepsOf(name, "terminate")
    }

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

const known = (id: string, backendId: string) => ({ id: ResourceId.make(id), backendId })
const nobody = known("f".repeat(32), "999999")

const componentsOf = ({ orders }: Ground): ReadonlyArray<Component> =>
  orders.components.map(({ accountingType, measuredUnit, type, unitFactor }) => ({
    type,
    name: type,
    measuredUnit: measuredUnit ?? "",
    unitFactor: unitFactor ?? 1,
    accountingType: accountingType ?? "limit"
  }))

/** What orders say that a resource has, in the backend's units. */
const orderedAmounts = (ground: Ground, amounts: Readonly<Record<string, number>>) =>
  Effect.orDie(amountsFromWaldur(componentsOf(ground), amounts))

const differencesOf = (ground: Ground, opened: Backend<unknown>, name: string, amounts: Amounts) =>
  Effect.gen(function* () {
    const resource = ground.stage.resource(name)
    const sought = known(resource?.uuid ?? "", resource?.backendId ?? "")
    const [observation] = yield* opened.observe([sought])
    if (observation === undefined) return ["`observe` does not answer"]
    const expected = { ...sought, name, slug: resource?.slug ?? "", amounts, standing: "active" as const }
    return differences(expected, observation, componentsOf(ground)).map(({ sentence }) => sentence)
  })

/** Usage, observation and the offering's own looks, of a resource that stands. */
const questions = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const opened = yield* ground.strikes.opened
    const { stage, orders } = ground
    const resource = stage.resource(name)
    const here = known(resource?.uuid ?? "", resource?.backendId ?? "")
    const usage = yield* Effect.either(opened.usage([nobody, here], {}))
    const usageFaults: Array<string> = []
    if (usage._tag === "Left")
      usageFaults.push(`usage of one resource that is there and one that is not fails: ${usage.left.message}`)
    else {
      const [absent, present] = usage.right
      if (usage.right.length !== 2 || absent?.resource !== nobody.id || present?.resource !== here.id) {
        usageFaults.push("does not answer one for each resource in the order of the question")
      }
      if (present !== undefined && Object.keys(present.amounts).length === 0)
        usageFaults.push("measures nothing of a resource that stands")
      for (const [type, amount] of Object.entries(absent?.amounts ?? {})) {
        usageFaults.push(
          `says ${amount} ${type} of a resource that is not there: what cannot be read is left out, never a number`
        )
      }
    }
    const amounts = yield* orderedAmounts(ground, orders.create.amounts)
    const fresh = yield* Effect.either(differencesOf(ground, opened, name, amounts))
    const [missing] = yield* Effect.orElseSucceed(opened.observe([nobody]), () => [])
    const rows = yield* opened.check
    const failed = rows
      .filter(({ status }) => status === "failed")
      .map(({ detail, subject }) => `${subject}: ${detail}`)
    const pinged = yield* Effect.either(opened.ping)
    return [
      verdict("usage: one answer for each, and no number for what is not there", usageFaults),
      verdict(
        "observe: a fresh resource is as it was ordered",
        fresh._tag === "Left" ? [fresh.left.message] : fresh.right
      ),
      verdict(
        "observe: what is not there is missing",
        missing?._tag === "Missing" ? [] : [`it is ${missing?._tag ?? "not answered"}`]
      ),
      verdict("ping and check: the offering is well", [
        ...failed,
        ...(pinged._tag === "Left" ? [pinged.left.message] : [])
      ])
    ]
  })

/** Changed by an order it is as ordered; changed by somebody else it is not. */
const afterUpdate = (ground: Ground, name: string) =>
  Effect.gen(function* () {
    const { backend, orders, stage, strikes } = ground
    const opened = yield* strikes.opened
    const amounts = yield* orderedAmounts(ground, { ...orders.create.amounts, ...orders.update?.amounts })
    const after = yield* Effect.either(differencesOf(ground, opened, name, amounts))
    const updated = verdict(
      "observe: an updated resource is as it was ordered",
      after._tag === "Left" ? [after.left.message] : after.right
    )
    const title = "observe: a size that somebody else changed is found"
    if (backend.disturb === undefined) return [updated, notTried(title, "makeBackend gives no `disturb`")]
    yield* Effect.orDie(backend.disturb(stage.resource(name)?.backendId ?? ""))
    const found = yield* Effect.either(differencesOf(ground, opened, name, amounts))
    const drift =
      found._tag === "Right" && found.right.length > 0 ? kept(title, found.right[0]) : broken(title, "no difference")
    return [updated, drift]
  })

const goneCheck = (ground: Ground, name: string, backendId: string) =>
  Effect.gen(function* () {
    const opened = yield* ground.strikes.opened
    const id = ground.stage.resource(name)?.uuid
    const title = "observe: a terminated resource is missing"
    if (id === undefined || backendId === "") return notTried(title, "it was never made")
    const [observation] = yield* Effect.orElseSucceed(opened.observe([known(id, backendId)]), () => [])
    return verdict(title, observation?._tag === "Missing" ? [] : [`it is ${observation?._tag ?? "not answered"}`])
  })

/** The backend itself says no: what was made is undone, and the customer reads why. */
const refusalCheck = (ground: Ground) =>
  Effect.gen(function* () {
    const { backend, stage } = ground
    const title = "what the backend refuses is undone, and the customer is told"
    if (backend.refuse === undefined) return notTried(title, "makeBackend gives no `refuse`")
    const name = "kit-refused"
    const before = yield* look(ground)
    yield* Effect.orDie(backend.refuse)
    const end = yield* Effect.flatMap(Effect.orDie(stage.create(name)), stage.ended)
    const left = added(before, yield* look(ground))
    const sentence = end?.errorMessage ?? ""
    return verdict(
      title,
      [
        ...(end?.state === "erred" ? [] : [`the order is ${end?.state ?? "not ended"}, should be erred`]),
        ...(sentence === "" ? ["the customer gets no sentence"] : []),
        ...(left.length > 0 ? [`left: ${named(left)}`] : [])
      ],
      sentence
    )
  })

/** Somebody else's objects have the names: they are neither taken nor harmed, and the order ends one way or the other. */
const foreignCheck = (ground: Ground) =>
  Effect.gen(function* () {
    const { backend, stage, strikes } = ground
    const title = "foreign objects of the same names are neither adopted nor touched"
    const { foreign } = backend
    if (foreign === undefined) return notTried(title, "makeBackend gives no `foreign`")
    const name = "kit-foreign"
    const before = yield* look(ground)
    let theirs: ReadonlyArray<string> = []
    const faults: Array<string> = []
    strikes.beforeCreate(name, (resource) =>
      foreign(resource).pipe(
        Effect.zipRight(backend.objects),
        Effect.map((objects) => added(before, objects).map((object) => JSON.stringify(object))),
        Effect.match({
          onFailure: (error) => void faults.push(`\`foreign\` fails: ${String(error)}`),
          onSuccess: (made) => {
            theirs = made
          }
        })
      )
    )
    const placed = yield* Effect.orDie(stage.create(name))
    const end = yield* stage.ended(placed)
    if (end === undefined) faults.push("the create order does not end")
    else if (end.state === "done") faults.push(...(yield* through(ground, "terminate", name)).map(({ text }) => text))
    else if (end.errorMessage === "") faults.push("the customer gets no sentence")
    const now = (yield* look(ground)).map((object) => JSON.stringify(object))
    if (theirs.length === 0) faults.push("`foreign` made nothing")
    faults.push(...theirs.filter((object) => !now.includes(object)).map((object) => `harmed: ${object}`))
    const ours = added(before, yield* look(ground)).filter((object) => !theirs.includes(JSON.stringify(object)))
    if (ours.length > 0) faults.push(`left: ${named(ours)}`)
    return verdict(
      title,
      faults,
      end === undefined ? "" : `the order is ${end.state}${end.errorMessage === "" ? "" : `: ${end.errorMessage}`}`
    )
  })

/** In the order in which they are dealt to resources: those of one operation one after the other. */
const cellsOf = ({ steps, undone }: Life, hasUpdate: boolean): ReadonlyArray<CellName> => {
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
const spread = <A>(all: ReadonlyArray<A>, most: number): ReadonlyArray<A> =>
  all.length <= most
    ? all
    : Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]).flatMap((one) =>
        one === undefined ? [] : [one]
      )

const isGivenUp = ({ moment }: CellName): boolean =>
  moment === "refused" || moment === "unknown" || moment.startsWith("undo")
const outlivesItsStrike = ({ moment }: CellName): boolean => moment === "lost" || moment === "refused"

interface Subject {
  readonly name: string
  readonly cells: ReadonlyArray<CellName>
}

/** Resources with what each of them meets: at most one cell of each operation. */
const deal = (cells: ReadonlyArray<CellName>): ReadonlyArray<Subject> => {
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
const strikeAll = (ground: Ground, operation: Operation, subjects: ReadonlyArray<Subject>, patience: number) =>
  Effect.gen(function* () {
    const { stage, strikes } = ground
    const own = ({ cells }: Subject) => cells.find((cell) => cell.operation === operation)
    const placed = yield* Effect.forEach(
      subjects,
      (subject) =>
        Effect.gen(function* () {
          const cell = own(subject)
          const fallen = cell === undefined ? undefined : yield* strikes.aim(subject.name, operation, cell)
          return { subject, cell, fallen, order: yield* Effect.orDie(stage[operation](subject.name)) }
        }),
      { concurrency: 8 }
    )
    const missed = new Set<string>()
    yield* Effect.forEach(
      placed,
      ({ fallen, subject }) =>
        fallen === undefined
          ? Effect.void
          : Deferred.await(fallen).pipe(
              Effect.timeoutTo({
                duration: `${patience} seconds`,
                onSuccess: () => undefined,
                onTimeout: () => missed.add(subject.name)
              })
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
const batch = (ground: Ground, life: Life, subjects: ReadonlyArray<Subject>, patience: number) =>
  Effect.gen(function* () {
    const { orders, stage } = ground
    const found = new Map<CellName, Array<Problem>>()
    const unmet: Array<Problem> = []
    const note = (subject: Subject, operation: Operation, problems: ReadonlyArray<Problem>) => {
      const cell = subject.cells.find((one) => one.operation === operation)
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
        for (const { name, problems } of yield* strikeAll(ground, operation, some, patience)) {
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
    const met = (subject: Subject, operation: Operation) => subject.cells.find((cell) => cell.operation === operation)
    const failsAt = (subject: Subject, operation: Operation) => {
      const cell = met(subject, operation)
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

const chunks = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  items.length === 0 ? [] : [items.slice(0, size), ...chunks(items.slice(size), size)]

const secretsCheck = ({ backend, stage, strikes }: Ground) =>
  Effect.gen(function* () {
    const secrets = [...(backend.secrets ?? []), ...strikes.issued].filter((secret) => secret.length > 3)
    const journal = yield* Effect.orDie(stage.journalText)
    const log = stage.logged.join("\n")
    const where = secrets.flatMap((secret) => [
      ...(log.includes(secret) ? ["a secret is in the log"] : []),
      ...(journal.includes(secret) ? ["a secret is in the journal"] : [])
    ])
    return verdict(
      "no secret in log or journal",
      [...new Set(where)],
      `${secrets.length} secrets, ${stage.logged.length} lines`
    )
  })

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

export const runKit = (plugin: Plugin, options: KitOptions) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const patience = options.patience ?? 60
    const { orders } = options
    const backend = yield* options.makeBackend
    const strikes = makeStrikes(plugin, issue)
    const stage = yield* makeStage({ plugin: strikes.plugin, backend, orders, patience, bury: strikes.buryProcess })
    const ground: Ground = { stage, strikes, backend, orders }
    const atFirst = yield* look(ground)
    yield* stage.start
    const { checks, life } = yield* undisturbed(ground)
    const all = cellsOf(life, orders.update !== undefined)
    const lives = checks[0]?.status === "kept"
    // Where even an undisturbed life goes wrong, the matrix would only say so again, very often.
    const subjects = lives ? deal(spread(all, options.cells ?? all.length)) : []
    const foreign = lives ? [yield* refusalCheck(ground), yield* foreignCheck(ground)] : []
    const cells: Array<Cell> = []
    const unmet: Array<Problem> = []
    const theirs = lives ? yield* look(ground) : atFirst
    for (const some of chunks(subjects, Math.min(options.atOnce ?? 24, 30))) {
      const result = yield* batch(ground, life, some, patience)
      cells.push(...result.cells)
      unmet.push(...result.unmet)
    }
    // The last entry of an order is written when Waldur has been told.
    const held = yield* stage.held
      .pipe(
        Effect.repeat({
          until: (now) => now.length === 0,
          schedule: Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(100))
        })
      )
      .pipe(Effect.zipRight(stage.held))
    const left = added(theirs, yield* look(ground))
    const further = [
      ...checks,
      ...foreign,
      verdict(
        "one handler at a time for each resource",
        strikes.mostAtOnce() > 1 ? [`${strikes.mostAtOnce()} at once`] : []
      ),
      verdict(
        "many resources at once, and nothing is left in the end",
        [...unmet.map(({ text }) => text), ...(left.length > 0 ? [`left: ${named(left)}`] : []), ...held],
        `${subjects.length} resources`
      ),
      yield* secretsCheck(ground)
    ]
    const report: KitReport = {
      backend: plugin.type,
      cells,
      possibleCells: all.length,
      checks: further,
      problems: [
        ...further.filter(({ status }) => status === "broken").map(({ detail, name }) => `${name}: ${detail}`),
        ...cells.flatMap(({ moment, operation, problems, step }) =>
          problems.map(({ kind, text }) => `${operation}, step "${step}", ${moment}: ${kind}: ${text}`)
        )
      ],
      milliseconds: (yield* Clock.currentTimeMillis) - began
    }
    return report
  })

/**
 * One trial: a world of its own, what has to stand before the operation, the operation with one or more strikes, a restart after each, and
 * a look at everything; then the customer ends what there is, and there is another look. Without a strike it is the dry run, from which
 * the matrix learns the calls and what all others have to come to.
 */
import { Clock, Deferred, Effect, Exit } from "effect"
import { type CallId, makeCounter } from "./calls.js"
import { type JournalCopy, readJournal } from "./journal.js"
import { type Broken, endOf, makeFail, type Operation, type OperationName, operations } from "./operations.js"
import { differences, type Picture, pictureOfCloud, pictureOfMarketplace, untagged } from "./picture.js"
import type { AgentProcess } from "./process.js"
import { makeSite, type Site, type SiteOptions, vdcName, vmName } from "./site.js"
import { type Strike, strikeGuard } from "./strike.js"
import { atWork, ended, orNever, stopped } from "./waits.js"
import { doubles, type Watched, watchForDoubles } from "./watch.js"

export type Kind = "duplicate" | "leftover" | "wrong"
export interface Violation {
  readonly kind: Kind
  readonly text: string
}
const violation = (kind: Kind) => (text: string) => ({ kind, text })

export interface DryRun {
  readonly calls: ReadonlyArray<CallId>
  /** Both sides, when the order has ended. */
  readonly after: Picture
  readonly watched: Watched
}

export interface Trial {
  readonly violations: ReadonlyArray<Violation>
  /** From the last restart until Waldur and the journal have the order's end, in ms. */
  readonly recovery: number
  /** What the agents have printed, for whoever looks into a violation. */
  readonly output: string
}

export const named = (name: OperationName): Effect.Effect<Operation> =>
  Effect.orDieWith(Effect.fromNullable(operations.get(name)), () => new Error(`there is no operation ${name}`))

/** Places the order and sees it done. */
const carryOut = (site: Site, name: OperationName) =>
  Effect.gen(function* () {
    const { place, title } = yield* named(name)
    const order = yield* Effect.flatMap(place(site), (uuid) => ended(site, uuid))
    if (order.state !== "done") {
      return yield* Effect.fail(new Error(`${title} is ${order.state}: ${order.errorMessage}`))
    }
  })

export const pictureOf = (site: Site): Picture => [
  ...pictureOfCloud(site.cloud, (uuid) => site.marketplace.resources.get(uuid)?.name),
  ...pictureOfMarketplace(site.marketplace, site.cloud)
]

/** The customer ends all there is; the agent is stopped; nothing may be left. */
export const closeDown = (site: Site, agent: AgentProcess, atFirst: Picture) =>
  Effect.gen(function* () {
    const isAlive = (name: string) =>
      [...site.marketplace.resources.values()].some(
        (resource) => resource.name === name && resource.state !== "Terminated"
      )
    if (isAlive(vmName)) yield* carryOut(site, "vm-terminate")
    if (isAlive(vdcName)) yield* carryOut(site, "vdc-terminate")
    // It may have been started a moment ago: a signal before it listens for any ends it at once.
    yield* atWork(site, agent)
    const end = yield* stopped(agent)
    return [
      ...(end.code === 0 ? [] : [violation("wrong")(`exit code ${end.code}, signal ${end.signal} after SIGTERM`)]),
      ...nothingLeft(site, atFirst)
    ]
  })

/** What is left on either side and in the journal, when everything has been ended. */
export const nothingLeft = (
  site: Pick<Site, "cloud" | "marketplace" | "dataDir">,
  atFirst: Picture,
  journal: JournalCopy = readJournal(site.dataDir)
): ReadonlyArray<Violation> => {
  return [
    ...differences(atFirst, pictureOfCloud(site.cloud)).map(violation("leftover")),
    ...[...site.marketplace.resources.values()]
      .filter(({ state }) => state !== "Terminated")
      .map(({ name, state }) => violation("leftover")(`resource ${name} is ${state} in Waldur`)),
    ...journal.reservations.map((line) => violation("leftover")(`reservation ${line}`)),
    ...journal.leftovers.map((line) => violation("leftover")(`on the list of leftovers: ${line}`)),
    ...journal.openOrders.map((order) => violation("wrong")(`the journal has order ${order} as open`))
  ]
}

/** Is what an order has left behind, and what it has told of it, what it may? */
const honestly = (
  { leftovers, perhaps = [], said, sentence }: Broken,
  left: ReadonlyArray<string>,
  errorMessage: string,
  output: string
) => {
  const allowed = Object.entries(leftovers)
  const isOf = (line: string, step: string) => line.startsWith(`${step}: `)
  return [
    ...left.flatMap((line) => {
      const found = allowed.find(([step]) => isOf(line, step))
      if (found === undefined) return [violation("leftover")(`on the list of leftovers: ${line}`)]
      return found[1].test(line) ? [] : [violation("wrong")(`the operator reads: ${line}`)]
    }),
    ...allowed.flatMap(([step]) =>
      perhaps.includes(step) || left.some((line) => isOf(line, step))
        ? []
        : [violation("wrong")(`not on the list of leftovers: ${step}`)]
    ),
    ...(sentence.test(errorMessage) ? [] : [violation("wrong")(`the customer reads: ${errorMessage}`)]),
    ...(said.test(output) ? [] : [violation("wrong")(`the log does not say ${said}`)])
  ]
}

/** The operator mends what was broken. Nothing is left over then, and an end that had erred is ordered again. */
const mended = (site: Site, operation: Operation, broken: Broken, before: Picture) =>
  Effect.gen(function* () {
    broken.mend(site)
    const command = yield* site.command("leftovers", "--retry", "--data-dir", site.dataDir)
    const { code } = yield* orNever(() => "the leftovers' end")(command.ended)
    if (code !== 0) return yield* Effect.fail(new Error(command.output()))
    const { leftovers } = readJournal(site.dataDir)
    if (leftovers.length > 0) return leftovers.map((line) => violation("leftover")(`still left over: ${line}`))
    if (operation.name.includes("terminate")) {
      yield* carryOut(site, operation.name)
      return []
    }
    return differences(before, pictureOfCloud(site.cloud)).map((line) => violation("leftover")(`mended: ${line}`))
  })

const afterwards = (
  site: Site,
  operation: Operation,
  before: Picture,
  told: { readonly errorMessage: string; readonly output: () => string }
) => {
  const { broken } = operation
  if (broken === undefined) return Effect.succeed([])
  const left = readJournal(site.dataDir).leftovers
  return Effect.map(mended(site, operation, broken, before), (later) => [
    ...honestly(broken, left, told.errorMessage, told.output()),
    ...later
  ])
}

const siteFor = (options: SiteOptions, { broken }: Operation) => makeSite({ ...options, ...broken?.settings })

/** Learns an operation's calls and what it comes to. */
export const dryRun = (options: SiteOptions, operation: Operation) =>
  Effect.gen(function* () {
    const site = yield* siteFor(options, operation)
    const watched = watchForDoubles(site.cloud)
    const atFirst = pictureOfCloud(site.cloud)
    const agent = yield* site.start()
    return yield* Effect.gen(function* () {
      yield* atWork(site, agent)
      for (const name of operation.needs) yield* carryOut(site, name)
      const before = pictureOfCloud(site.cloud)
      makeFail(operation, site)
      const calls: Array<CallId> = []
      const count = makeCounter(site, operation)
      const counts = () =>
        operation.spoil === undefined || readJournal(site.dataDir).rows.some(({ event }) => event === "undoing")
      site.tap.guard((call) => {
        const id = count(call)
        if (id !== undefined && counts()) calls.push(id)
        return "pass"
      })
      const order = yield* operation.place(site)
      const { state, errorMessage } = yield* site.marketplace
        .awaitOrderEnd(order)
        .pipe(orNever(() => "the order's end"))
      site.tap.open()
      yield* ended(site, order)
      const after = pictureOf(site)
      const untaggedAtFirst = untagged(atFirst)
      const faults = [
        ...(state === endOf(operation) ? [] : [`it is ${state}: ${errorMessage}`]),
        ...(yield* afterwards(site, operation, before, { errorMessage, output: agent.output })).map(({ text }) => text),
        ...(yield* closeDown(site, agent, atFirst)).map(({ text }) => text),
        ...untagged(after).filter((one) => !untaggedAtFirst.includes(one))
      ]
      if (faults.length > 0) return yield* Effect.fail(new Error(faults.join("\n")))
      return { calls, after, watched } satisfies DryRun
    }).pipe(
      Effect.mapError(
        (error) => new Error(`The dry run of ${operation.title} fails.\n${String(error)}\n${agent.output()}`)
      )
    )
  }).pipe(Effect.scoped)

/** Places the order, kills at each strike, starts again each time, and sees the order end. `agents`: gets those that are started. */
export const underStrikes = (
  site: Site,
  operation: Operation,
  agents: Array<AgentProcess>,
  strikes: ReadonlyArray<Strike>
) =>
  Effect.gen(function* () {
    let order: string | undefined
    let restarted = 0
    for (const strike of strikes) {
      const victim = agents.at(-1)
      const killed = yield* Deferred.make<void>()
      const count = makeCounter(site, operation, { placed: order !== undefined })
      site.tap.guard(
        strikeGuard(strike, count, site.dataDir, () => {
          victim?.kill()
          Deferred.unsafeDone(killed, Exit.void)
        })
      )
      order ??= yield* operation.place(site)
      yield* orNever(
        () => `the call ${strike.call === "next" ? "after the restart" : `${strike.call.name} #${strike.call.ordinal}`}`
      )(Deferred.await(killed))
      if (victim !== undefined) yield* victim.ended
      site.tap.open()
      restarted = yield* Clock.currentTimeMillis
      agents.push(yield* site.start())
    }
    order ??= yield* operation.place(site)
    const end = yield* ended(site, order)
    return { end, recovery: (yield* Clock.currentTimeMillis) - restarted }
  })

/** Carries the operation out with a strike at each of the given instants: the second falls on the agent that was started after the first. */
export const trial = (options: SiteOptions, operation: Operation, dry: DryRun, strikes: ReadonlyArray<Strike>) =>
  Effect.gen(function* () {
    const site = yield* siteFor(options, operation)
    const watched = watchForDoubles(site.cloud)
    const atFirst = pictureOfCloud(site.cloud)
    const first = yield* site.start()
    const agents = [first]
    const printed = () => agents.map((agent) => agent.output()).join("\n--- killed and started again ---\n")
    let recovery = 0
    const violations = yield* Effect.gen(function* () {
      yield* atWork(site, first)
      for (const name of operation.needs) yield* carryOut(site, name)
      const before = pictureOfCloud(site.cloud)
      makeFail(operation, site)
      const outcome = yield* underStrikes(site, operation, agents, strikes)
      recovery = outcome.recovery
      if (outcome.end.state !== endOf(operation)) {
        return [violation("wrong")(`the order is ${outcome.end.state}: ${outcome.end.errorMessage}`)]
      }
      const different = differences(dry.after, pictureOf(site)).map((line) =>
        violation(line.startsWith("surplus") && !line.startsWith("surplus: resource") ? "leftover" : "wrong")(line)
      )
      const undone = readJournal(site.dataDir).rows.filter(({ event }) => /^undo/.test(event))
      const later = yield* afterwards(site, operation, before, {
        errorMessage: outcome.end.errorMessage,
        output: printed
      })
      const atEnd = yield* closeDown(site, agents.at(-1) ?? first, atFirst)
      return [
        ...different,
        ...later,
        ...atEnd,
        ...doubles(dry.watched, watched).map(violation("duplicate")),
        ...undone
          .filter(({ event, step }) => {
            if (event === "undo-failed") return operation.broken?.leftovers[step] === undefined
            return endOf(operation) === "done"
          })
          .map(({ event, step }) => violation("wrong")(`the journal has ${event} of step ${step}`))
      ]
    }).pipe(
      Effect.catchAll((error) =>
        Effect.succeed([violation("wrong")(error instanceof Error ? error.message : String(error))])
      )
    )
    return { violations, recovery, output: printed() } satisfies Trial
  }).pipe(Effect.scoped)

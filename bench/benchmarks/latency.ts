/**
 * One order after the other on a front-end with its own times, the agent told by events: how much of it is the agent's, how near the backend's
 * part is to what can be reached, how long it takes from the event to `done`.
 *
 * The agent's own time is what is left when all is taken away in which it waited for an answer of either server, or a machine or network was on
 * its way. What it waits for is taken from its own process (`outgoing.ts`); beside it stands what is left by the servers' own clocks, from the first
 * line of their code for a call to the last: that has the way there and back in it, and what their HTTP takes.
 */
import { Effect } from "effect"
import { covered, type Figure, median, type Span } from "../figures.js"
import { bareOn } from "../plain/bare.js"
import * as limit from "../plain/limit.js"
import * as python from "../plain/python.js"
import { plainRpc, type Rpc } from "../plain/rpc.js"
import { commands, type SeenCall } from "../simulators/protocol.js"
import { type BenchSite, frontEnd, type Given, openSite } from "../site/bench.js"
import { watchOutgoing } from "../site/outgoing.js"
import { trace } from "../trace.js"

const kinds = ["VDC create", "VM create", "VM resize", "VM terminate", "VDC terminate"] as const
type Kind = (typeof kinds)[number]

/** ms, from the event; what was asked for. */
const reaches: Readonly<Record<Kind, { readonly own?: number; readonly total?: number }>> = {
  "VDC create": { own: 40, total: 500 },
  "VM create": { own: 15, total: 300 },
  "VM resize": { total: 350 },
  "VM terminate": {},
  "VDC terminate": {}
}

interface Taken {
  readonly own: number
  /** Own time and the way to the servers and back. */
  readonly withTheWay: number
  readonly backend: number
  readonly total: number
  readonly calls: number
}

/** Places one order, waits for its end, and says what it took. */
const one = (
  { simulators }: BenchSite,
  placing: Effect.Effect<ReadonlyArray<string>>,
  outgoing: Effect.Effect<ReadonlyArray<Span>>
) =>
  Effect.gen(function* () {
    yield* simulators.ask(commands.forgetCalls, null)
    yield* simulators.ask(commands.watchWaits, null)
    const orders = yield* placing
    const [order] = yield* simulators.ask(commands.ended, orders)
    const calls = yield* simulators.ask(commands.calls, null)
    const waits = yield* simulators.ask(commands.waits, null)
    if (order?.state !== "done") return yield* Effect.dieMessage(`an order is ${order?.state}: ${order?.error}`)
    const within = { from: order.placed, to: order.ended }
    // The marketplace's last answer says that it is done.
    const during = calls.filter(({ from }: SeenCall) => from <= order.ended)
    const cloud = during.filter(({ system }) => system === "opennebula")
    const backend = Math.max(...cloud.map(({ to }) => to)) - Math.min(...cloud.map(({ from }) => from))
    const total = order.ended - order.placed
    const taken: Taken = {
      own: total - covered([...(yield* outgoing), ...waits], within),
      withTheWay: total - covered([...during, ...waits], within),
      backend,
      total,
      calls: during.length
    }
    return { taken, resource: order.resource, seen: { order, calls: during, waits } }
  })

type Placed = Effect.Effect.Success<ReturnType<typeof one>>

const round = (site: BenchSite, tell: (kind: Kind, placed: Placed) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { ask } = site.simulators
    const placed = (placing: Effect.Effect<ReadonlyArray<string>>) => one(site, placing, site.agent.calls)
    const vdc = yield* placed(ask(commands.orderVdcs, 1))
    const vm = yield* placed(ask(commands.orderVms, 1))
    const resize = yield* placed(ask(commands.resizeVms, [vm.resource]))
    const end = yield* placed(ask(commands.terminate, [vm.resource]))
    const endOfVdc = yield* placed(ask(commands.terminate, [vdc.resource]))
    yield* tell("VDC create", vdc)
    yield* tell("VM create", vm)
    yield* tell("VM resize", resize)
    yield* tell("VM terminate", end)
    yield* tell("VDC terminate", endOfVdc)
    return {
      "VDC create": vdc.taken,
      "VM create": vm.taken,
      "VM resize": resize.taken,
      "VM terminate": end.taken,
      "VDC terminate": endOfVdc.taken
    } satisfies Record<Kind, Taken>
  })

const timed = async <A>(work: () => Promise<A>): Promise<readonly [A, number]> => {
  const began = performance.now()
  const made = await work()
  return [made, performance.now() - began]
}

const limits = async (rpc: Rpc, at: number): Promise<Readonly<Record<Kind, number>>> => {
  const [vdc, createVdc] = await timed(() => limit.createVdc(rpc, `limit-${at}`))
  const [vm, createVm] = await timed(() => limit.createVm(rpc, `limit-vm-${at}`, vdc))
  const [, resizeVm] = await timed(() => limit.resizeVm(rpc, vm))
  const [, endVm] = await timed(() => limit.terminateVm(rpc, vm))
  const [, endVdc] = await timed(() => limit.terminateVdc(rpc, vdc))
  return {
    "VDC create": createVdc,
    "VM create": createVm,
    "VM resize": resizeVm,
    "VM terminate": endVm,
    "VDC terminate": endVdc
  }
}

const pythonTimes = async (rpc: Rpc): Promise<Readonly<Partial<Record<Kind, number>>>> => {
  const [vdc, createVdc] = await timed(() => python.createVdc(rpc, "python"))
  const [vm, createVm] = await timed(() => python.createVm(rpc, "python-vm", vdc))
  const [, resizeVm] = await timed(() => python.resizeVm(rpc, vm))
  await limit.terminateVm(rpc, vm)
  const [, endVdc] = await timed(() => python.deleteVdc(rpc, vdc))
  return { "VDC create": createVdc, "VM create": createVm, "VM resize": resizeVm, "VDC terminate": endVdc }
}

/** ms between two of the agent's looks at a machine that boots (`--trace`). */
const between = 10

/** Machines that nothing but the calls and entries themselves makes, one after the other. */
const bareVms = (site: BenchSite, rounds: number) =>
  Effect.gen(function* () {
    const bare = yield* bareOn(site.simulators)
    const order = site.simulators
      .ask(commands.orderVms, 1)
      .pipe(
        Effect.tap((orders) =>
          Effect.forEach(orders, (uuid) => Effect.promise(() => bare.createVm(uuid, between)), { discard: true })
        )
      )
    const calls: Array<Span> = []
    yield* Effect.acquireRelease(
      Effect.sync(() => watchOutgoing((call) => calls.push(call))),
      (end) => Effect.sync(end)
    )
    const taken: Array<Taken> = []
    for (let at = 0; at < rounds; at++)
      taken.push(
        (yield* one(
          site,
          order,
          Effect.sync(() => calls)
        )).taken
      )
    return taken
  }).pipe(Effect.scoped)

export const latency = (given: Given) =>
  Effect.gen(function* () {
    const site = yield* openSite(given, frontEnd, {
      events: true,
      pollInterval: 3600,
      callsSeen: true,
      settings: { events_poll_interval: 3600 }
    })
    const { simulators } = site
    yield* simulators.ask(commands.dataCentres, 1)
    const rpc = plainRpc(simulators.cloudUrl, simulators.session)
    const rounds = given.tiny ? 1 : 12
    const reachable = yield* Effect.promise(async () => {
      const all: Array<Awaited<ReturnType<typeof limits>>> = []
      for (let at = 0; at < Math.min(rounds, 7); at++) all.push(await limits(rpc, at))
      return all
    })
    // Its waits are what it is about: a short run has no time for them, and a trace no use.
    const others = given.tiny || given.trace ? {} : yield* Effect.promise(() => pythonTimes(rpc))

    // Before the agent is there: it would take the orders.
    const bare = (yield* bareVms(site, given.tiny ? 1 : 40)).slice(given.tiny ? 0 : 10)

    const agent = yield* site.agent.start
    yield* site.untilCalled("POST event-subscriptions/{uuid}/create_queue/", 2)
    const taken: Array<Effect.Effect.Success<ReturnType<typeof round>>> = []
    // The first rounds compile the code.
    for (let at = given.tiny ? 0 : -3; at < rounds; at++) {
      const isLast = at === rounds - 1
      const now = yield* round(site, (kind, { seen }) =>
        Effect.when(
          given.tell(`${kind}:\n${trace(site.agent.dataDir, seen.order, seen.calls, seen.waits)}\n`),
          () => given.trace && isLast
        )
      )
      if (at >= 0) taken.push(now)
    }
    agent.signal("SIGTERM")
    yield* agent.ended

    const floor = median(bare.map(({ own }) => own))
    const floorFigures: ReadonlyArray<Figure> = [
      { what: "VM create: own time of the bare calls and entries", value: floor, unit: "ms" },
      {
        what: "VM create: own time of the bare calls and entries, and the way there and back",
        value: median(bare.map(({ withTheWay }) => withTheWay)),
        unit: "ms"
      }
    ]
    const figures = kinds.flatMap((kind): ReadonlyArray<Figure> => {
      const of = (name: keyof Taken) => median(taken.map((all) => all[kind][name]))
      const least = median(reachable.map((all) => all[kind]))
      const { own, total } = reaches[kind]
      const pythons = others[kind]
      return [
        {
          what: `${kind}: the agent's own time`,
          value: of("own"),
          unit: "ms",
          ...(own === undefined ? {} : { reach: { atMost: own } }),
          ratio: { value: of("own") / floor, of: "what a VM create takes the bare calls and entries" }
        },
        { what: `${kind}: own time and the way there and back`, value: of("withTheWay"), unit: "ms" },
        {
          what: `${kind}: first backend call to last`,
          value: of("backend"),
          unit: "ms",
          reach: { atMost: 1.5 * least },
          ratio: { value: of("backend") / least, of: "what can be reached" }
        },
        { what: `${kind}: what can be reached`, value: least, unit: "ms" },
        {
          what: `${kind}: event to done`,
          value: of("total"),
          unit: "ms",
          ...(total === undefined ? {} : { reach: { atMost: total } }),
          ratio: { value: of("total") / least, of: "what can be reached of the backend alone" }
        },
        { what: `${kind}: calls`, value: of("calls"), unit: "calls" },
        ...(pythons === undefined
          ? []
          : [{ what: `${kind}: the Python agent's way, backend alone`, value: pythons, unit: "ms" }])
      ]
    })
    return [...figures, ...floorFigures]
  })

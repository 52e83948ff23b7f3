/**
 * One run: data centres are made in peace; the agent is stopped, all orders are placed, and it is started again before them, with faults
 * on both sides. When all have ended, everything is looked at; with `terminate`, customers then end all there is, under the same faults.
 */
import { Clock, Effect, Schedule } from "effect"
import { pictureOfCloud } from "../crash/picture.js"
import type { AgentProcess } from "../crash/process.js"
import { makeSite, type Site, type SiteOptions } from "../crash/site.js"
import { nothingLeft } from "../crash/trial.js"
import { atWork, NeverCame, stopped, untilJournal } from "../crash/waits.js"
import { belongings, checkAll } from "./checks.js"
import { causeFaults } from "./faults.js"
import { heapMb, heapOptions, residentMb } from "./memory.js"
import { large, makeParents, placeAll } from "./orders.js"

export interface LoadOptions extends Pick<SiteOptions, "main"> {
  readonly orders: number
  /** 0.02 is 2 %. */
  readonly faults: number
  readonly seed: number
  readonly terminate: boolean
  /** Hears every ten seconds how far it is. */
  readonly tell?: (progress: string) => Effect.Effect<void>
}

/** What was seen while orders ended. */
export interface Wave {
  readonly milliseconds: number
  /** Each second: when, how many had ended, and the process's memory in MB. */
  readonly samples: ReadonlyArray<{ readonly at: number; readonly ended: number; readonly resident: number }>
}

const ends = new Set(["done", "erred", "canceled", "rejected"])

/** Until actors have left memory: after a minute without work, and the look that finds it out. */
const untilIdle = "90 seconds"

/** Nothing ended for so long: it will not any more. */
const patience = 300_000

/** Until all have ended. */
const watch = (site: Site, agent: AgentProcess, orders: ReadonlyArray<string>, tell: LoadOptions["tell"]) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const samples: Array<Wave["samples"][number]> = []
    let lastEnd = { at: began, ended: 0 }
    let lastTold = began
    const look = Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const count = orders.filter((order) => ends.has(site.marketplace.orders.get(order)?.state ?? "")).length
      if (count > lastEnd.ended) lastEnd = { at, ended: count }
      if (at - lastEnd.at > patience)
        return yield* Effect.fail(new NeverCame(`the end of ${orders.length - count} orders`))
      const resident = yield* residentMb(agent)
      samples.push({ at: at - began, ended: count, resident })
      if (tell !== undefined && at - lastTold >= 10_000) {
        lastTold = at
        yield* tell(`${Math.round((at - began) / 1000)} s: ${count} of ${orders.length} have ended, ${resident} MB`)
      }
      return count
    })
    yield* Effect.repeat(look, { until: (count) => count === orders.length, schedule: Schedule.spaced("1 second") })
    yield* untilJournal(site, "the orders' ends in the journal", ({ openOrders }) => openOrders.length === 0)
    return { milliseconds: lastEnd.at - began, samples } satisfies Wave
  })

export const runLoad = (options: LoadOptions) =>
  Effect.gen(function* () {
    const site = yield* makeSite({
      main: options.main,
      pollInterval: 1,
      bootTime: 200,
      cloud: { initial: large, keepCalls: false }
    })
    const pictureAtFirst = pictureOfCloud(site.cloud)
    const atFirst = belongings(site).get("nobody") ?? new Map<string, number>()
    const parents = yield* makeParents(site, options.orders)
    const model = belongings(site).get((yield* site.named("parent-0")).uuid) ?? new Map<string, number>()
    const orders = yield* placeAll(site, parents, options.orders)

    const faults = causeFaults(site, options.faults, options.seed)
    const agent = yield* site.start({ nodeOptions: heapOptions })
    yield* atWork(site, agent)
    const heapBefore = yield* heapMb(agent)
    const wave = yield* watch(site, agent, orders, options.tell)
    const found = checkAll(site, { model, atFirst })
    const states = orders.flatMap((uuid) => site.marketplace.orders.get(uuid) ?? [])
    const erred = states.filter(({ state }) => state !== "done")
    const unexplained = erred.filter(({ errorMessage }) => !errorMessage.startsWith("The machine could not be started"))

    let terminated: Wave | undefined
    const left: Array<string> = []
    if (options.terminate) {
      const terminate = (offering: { readonly uuid: string }) =>
        Effect.gen(function* () {
          const alive = [...site.marketplace.resources.values()].filter(
            (resource) => resource.offering.uuid === offering.uuid && resource.state === "OK"
          )
          const placed = yield* Effect.forEach(alive, ({ name }) => site.place.terminate(name), { concurrency: 8 })
          return yield* watch(site, agent, placed, options.tell)
        })
      yield* terminate(site.world.vmOffering)
      terminated = yield* terminate(site.world.vdcOffering)
      left.push(...nothingLeft(site, pictureAtFirst).map(({ text }) => text))
    }
    yield* Effect.sleep(untilIdle)
    const heapAfter = yield* heapMb(agent)
    const { code } = yield* stopped(agent)
    return {
      wave,
      terminated,
      faults,
      done: states.length - erred.length,
      erred: erred.length,
      heap: { before: heapBefore, after: heapAfter },
      found: {
        ...found,
        leftovers: [...found.leftovers, ...left],
        wrong: [
          ...found.wrong,
          ...unexplained.map(({ errorMessage, state, uuid }) => `order ${uuid} is ${state}: ${errorMessage}`),
          ...(erred.length === faults.unbootable.size
            ? []
            : [`${erred.length} orders erred, and ${faults.unbootable.size} machines were not to boot`]),
          ...(code === 0 ? [] : [`exit code ${code} after SIGTERM`])
        ]
      }
    }
  }).pipe(Effect.scoped)
export type LoadResult = Effect.Effect.Success<ReturnType<typeof runLoad>>

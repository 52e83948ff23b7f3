/** Everything that the parts of one run share: time, chance, both simulators, the story, and what is known of orders and objects. */
import { Effect, type Exit, Runtime, Scope } from "effect"
import { type FrontEnd, makeFrontEnd } from "../../src/simulator/opennebula/index.js"
import { type Marketplace, makeMarketplace } from "../../src/simulator/waldur/index.js"
import { Chance } from "./chance.js"
import { Faults } from "./faults.js"
import { Ledger } from "./ledger.js"
import { Mirror } from "./mirror.js"
import { Secrets } from "./secrets.js"
import { Story } from "./story.js"
import { Lane, Timeline } from "./timeline.js"
import { Violation } from "./violation.js"

export interface BenchOptions {
  readonly seed: number
  readonly trace: boolean
  /** Only these kinds of fault, whatever the seed says. */
  readonly only?: ReadonlyArray<string>
}

export class Bench {
  readonly chance: Chance
  readonly timeline: Timeline
  readonly story: Story
  readonly faults: Faults
  readonly ledger: Ledger
  readonly mirror: Mirror
  readonly secrets: Secrets
  /** The world outside the agent: servers, customers, strangers. */
  readonly outside: Lane
  /** Made once: to set clock, chance and the rest anew for each call to a simulator costs more than many of the calls. */
  private readonly outsideRuntime: Runtime.Runtime<never>
  violation: Violation | undefined
  cloudIsUp = true
  /** Up, and without a leader yet. */
  cloudRestarts = false
  marketIsUp = true
  diskIsFull = false

  readonly seed: number

  constructor(options: BenchOptions) {
    this.seed = options.seed
    this.chance = new Chance(options.seed)
    this.timeline = new Timeline()
    this.story = new Story(() => this.timeline.now, this.timeline.began, options.trace)
    this.faults = new Faults(this.chance, options.only)
    this.outside = new Lane("outside", this.timeline, this.chance.fork("outside").below(2 ** 31))
    this.outsideRuntime = Effect.runSync(this.outside.adopt(Effect.withMaxOpsBeforeYield(Effect.runtime<never>(), 1e9)))
    this.ledger = new Ledger()
    this.mirror = new Mirror()
    this.secrets = new Secrets()
  }

  /** Runs what does not wait, at this very moment. Fibers that it leaves behind are the outside's. */
  now<A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> {
    const fiber = Runtime.runFork(this.outsideRuntime)(effect, { scheduler: this.outside })
    const exit = fiber.unsafePoll()
    if (exit === null) throw new Error("a simulator waited within a call")
    return exit
  }

  succeed<A>(effect: Effect.Effect<A>): A {
    const exit = this.now(effect)
    if (exit._tag === "Success") return exit.value
    throw new Error(`a simulator died: ${String(exit.cause)}`)
  }

  /** `work` so many milliseconds from now, in the outside world. */
  later(millis: number, work: () => void): void {
    this.timeline.after(this.outside, millis, work)
  }

  /** Orders of which something could not be undone yet: it is on the list, and tried again. */
  leftoverOrders(): ReadonlySet<string> {
    return this.mirror.leftoverOrders()
  }

  broken(invariant: string, detail: string): void {
    if (this.violation !== undefined) return
    this.violation = new Violation(invariant, detail)
    this.story.tell("check", "BROKEN", `${invariant}: ${detail}`)
  }

  expect(holds: boolean, invariant: string, detail: () => string): void {
    if (!holds) this.broken(invariant, detail())
  }
}

export interface Servers {
  readonly frontEnd: FrontEnd
  readonly marketplace: Marketplace
}

const spaciousHosts = ["host01", "host02"].map((name) => ({ name, cpuCores: 2000, memoryMb: 4_000_000 }))

export const makeServers = (bench: Bench): Servers => {
  const { chance } = bench
  const pace = chance.fork("pace").skewed(1, 60)
  const scope = bench.succeed(Scope.make())
  const [frontEnd, marketplace] = bench.succeed(
    Effect.all([
      makeFrontEnd({
        password: bench.secrets.cloudPassword,
        initial: { hosts: spaciousHosts },
        times: {
          schedule: 50 * pace,
          dispatch: 15,
          prolog: 50 * pace,
          boot: 100 * pace,
          shutdown: 40 * pace,
          epilog: 20 * pace,
          cleanup: 20 * pace,
          diskResize: 40 * pace,
          networkReady: 20 * Math.min(pace, 20),
          networkDelete: 20 * Math.min(pace, 20)
        }
      }),
      makeMarketplace({
        seed: chance.fork("marketplace").below(2 ** 31),
        generation: "current",
        race: chance.fork("race").pick([0, 0, 0.5, 1] as const),
        taskAfter: `${Math.round(chance.fork("task").skewed(10, 2000))} millis`
      })
    ]).pipe(Scope.extend(scope))
  )
  return { frontEnd, marketplace }
}

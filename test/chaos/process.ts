/** One process of the agent: started, paused, stopped, killed. All of it runs on a lane of its own. */
import { Array, Cause, Effect, Exit, Fiber, HashMap, Inspectable, Layer, Logger, LogLevel } from "effect"
import { nextTurn } from "../../src/opennebula/wire/response.js"
import { carriers as cloudCarriers } from "../../src/opennebula/wire/transport.js"
import { Dispatch } from "../../src/runtime/actors/dispatch.js"
import { Quarantine } from "../../src/runtime/actors/quarantine.js"
import * as Agent from "../../src/runtime/agent.js"
import type { Config } from "../../src/runtime/config/index.js"
import { carriers as marketCarriers } from "../../src/waldur/http/transport.js"
import type { Bench, Servers } from "./bench.js"
import type { CloudChecks } from "./cloud-checks.js"
import { cloudCarrier } from "./cloud-wire.js"
import { asSeenBy, type Database } from "./database.js"
import type { MarketChecks } from "./market-checks.js"
import { marketTransport } from "./market-wire.js"
import { Lane } from "./timeline.js"

export interface Surroundings {
  readonly servers: Servers
  readonly database: Database
  readonly config: Config
  readonly checks: { readonly cloud: CloudChecks; readonly market: MarketChecks }
}

export type Death = "killed" | "power cut" | "stopped"

export class Process {
  readonly lane: Lane
  private fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
  private startedAt = 0
  private quarantine: typeof Quarantine.Service | undefined

  constructor(
    private readonly bench: Bench,
    readonly name: string,
    private readonly around: Surroundings,
    private readonly onDeath: (how: Death) => void
  ) {
    this.lane = new Lane(name, bench.timeline, bench.chance.fork(`lane ${name}`).below(2 ** 31))
  }

  get isAlive(): boolean {
    return this.lane.state !== "dead"
  }

  start(): void {
    const bench = this.bench
    const around = this.around
    bench.story.tell("process", this.name, "starts")
    this.startedAt = bench.timeline.now
    const database = asSeenBy(bench, around.database, this)
    const program = Effect.gen(this, function* () {
      this.quarantine = yield* Quarantine
      const dispatch = yield* Dispatch
      yield* Effect.provideService(Agent.run(around.config), Dispatch, this.disturbed(dispatch))
    }).pipe(
      // In every other run an order is parked as soon as its machine takes a moment.
      Effect.provide(Agent.layerOn(database, this.name, { parking: bench.seed % 2 === 0 ? 40 : undefined })),
      Effect.provide(Layer.merge(this.logger, Logger.minimumLogLevel(LogLevel.Debug))),
      // Of an answer that takes several turns to read: virtual time does not wait for Node's.
      Effect.locally(
        nextTurn,
        Effect.async((resume) => bench.timeline.atTheEndOfThisMoment(() => resume(Effect.void)))
      ),
      Effect.locally(cloudCarriers, () =>
        Effect.succeed(cloudCarrier(bench, around.servers.frontEnd, around.checks.cloud, this))
      ),
      Effect.locally(marketCarriers, () =>
        Effect.succeed(marketTransport(bench, around.servers.marketplace, around.checks.market, this))
      )
    )
    this.fiber = Effect.runFork(this.lane.adopt(program), { scheduler: this.lane })
    this.fiber.addObserver((exit) => this.ended(exit))
  }

  /** A point at which chance may kill the process. False: it is dead. */
  atCall(point: string): boolean {
    if (this.isAlive && this.bench.faults.happens("killed at a call")) this.kill(point)
    return this.isAlive
  }

  kill(why: string): void {
    if (!this.isAlive) return
    const isPowerCut = this.bench.faults.cutsPower()
    this.bench.story.tell("fault", this.name, `killed ${why}${isPowerCut ? ", by a power cut" : ""}`)
    this.lane.kill()
    this.onDeath(isPowerCut ? "power cut" : "killed")
  }

  /** With the machine that it ran on. */
  losePower(): void {
    this.bench.story.tell("fault", this.name, "has no power any more")
    this.lane.kill()
  }

  pause(): void {
    this.bench.story.tell("fault", this.name, "paused")
    this.lane.pause()
  }

  resume(): void {
    this.bench.story.tell("fault", this.name, "goes on")
    this.lane.resume()
  }

  /** SIGTERM. */
  stop(): void {
    const { fiber } = this
    if (fiber === undefined) return
    this.bench.story.tell("fault", this.name, "is asked to stop")
    Effect.runFork(this.bench.outside.adopt(Fiber.interruptFork(fiber)), { scheduler: this.bench.outside })
  }

  quarantined(): ReadonlyArray<string> {
    const held = this.quarantine === undefined ? [] : Effect.runSync(this.quarantine.all)
    return held.map(({ order, reason }) => `${order}: ${reason}`)
  }

  private ended(exit: Exit.Exit<unknown, unknown>): void {
    if (!this.isAlive) return
    const how = Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? Cause.pretty(exit.cause) : "as asked"
    this.bench.story.tell("process", this.name, `ended: ${how}`)
    // On a full disk it does not start: it says so and ends, and is started again.
    const couldNotStart = this.bench.timeline.now === this.startedAt && how.includes("SQLITE_FULL")
    this.bench.expect(Exit.isInterrupted(exit) || couldNotStart, "the agent runs until it is stopped", () => how)
    this.lane.kill()
    this.onDeath("stopped")
  }

  /** A mailbox that gets some messages twice, and in another order. */
  private disturbed(dispatch: typeof Dispatch.Service): typeof Dispatch.Service {
    const chance = this.bench.chance.fork(`dispatch of ${this.name}`)
    return {
      ...dispatch,
      send: (work, look) =>
        Effect.suspend(() => {
          const mixed = this.bench.faults.happens("dispatched out of order")
            ? work
                .map((item) => [chance.number(), item] as const)
                .sort(([a], [b]) => a - b)
                .map(([, item]) => item)
            : work
          return this.bench.faults.happens("dispatched twice")
            ? Effect.zipRight(dispatch.send(mixed, look), dispatch.send(mixed, look))
            : dispatch.send(mixed, look)
        })
    }
  }

  private get logger() {
    return Logger.replace(
      Logger.defaultLogger,
      Logger.make((entry) => {
        const secret = this.bench.secrets.in(plainly(entry))
        this.bench.expect(secret === undefined, "no secret in any log", () => plainly(entry).slice(0, 200))
        if (LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Error)) {
          const line = Logger.logfmtLogger.log(entry)
          this.bench.story.tell("process", this.name, `ERROR ${line.replace(/^.*?message=/, "").slice(0, 1500)}`)
        }
      })
    )
  }
}

/** All that a log line says, without the work of a line's format. */
const plainly = ({ message, annotations, cause }: Logger.Logger.Options<unknown>): string =>
  [...Array.ensure(message), ...HashMap.values(annotations), ...(Cause.isEmpty(cause) ? [] : [Cause.pretty(cause)])]
    .map(Inspectable.toStringUnknown)
    .join(" ")

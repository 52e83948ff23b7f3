/** The processes of a run: at most one is meant to be there, but a paused one may wake up beside its successor. */
import type { Bench } from "./bench.js"
import type { Chance } from "./chance.js"
import { Process, type Surroundings } from "./process.js"

const mostAtOnce = 2

export class Processes {
  private readonly all: Array<Process> = []
  private readonly chance: Chance
  private starting = false

  constructor(
    private readonly bench: Bench,
    private readonly around: Surroundings
  ) {
    this.chance = bench.chance.fork("processes")
  }

  get alive(): ReadonlyArray<Process> {
    return this.all.filter((process) => process.isAlive)
  }

  start(): void {
    const name = `agent-${this.all.length + 1}`
    const process = new Process(this.bench, name, this.around, (how) => {
      if (how === "power cut") this.losePower()
      this.restart()
    })
    this.all.push(process)
    process.start()
  }

  kill(): void {
    this.newest()?.kill("from outside")
  }

  stop(): void {
    const process = this.newest()
    if (process === undefined || process.lane.state !== "running") return
    process.stop()
    // Whoever has asked it to stop loses patience after a while.
    this.bench.later(30_000, () => process.kill("as it did not stop"))
  }

  /** SIGSTOP for a while; if that is long, a successor is started, and the paused one wakes up beside it and lives on for some seconds. */
  pause(millis: number): void {
    const process = this.newest()
    if (process === undefined || process.lane.state !== "running" || this.alive.length >= mostAtOnce) return
    process.pause()
    const replaced = millis > 10_000 && this.chance.draw(0.7)
    if (replaced) this.bench.later(millis * this.chance.number(), () => process.isAlive && this.start())
    this.bench.later(millis, () => process.resume())
    if (replaced) this.bench.later(millis + this.chance.skewed(1000, 60_000), () => process.kill("for good"))
  }

  /** All of them run on one machine, and what its disk does not have is gone. */
  private losePower(): void {
    for (const process of this.alive) process.losePower()
    this.bench.mirror.begin(this.around.database.losePower())
  }

  /** One process, and no faults. */
  settle(): void {
    const [keep, ...others] = this.alive.toReversed()
    for (const process of others) process.kill("as one is enough")
    keep?.resume()
    if (keep === undefined) this.restart()
  }

  quarantined(): ReadonlyArray<string> {
    return this.alive.flatMap((process) => process.quarantined())
  }

  private newest(): Process | undefined {
    return this.alive.at(-1)
  }

  private restart(): void {
    if (this.starting || this.alive.length > 0) return
    this.starting = true
    this.bench.later(this.bench.faults.on ? this.chance.skewed(1000, 120_000) : 1000, () => {
      this.starting = false
      if (this.alive.length === 0) this.start()
    })
  }
}

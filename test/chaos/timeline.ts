/**
 * Virtual time, and who runs when.
 *
 * Everything of a run happens on one `Timeline`: fibers as tasks of lanes, sleeps as timers. A lane is a process (or the world outside): a
 * scheduler, a clock and a random source of its own. Tasks run in the order in which they became ready, as Effect relies on (with any
 * other, an `Effect.all` that fails may hang); interleavings differ by how long calls take, which is drawn. A lane that is killed never
 * runs anything again, finalizers included, as with `kill -9`; one that is paused misses its time and goes on late, as with SIGSTOP.
 */
import { Clock, Duration, Effect, Random, type Scheduler } from "effect"

interface Timer {
  readonly at: number
  readonly number: number
  readonly lane: Lane
  readonly fire: () => void
  cancelled: boolean
}

/** A binary heap, earliest first; of the same moment, what was set first. */
class Timers {
  private readonly heap: Array<Timer> = []

  get next(): Timer | undefined {
    return this.heap[0]
  }

  push(timer: Timer): void {
    const { heap } = this
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.swapIfLater(parent, at)) return
      at = parent
    }
  }

  pop(): Timer | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    heap[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const child = right < heap.length && this.isLater(left, right) ? right : left
      if (child >= heap.length || !this.swapIfLater(at, child)) return top
      at = child
    }
  }

  private isLater(one: number, other: number): boolean {
    const [a, b] = [this.heap[one], this.heap[other]]
    return a !== undefined && b !== undefined && (a.at > b.at || (a.at === b.at && a.number > b.number))
  }

  private swapIfLater(parent: number, child: number): boolean {
    const [a, b] = [this.heap[parent], this.heap[child]]
    if (a === undefined || b === undefined || !this.isLater(parent, child)) return false
    this.heap[parent] = b
    this.heap[child] = a
    return true
  }
}

export class Lane implements Scheduler.Scheduler {
  state: "running" | "paused" | "dead" = "running"
  /** Tasks run so far. */
  steps = 0
  private readonly held: Array<() => void> = []
  readonly clock: Clock.Clock
  readonly random: Random.Random

  constructor(
    readonly name: string,
    private readonly timeline: Timeline,
    seed: number
  ) {
    this.random = Random.make(seed)
    this.clock = clockOf(timeline, this)
  }

  /** Fibers of this lane: their scheduler, their time, their chance. */
  readonly adopt = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(Effect.withClock(this.clock), Effect.withRandom(this.random), Effect.withTracerEnabled(false))

  shouldYield(fiber: Parameters<Scheduler.Scheduler["shouldYield"]>[0]): number | false {
    return fiber.currentOpCount > 2048 ? 0 : false
  }

  scheduleTask(task: () => void): void {
    if (this.state === "paused") this.held.push(task)
    else if (this.state === "running") this.timeline.enqueue(this, task)
  }

  kill(): void {
    this.state = "dead"
    this.held.length = 0
  }

  pause(): void {
    if (this.state === "running") this.state = "paused"
  }

  resume(): void {
    if (this.state !== "paused") return
    this.state = "running"
    for (const task of this.held.splice(0)) this.scheduleTask(task)
  }
}

const clockOf = (timeline: Timeline, lane: Lane): Clock.Clock => {
  const now = () => timeline.now
  const nanos = () => BigInt(timeline.now) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async((resume) => {
        const cancel = timeline.after(lane, Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(cancel)
      })
  }
}

/** A run that does not come to an end by itself. */
export class Unending extends Error {}

export class Timeline {
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 10, 22, 8, 0, 0)
  readonly began = this.now
  private numbers = 0
  private readonly timers = new Timers()
  private readonly ready: Array<{ readonly lane: Lane; readonly task: () => void }> = []
  private readonly answers: Array<() => void> = []

  enqueue(lane: Lane, task: () => void): void {
    this.ready.push({ lane, task })
  }

  /** Runs `fire` so many milliseconds from now; answers how to prevent it. */
  after(lane: Lane, millis: number, fire: () => void): () => void {
    if (!Number.isFinite(millis)) return () => undefined
    const timer = {
      at: this.now + Math.max(0, Math.ceil(millis)),
      number: ++this.numbers,
      lane,
      fire,
      cancelled: false
    }
    this.timers.push(timer)
    return () => {
      timer.cancelled = true
    }
  }

  /** Runs `answer` when nothing else is left to run at this moment, and before time goes on. */
  atTheEndOfThisMoment(answer: () => void): void {
    this.answers.push(answer)
  }

  /** Runs until `isOver`, until nothing is left to run, or until so many virtual milliseconds have passed. */
  async run(isOver: () => boolean, limitMillis: number): Promise<void> {
    const limit = this.now + limitMillis
    while (!isOver()) {
      this.drain()
      if (this.answers.length > 0) {
        for (const answer of this.answers.splice(0)) answer()
        await undefined
        continue
      }
      const timer = this.timers.pop()
      if (timer === undefined) return
      if (timer.cancelled || timer.lane.state === "dead") continue
      if (timer.at > limit) {
        this.timers.push(timer)
        this.now = limit
        return
      }
      this.now = Math.max(this.now, timer.at)
      timer.fire()
    }
  }

  private drain(): void {
    const { ready } = this
    for (let count = 0; ready.length > 0; count++) {
      if (count > 2_000_000) throw new Unending(`tasks without end at ${this.now}`)
      const next = ready.shift()
      if (next === undefined) return
      if (next.lane.state === "dead") continue
      // Paused in the meantime: it goes on where it was.
      if (next.lane.state === "paused") next.lane.scheduleTask(next.task)
      else {
        next.lane.steps += 1
        next.task()
      }
    }
  }
}

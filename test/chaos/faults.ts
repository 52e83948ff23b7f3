/**
 * What can go wrong, and how often in this run. Every kind is either off or has a probability of its own, so that some runs have one fault
 * alone and others have them all.
 */
import type { Chance } from "./chance.js"

/** What becomes of one call. */
export type Fate =
  /** The client finds nobody there; nothing was sent. */
  | "refused"
  /** Sent, never seen by the server, never answered. */
  | "request lost"
  | "reset before"
  | "status before"
  /** Carried out; no answer ever comes. */
  | "response lost"
  | "reset after"
  | "status after"
  /** Carried out; the answer breaks off in its midst, by a reset or as if it were complete. */
  | "torn"
  | "cut short"
  | "garbage"
  | "slow"
  /** Carried out seconds later, by the marketplace up to minutes later, also when whoever sent it is dead by then or waits no more. */
  | "late"
  | "none"

const fates = [
  "refused",
  "request lost",
  "reset before",
  "status before",
  "response lost",
  "reset after",
  "status after",
  "torn",
  "cut short",
  "garbage",
  "slow"
] as const

/** Happenings outside the calls, each as events per hour of virtual time. */
export const eventNames = [
  "cloud away",
  "cloud restarts",
  "cloud credentials",
  "market away",
  "market credentials",
  "kill",
  "pause",
  "stop",
  "disk full",
  "saboteur deletes",
  "saboteur powers off",
  "stuck in boot",
  "order canceled",
  "order approved",
  "order erred by others"
] as const
export type EventName = (typeof eventNames)[number]

/** Driver actions of the cloud, and what customers and strangers do, each with a chance per occasion. */
const occasions = [
  "boot fails",
  "shutdown fails",
  "disk resize fails",
  "lease stays",
  "name taken",
  "quota eaten",
  "bad order",
  "dispatched twice",
  "dispatched out of order",
  "journal write refused",
  "killed at a call"
] as const
export type Occasion = (typeof occasions)[number]

const isEvent = (name: EventName | Occasion): name is EventName => eventNames.some((event) => event === name)

const highest: Readonly<Record<EventName | Occasion, number>> = {
  "cloud away": 20,
  "cloud restarts": 30,
  "cloud credentials": 15,
  "market away": 20,
  "market credentials": 10,
  kill: 120,
  pause: 60,
  stop: 40,
  "disk full": 20,
  "saboteur deletes": 20,
  "saboteur powers off": 30,
  "stuck in boot": 30,
  "order canceled": 30,
  "order approved": 60,
  "order erred by others": 20,
  "boot fails": 0.4,
  "shutdown fails": 0.5,
  "disk resize fails": 0.5,
  "lease stays": 0.5,
  "name taken": 0.4,
  "quota eaten": 0.3,
  "bad order": 0.3,
  "dispatched twice": 0.5,
  "dispatched out of order": 0.5,
  "journal write refused": 0.05,
  "killed at a call": 0.01
}

export class Faults {
  /** Off once a run settles. */
  on = true
  /** How many calls were disturbed, and how many occasions were taken. */
  caused = 0
  private readonly cloud: ReadonlyMap<Fate, number>
  private readonly market: ReadonlyMap<Fate, number>
  private readonly others: ReadonlyMap<string, number>
  private readonly calls: Chance
  /** These of sources of their own, as they came later than the seeds that have names. */
  private readonly late: Readonly<Record<"cloud" | "market", { readonly chance: Chance; readonly probability: number }>>
  private readonly power: { readonly chance: Chance; readonly probability: number }
  /** How many kinds of fault this run has. */
  readonly temper: "calm" | "few" | "some" | "all"

  constructor(chance: Chance, only?: ReadonlyArray<string>) {
    const source = chance.fork("profile")
    this.calls = chance.fork("calls")
    const mood = source.number()
    this.temper = mood < 0.04 ? "calm" : mood < 0.25 ? "few" : mood < 0.8 ? "some" : "all"
    const share = { calm: 0, few: 0.1, some: 0.35, all: 1 }[this.temper]
    const wanted = (name: string) => {
      const drawn = source.draw(share)
      return only === undefined ? drawn : only.includes(name)
    }
    const perCall = (where: string) =>
      new Map(
        fates.flatMap((fate): ReadonlyArray<[Fate, number]> => {
          const probability = source.skewed(0.002, this.temper === "all" ? 0.03 : 0.1)
          return wanted(`${where} ${fate}`) ? [[fate, probability]] : []
        })
      )
    this.cloud = perCall("cloud")
    this.market = perCall("market")
    const lateAt = (where: "cloud" | "market", name: string) => {
      const source = chance.fork(name)
      const isLate = source.draw(share)
      const isWanted = only === undefined ? isLate : only.includes(`${where} late`)
      return { chance: source, probability: isWanted ? source.skewed(0.005, 0.1) : 0 }
    }
    this.late = { cloud: lateAt("cloud", "late"), market: lateAt("market", "market late") }
    const power = chance.fork("power")
    const mayFail = power.draw(share)
    this.power = {
      chance: power,
      probability: (only === undefined ? mayFail : only.includes("power cut")) ? power.skewed(0.2, 0.8) : 0
    }
    this.others = new Map(
      [...eventNames, ...occasions].flatMap((name): ReadonlyArray<[string, number]> => {
        const high = highest[name]
        const value = source.skewed(high / 10, high)
        if (!wanted(name)) return []
        // Whoever chooses kinds by name looks for what they bring about, and a run is only minutes long.
        return [[name, only === undefined ? value : isEvent(name) ? high * 6 : high]]
      })
    )
  }

  fateOf(where: "cloud" | "market"): Fate {
    if (!this.on) return "none"
    for (const [fate, probability] of where === "cloud" ? this.cloud : this.market) {
      if (!this.calls.draw(probability)) continue
      this.caused += 1
      return fate
    }
    return this.late[where].chance.draw(this.late[where].probability) ? "late" : "none"
  }

  /** Where a process is killed: is it because the machine has no power any more? */
  cutsPower(): boolean {
    return this.on && this.power.chance.draw(this.power.probability)
  }

  /** Events of this kind in an hour. */
  rate(name: EventName): number {
    return this.others.get(name) ?? 0
  }

  happens(name: Occasion): boolean {
    const does = this.on && this.calls.draw(this.others.get(name) ?? 0)
    if (does) this.caused += 1
    return does
  }

  get summary(): string {
    const list = (name: string, kinds: ReadonlyMap<string, number>) =>
      kinds.size === 0 ? [] : [`${name}: ${[...kinds].map(([kind, p]) => `${kind} ${p.toPrecision(2)}`).join(", ")}`]
    return `${this.temper}. ${[...list("cloud", this.cloud), ...list("market", this.market), ...list("others", this.others)].join("; ")}`
  }
}

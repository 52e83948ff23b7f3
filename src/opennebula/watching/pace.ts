/**
 * How often machines that are waited for are looked at. No clock and no call in here: those are the watcher's (`watcher.ts`).
 *
 * Each wait is looked at soon after it began and ever more seldom as it grows old; a look takes along whatever else is nearly due. Looks are paid from an
 * allowance that fills by two calls a second and by some for each new wait, so one order after the other is quick, and ten thousand waits at once cost no
 * more than those two once the first seconds are over.
 */

/** In milliseconds, but for the counts. */
const pace = {
  /** Also from the beginning of a wait to its first look: a burst of waits shares it, but for its first few. */
  quickest: 20,
  /** A wait that is `age` old is looked at every `age / patience`, so that its end is seen a sixteenth of that late on average, ... */
  patience: 8,
  /** So few have nobody to share a call with: one more costs the front-end 1.5 ms, and whoever waits alone waits for nothing else. They are looked at twice as often. */
  few: 2,
  quickestOfFew: 4,
  patienceOfFew: 16,
  /** ... at least every second while a scheduler or a boot takes its usual time, */
  slow: 1_000,
  usual: 60_000,
  /** and then every so often. */
  slowest: 3_000,
  /** A call takes along what has waited this part of its interval. */
  nearlyDue: 0.5,
  /** Some 2.5 MB of answer, and 0.8 MB if all that matters is their state. */
  vmsPerCall: 500,
  callsPerSecond: 2,
  /** What each new wait adds to the allowance: about what it takes to see one quick VM through. */
  perWait: 20,
  /** Calls that may be made at once after a time of rest, so that a few quick waits are never slowed down. */
  saved: 40,
  shortestBackoff: 250,
  longestBackoff: 10_000
}

/** When a wait was last looked at, and in what time it is again: ms, of a steady clock. */
export interface Turn {
  readonly vmId: number
  readonly lookedAt: number
  readonly interval: number
}

/** For a wait that is `age` ms old, beside which there are `waits` in all. */
export const intervalAt = (age: number, waits: number): number => {
  const isOfFew = waits <= pace.few
  const quickest = isOfFew ? pace.quickestOfFew : pace.quickest
  const patience = isOfFew ? pace.patienceOfFew : pace.patience
  return Math.min(Math.max(age / patience, quickest), age < pace.usual ? pace.slow : pace.slowest)
}

export const dueAt = ({ interval, lookedAt }: Turn): number => lookedAt + interval

/** 1: due now; more: overdue. Compares quick waits and slow ones fairly, and lets none starve. */
const lateness = ({ interval, lookedAt }: Turn, now: number): number => (now - lookedAt) / interval

/** The most overdue waits, as many different VMs as fit into a call. */
export const nextOf = <T extends Turn>(waits: Iterable<T>, now: number): ReadonlyArray<T> => {
  const late = [...waits]
    .filter((wait) => lateness(wait, now) >= pace.nearlyDue)
    .sort((a, b) => lateness(b, now) - lateness(a, now))
  const vmIds = new Set<number>()
  return late.filter((wait) => {
    if (vmIds.size < pace.vmsPerCall) vmIds.add(wait.vmId)
    return vmIds.has(wait.vmId)
  })
}

/** The calls that may be made. */
export interface Allowance {
  /** For a wait that begins. */
  readonly grow: () => void
  readonly spend: () => void
  /** When there is enough for a call: `now`, or later. */
  readonly affordableAt: (now: number) => number
}

export const makeAllowance = (beginning: number): Allowance => {
  let calls = pace.saved
  let filledAt = beginning
  return {
    grow: () => {
      calls = Math.min(pace.saved, calls + pace.perWait)
    },
    spend: () => {
      calls -= 1
    },
    affordableAt: (now) => {
      calls = Math.min(pace.saved, calls + ((now - filledAt) / 1000) * pace.callsPerSecond)
      filledAt = now
      return calls >= 1 ? now : now + ((1 - calls) / pace.callsPerSecond) * 1000
    }
  }
}

/** After so many failures in a row. */
export const backoffAfter = (failures: number): number =>
  Math.min(pace.shortestBackoff * 2 ** failures, pace.longestBackoff)

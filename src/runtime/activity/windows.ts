/**
 * How many calls each system got, how many failed and how long they took, minute by minute, for the last day. In memory: some hundred
 * kilobytes, however many calls there are. Times go into bins that are a tenth wide, so a percentile is off by a twentieth at most.
 */

const minute = 60_000
/** Minutes that are kept. */
const kept = 24 * 60 + 15

interface Tally {
  calls: number
  errors: number
  /** Bin -> how many. */
  readonly bins: Map<number, number>
}

export interface Window {
  readonly calls: number
  readonly errors: number
  /** ms; `null`: there was no call. */
  readonly p50: number | null
  readonly p95: number | null
}

const width = Math.log(1.1)
/** Everything below a tenth of a millisecond is one bin. */
const binOf = (ms: number): number => Math.max(0, Math.ceil(Math.log(Math.max(ms, 0) * 10) / width))
/** The middle of the bin, on its own scale. */
const msOf = (bin: number): number => (bin === 0 ? 0.1 : Math.exp((bin - 0.5) * width) / 10)

const percentile = (bins: ReadonlyMap<number, number>, calls: number, part: number): number | null => {
  if (calls === 0) return null
  const wanted = Math.max(1, Math.ceil(calls * part))
  let counted = 0
  for (const [bin, count] of [...bins].toSorted(([one], [other]) => one - other)) {
    counted += count
    if (counted >= wanted) return Math.round(msOf(bin) * 10) / 10
  }
  return null
}

export class CallWindows {
  readonly #systems = new Map<string, Map<number, Tally>>()

  /** `at`: when the call ended, ms since 1970. */
  add(system: string, at: number, milliseconds: number, ok: boolean): void {
    const minutes = this.#systems.get(system) ?? new Map<number, Tally>()
    this.#systems.set(system, minutes)
    const now = Math.floor(at / minute)
    const tally = minutes.get(now) ?? { calls: 0, errors: 0, bins: new Map() }
    if (tally.calls === 0) {
      minutes.set(now, tally)
      for (const old of minutes.keys()) if (old < now - kept) minutes.delete(old)
    }
    const bin = binOf(milliseconds)
    tally.calls += 1
    tally.errors += ok ? 0 : 1
    tally.bins.set(bin, (tally.bins.get(bin) ?? 0) + 1)
  }

  get systems(): ReadonlyArray<string> {
    return [...this.#systems.keys()].toSorted()
  }

  /** From `from` until `until`, whole minutes, ms since 1970. */
  window(system: string, from: number, until: number): Window {
    const minutes = this.#systems.get(system)
    const bins = new Map<number, number>()
    let calls = 0
    let errors = 0
    for (let at = Math.floor(from / minute); at < Math.ceil(until / minute); at++) {
      const tally = minutes?.get(at)
      if (tally === undefined) continue
      calls += tally.calls
      errors += tally.errors
      for (const [bin, count] of tally.bins) bins.set(bin, (bins.get(bin) ?? 0) + count)
    }
    return { calls, errors, p50: percentile(bins, calls, 0.5), p95: percentile(bins, calls, 0.95) }
  }
}

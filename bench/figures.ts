/** What a benchmark gives: figures with what was to be reached, and ratios that can be compared from machine to machine. */

export interface Figure {
  /** "VM create: own time", unique. */
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What is to be reached. */
  readonly reach?: { readonly atMost: number } | { readonly atLeast: number }
  /** Against something measured in the same run, so that another machine gives about the same. Less is better. */
  readonly ratio?: { readonly value: number; readonly of: string }
  /** ms that the processor needed for it: has a ratio against this machine's unit of work once the benchmark has ended. */
  readonly work?: number
  readonly note?: string
}

/** `unit`: ms, as `machineUnit` has it. */
export const against =
  (unit: number) =>
  (figure: Figure): Figure =>
    figure.work === undefined
      ? figure
      : { ...figure, ratio: { value: figure.work / unit, of: "this machine's unit of work" } }

export const isReached = ({ reach, value }: Figure): boolean | undefined =>
  reach === undefined ? undefined : "atMost" in reach ? value <= reach.atMost : value >= reach.atLeast

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** ms since 1970, with fractions, or of any other beginning that both have. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** How long at least one of them lasted, within `within`. */
export const covered = (spans: ReadonlyArray<Span>, within: Span): number => {
  let total = 0
  let until = within.from
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const begin = Math.max(from, until)
    const end = Math.min(to, within.to)
    if (end > begin) total += end - begin
    until = Math.max(until, Math.min(to, within.to))
  }
  return total
}

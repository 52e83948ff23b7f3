/** What becomes of each figure: only what has changed is sent. */
import type { Figure } from "./figures.js"

/** What Waldur was told of a component in a billing period, or would not take. */
export interface Told {
  readonly amount: number
  /** Absent: it took it. */
  readonly refusal?: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export type Verdict =
  | { readonly _tag: "Send"; readonly component: string; readonly amount: number }
  | { readonly _tag: "Unchanged"; readonly component: string; readonly amount: number }
  /** Waldur would not take this amount, not long ago. */
  | { readonly _tag: "Refused"; readonly component: string; readonly amount: number; readonly reason: string }
  | { readonly _tag: "Held"; readonly component: string; readonly amount: number; readonly reason: string }
  | { readonly _tag: "Unread"; readonly component: string; readonly reason: string }

export interface Rules {
  /** Components whose figures only ever grow in a period: what goes down is wrong. */
  readonly growing: ReadonlySet<string>
  /** Leave out what went down and send the rest (`omit_anomalous_usage_components`); else nothing of the period is sent, as with the Python agent. */
  readonly omitAnomalous: boolean
  readonly now: number
}

/** A refusal may be mended in Waldur: after this the same amount is tried again. */
export const refusalKept = 24 * 3_600_000

/** `told`: by component. */
export const verdictsOn = (
  figures: ReadonlyArray<Figure>,
  told: ReadonlyMap<string, Told>,
  rules: Rules
): ReadonlyArray<Verdict> => {
  const first = figures.map((figure) => verdictOn(figure, told.get(figure.component), rules))
  const down = first.filter(({ _tag }) => _tag === "Held").map(({ component }) => component)
  if (down.length === 0 || rules.omitAnomalous) return first
  return first.map((verdict): Verdict => {
    if (verdict._tag !== "Send") return verdict
    const { component, amount } = verdict
    const reason = `Nothing is sent while ${down.join(", ")} went down (omit_anomalous_usage_components would leave out that alone).`
    return { _tag: "Held", component, amount, reason }
  })
}

const verdictOn = ({ component, amount, problem }: Figure, told: Told | undefined, rules: Rules): Verdict => {
  if (amount === undefined) return { _tag: "Unread", component, reason: problem ?? "" }
  if (told === undefined) return { _tag: "Send", component, amount }
  if (told.refusal !== undefined) {
    return told.amount === amount && rules.now - told.at < refusalKept
      ? { _tag: "Refused", component, amount, reason: told.refusal }
      : { _tag: "Send", component, amount }
  }
  if (told.amount === amount) return { _tag: "Unchanged", component, amount }
  return rules.growing.has(component) && amount < told.amount
    ? { _tag: "Held", component, amount, reason: `It went down: Waldur was told ${told.amount}.` }
    : { _tag: "Send", component, amount }
}

/** When the agent is killed, to the instant. */
import { type CallId, sameCall } from "./calls.js"
import { openSteps, readJournal } from "./journal.js"
import type { Guard, SeenCall } from "./tap.js"

/** `a`: before the call is carried out. `b`: after that, before the answer is read. `c`: after the journal has what came of it. */
export const moments = ["a", "b", "c"] as const
export type Moment = (typeof moments)[number]

export interface Strike {
  /** `next`: the first call of an agent that has just been started that goes to OpenNebula, or changes something in Waldur. */
  readonly call: CallId | "next"
  readonly moment: Moment
}

/** Steps that a call of that system may be part of. */
const isStepOf = (system: SeenCall["system"]) => (key: string) => key.includes(" waldur: ") === (system === "waldur")

const isMeant = (meant: Strike["call"], call: CallId): boolean =>
  meant === "next" ? call.system === "opennebula" || !call.name.startsWith("GET ") : sameCall(meant, call)

/**
 * A guard that lets everything pass until the strike's call has come, and kills at the strike's moment. For `c` it kills at the first
 * call that comes when every step that was open around the strike's call has its result in the journal; that call is not carried out.
 */
export const strikeGuard = (
  strike: Strike,
  count: (call: SeenCall) => CallId | undefined,
  dataDir: string,
  kill: () => void
): Guard => {
  let around: { readonly steps: ReadonlySet<string>; readonly lastRow: number } | undefined
  let struck = false
  const strikeNow = () => {
    struck = true
    kill()
  }
  return (call) => {
    if (struck || call.isCustomers) {
      count(call)
      return "pass"
    }
    if (around !== undefined) {
      const journal = readJournal(dataDir)
      const open = openSteps(journal)
      const hasGrown = (journal.rows.at(-1)?.id ?? 0) > around.lastRow
      if (!hasGrown || [...around.steps].some((step) => open.has(step))) return "pass"
      strikeNow()
      return "lose request"
    }
    const id = count(call)
    if (id === undefined || !isMeant(strike.call, id)) return "pass"
    if (strike.moment === "c") {
      const journal = readJournal(dataDir)
      around = {
        steps: new Set([...openSteps(journal)].filter(isStepOf(call.system))),
        lastRow: journal.rows.at(-1)?.id ?? 0
      }
      return "pass"
    }
    strikeNow()
    return strike.moment === "a" ? "lose request" : "lose answer"
  }
}

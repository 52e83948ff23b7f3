/** The next thing that will happen to an order, in one sentence. Pure. */
import type { Next, OrderRow, Step } from "../../api/index.js"

export interface Circumstances {
  readonly state: OrderRow["state"]
  readonly steps: ReadonlyArray<Step>
  readonly leftovers: number
  /** Is its resource kept in quarantine by this process? A restart forgets. */
  readonly held: boolean
  /** Why the order's offering lets nothing through now; `undefined`: it does. */
  readonly gate: Gate | undefined
  /** When its rest ends, ms since 1970. */
  readonly restsUntil: number | undefined
  /** The order of the same resource that goes first. */
  readonly before: string | undefined
  /** An operator wants it ended. */
  readonly cancelled: boolean
}

export type Gate =
  | { readonly _tag: "Closed" }
  /** The configuration does not have it (any more). */
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Paused"; readonly by: string }
  | { readonly _tag: "Stopped"; readonly reason: string }
  | { readonly _tag: "Away"; readonly servers: ReadonlyArray<string> }

const gateSentence = (gate: Gate): string => {
  switch (gate._tag) {
    case "Closed":
      return "It goes on when its offering has been opened."
    case "Absent":
      return "It goes on when its offering is put back into the configuration, which does not have it (any more)."
    case "Paused":
      return `It goes on when the offering is resumed: ${gate.by} has paused it.`
    case "Stopped":
      return `It goes on by itself when the configuration's fault is mended, which is looked at every minute: ${gate.reason}`
    case "Away":
      return `It goes on as soon as ${gate.servers.join(" and ")} answers, which is asked every 15 seconds.`
  }
}

const list = (steps: ReadonlyArray<Step>): string => steps.map(({ name }) => `"${name}"`).join(" and ")

export const nextOf = (about: Circumstances): Next => {
  const { state, steps } = about
  const never = (what: string): Next => ({ what, at: null })
  if (state === "done") return never("Nothing: it is done.")
  if (state === "erred") {
    return never(
      about.leftovers > 0
        ? "What is left of it is tried again every ten minutes, until it is gone."
        : "Nothing: it has ended, and nothing of it is left."
    )
  }
  if (state === "quarantined") {
    return never(
      about.held
        ? "Nothing by itself: release it, or restart the agent with the bug mended."
        : "It is taken up again at the next look at the queue."
    )
  }
  const inWork = steps.filter(({ status }) => status === "in work")
  const undone = steps.filter(({ status }) => status === "undoing")
  if (inWork.length > 0 && about.gate?._tag !== "Closed" && about.gate?._tag !== "Absent") {
    return never(
      `${list(inWork)} ${inWork.length === 1 ? "is" : "are"} in work${about.cancelled ? "; after that the order is undone, as it was cancelled." : "."}`
    )
  }
  if (about.gate !== undefined) return never(gateSentence(about.gate))
  if (about.before !== undefined)
    return never(`It waits for order ${about.before} of the same resource, which goes first.`)
  if (about.restsUntil !== undefined) return { what: "It is tried again.", at: about.restsUntil }
  if (state === "undoing") {
    return never(
      undone.length > 0
        ? `${list(undone)} ${undone.length === 1 ? "is" : "are"} being undone.`
        : "What it did is undone, and Waldur is told."
    )
  }
  return never(about.cancelled ? "It is undone, as it was cancelled." : "Its next step begins.")
}

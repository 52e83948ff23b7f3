/** A bar of the timeline, in words. */
import type { Bar } from "../../../api/index.js"
import { span } from "../../parts/format.js"

const outcomes: Readonly<Record<NonNullable<Bar["outcome"]>, string>> = {
  finished: "finished",
  adopted: "found and adopted",
  failed: "refused for good",
  interrupted: "broke off",
  undone: "undone",
  "undo-failed": "could not be undone"
}

/** "12 ms: finished", "2 s: waited", ... */
export const barWords = ({ kind, from, to, outcome }: Bar, at: number): string => {
  const what = outcome !== null ? outcomes[outcome] : kind === "waiting" ? "waited" : to === null ? "goes on" : kind
  return `${span((to ?? at) - from)}: ${what}`
}

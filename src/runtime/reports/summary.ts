/** A report in one line. */
import type { Report } from "./round.js"
import type { Outcome } from "./tell.js"

/** "12 sent, 180 unchanged, 2 not read". */
export const summaryOf = ({ rows }: Pick<Report, "rows">): string => {
  const order: ReadonlyArray<Outcome> = [
    "sent",
    "would be sent",
    "unchanged",
    "left out",
    "refused",
    "not read",
    "failed"
  ]
  const counts = order.flatMap((outcome) => {
    const count = rows.filter((row) => row.outcome === outcome).length
    return count === 0 ? [] : [`${count} ${outcome}`]
  })
  return counts.join(", ") || "nothing to report"
}

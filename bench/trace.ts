/** One order as a list of moments: every call on either side, every wait of the backend's and every entry of the journal, in ms from its event. */
import { join } from "node:path"
import { openFile } from "../src/runtime/database/file/file.js"
import { covered } from "./figures.js"
import type { EndedOrder, SeenCall, Wait } from "./simulators/protocol.js"

interface Moment {
  readonly from: number
  /** Absent: it is a moment, not a time. */
  readonly to?: number
  readonly what: string
}

/** The entries of an order, from the journal of an agent that may be running. */
const entriesOf = (dataDir: string, order: string): ReadonlyArray<Moment> => {
  const file = openFile(join(dataDir, "journal.db"))
  try {
    return file
      .run("SELECT step, event, at FROM journal WHERE order_id = ? ORDER BY id", [order])
      .map(({ at, event, step }) => ({ from: Number(at), what: `  journal: ${String(step)} ${String(event)}` }))
  } finally {
    file.close()
  }
}

export const trace = (
  dataDir: string,
  order: EndedOrder,
  calls: ReadonlyArray<SeenCall>,
  waits: ReadonlyArray<Wait>
): string => {
  const busy = [...calls, ...waits]
  const moments: ReadonlyArray<Moment> = [
    ...calls.map(({ from, name, to }) => ({ from, to, what: name })),
    ...waits.map(({ from, to }) => ({ from, to, what: "(something on its way in the cloud)" })),
    ...entriesOf(dataDir, order.order),
    { from: order.ended, what: "ended" }
  ]
  const shown = (at: number) => (at - order.placed).toFixed(1).padStart(8)
  return moments
    .toSorted((a, b) => a.from - b.from)
    .map(({ from, to, what }, at, all) => {
      const before = all[at - 1]?.from ?? order.placed
      const idle = from - before - covered(busy, { from: before, to: from })
      return `${shown(from)} ${to === undefined ? "        " : shown(to)}  ${idle > 1 ? `own ${idle.toFixed(1)}`.padEnd(9) : "         "} ${what}`
    })
    .join("\n")
}

/** The network between a simulated process and a server in memory: real requests and answers as text, and every way to lose them. */
import type { Bench } from "./bench.js"
import type { Chance } from "./chance.js"
import type { Fate } from "./faults.js"

export interface Text {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the client sees. `after`: milliseconds until then. */
export type Seen =
  | { readonly _tag: "Answer"; readonly answer: Text; readonly torn: boolean }
  | { readonly _tag: "Broken"; readonly sent: boolean; readonly code: string }
  /** Never anything. */
  | { readonly _tag: "Silence" }

export interface Exchange {
  readonly fate: Fate
  /** ms: how much later a request that is late may be carried out. */
  readonly latest: number
  /** Whether the server is up at the moment when the request arrives. */
  readonly isUp: () => boolean
  readonly carryOut: () => Text
  readonly garbage: (good: Text, chance: Chance) => Text
  /** Nobody waits for the answer any more: the connection was closed by the client. */
  readonly isGone: () => boolean
  readonly seen: (seen: Seen) => void
}

const statuses = [500, 502, 503] as const
const page = (status: number): Text => ({
  status,
  body: `<html><body><h1>Error ${status}</h1></body></html>`,
  headers: { "content-type": "text/html" }
})

/**
 * A request arrives within some tens of milliseconds, or later if it is late, or never. One to OpenNebula that came much later, after its sender has
 * looked whether it had, would be beyond what any client of its protocol can handle; Waldur's calls say what shall be, so they may. Answers may come as
 * late as they like.
 */
export const exchange = (bench: Bench, chance: Chance, { fate, isUp, isGone, latest, ...on }: Exchange): void => {
  const there = fate === "late" ? chance.between(300, latest) : chance.between(1, 30)
  const back = fate === "slow" ? chance.skewed(500, 90_000) : chance.between(1, 30)
  const answer = (after: number, seen: Seen) => bench.later(after, () => on.seen(seen))
  const broken = (sent: boolean, code: string): Seen => ({ _tag: "Broken", sent, code })
  bench.later(there, () => {
    if (fate === "refused" || !isUp()) return on.seen(broken(false, "ECONNREFUSED"))
    if (fate === "request lost") return
    if (fate === "reset before") return answer(back, broken(true, "ECONNRESET"))
    if (fate === "status before") {
      return answer(back, { _tag: "Answer", answer: page(chance.pick(statuses)), torn: false })
    }
    // The client hung up before the server had read the request.
    if (isGone() && fate !== "late") return
    const good = on.carryOut()
    switch (fate) {
      case "response lost":
        return
      case "reset after":
        return answer(back, broken(true, "ECONNRESET"))
      case "status after":
        return answer(back, { _tag: "Answer", answer: page(chance.pick(statuses)), torn: false })
      case "torn":
      case "cut short": {
        const length = Math.floor(good.body.length * chance.number())
        return answer(back, {
          _tag: "Answer",
          answer: { ...good, body: good.body.slice(0, length) },
          torn: fate === "torn"
        })
      }
      case "garbage":
        return answer(back, { _tag: "Answer", answer: on.garbage(good, chance), torn: false })
      default:
        return answer(back, { _tag: "Answer", answer: good, torn: false })
    }
  })
}

/** Which calls came, when, and how long each took on the server; and how long machines were on their way. */
import type * as OpenNebula from "../../src/simulator/opennebula/index.js"
import type { Marketplace } from "../../src/simulator/waldur/index.js"
import type { SeenCall } from "./protocol.js"

const uuid = /[0-9a-f]{32}/g

export const now = () => performance.timeOrigin + performance.now()

export interface Seen {
  readonly calls: ReadonlyArray<SeenCall>
  readonly counts: Readonly<Record<string, number>>
  /** Of how many machines it was asked how they are, by their ids. */
  readonly machines: number
  readonly forget: () => void
}

/** Beyond this only counts are kept: whoever asks for single calls looks at few orders. */
const most = 50_000

/**
 * `delay`: what is to be done to each call. Calls of one name are told apart by their order, which is right for the time in which at least one
 * of them was at work.
 */
export const watchCalls = (
  cloud: OpenNebula.FrontEnd,
  marketplace: Marketplace,
  delays: { readonly cloud: (method: string) => number; readonly waldur: number }
): Seen => {
  let calls: Array<SeenCall> = []
  let counts: Record<string, number> = {}
  const open = new Map<string, Array<number>>()
  const arrived = (name: string) => {
    const waiting = open.get(name)
    if (waiting === undefined) open.set(name, [now()])
    else waiting.push(now())
  }
  const answered = (system: SeenCall["system"], name: string) => {
    const from = open.get(name)?.shift()
    if (from === undefined) return
    counts[name] = (counts[name] ?? 0) + 1
    if (calls.length < most) calls.push({ system, name, from, to: now() })
  }
  const machines = new Set<string>()
  cloud.intercept(({ method, params }) => {
    arrived(method)
    const [ids] = params
    if (method === "one.vmpool.infoset" && typeof ids === "string") for (const id of ids.split(",")) machines.add(id)
    const millis = delays.cloud(method)
    return millis === 0 ? undefined : { _tag: "Delay", when: "before", millis }
  })
  cloud.onCall(({ method }) => answered("opennebula", method))
  const named = (method: string, path: string) => `${method} ${path.replace(/^\/api\//, "").replace(uuid, "{uuid}")}`
  marketplace.intercept(({ method, path }) => {
    arrived(named(method, path))
    return delays.waldur === 0 ? undefined : { _tag: "Delay", by: delays.waldur }
  })
  marketplace.onCall(({ method, path }) => answered("waldur", named(method, path)))
  return {
    get calls() {
      return calls
    },
    get counts() {
      return counts
    },
    get machines() {
      return machines.size
    },
    forget: () => {
      machines.clear()
      calls = []
      counts = {}
    }
  }
}

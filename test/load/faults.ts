/** What goes wrong during the run: a share of the agent's calls, on either side, and a share of the machines, in an order that a seed decides. */
import { PCGRandom } from "effect/Utils"
import type { Disturbance } from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"
import type { Site } from "../crash/site.js"
import { isCustomers } from "../crash/tap.js"

interface Kind {
  readonly name: string
  readonly cloud: Disturbance
  readonly market: Waldur.Fault
}

/** ms. Longer than most calls, and shorter than a time-out. */
const slow = 2000

const kinds: ReadonlyArray<Kind> = [
  { name: "request lost", cloud: { _tag: "Drop", when: "before" }, market: Waldur.fault.dropRequest },
  { name: "answer lost", cloud: { _tag: "Drop", when: "after" }, market: Waldur.fault.dropAnswer },
  { name: "HTTP 503", cloud: { _tag: "HttpError", when: "before", status: 503 }, market: Waldur.fault.status(503) },
  {
    name: "garbage instead of the answer",
    cloud: { _tag: "Garbage", when: "after", body: "<html>Bad gateway" },
    market: Waldur.fault.garbage()
  },
  { name: "2 s late", cloud: { _tag: "Delay", when: "after", millis: slow }, market: Waldur.fault.delay(slow) }
]

export interface Faults {
  /** What went wrong -> how often. */
  readonly counts: ReadonlyMap<string, number>
  /** Ids of the VMs that did not boot. */
  readonly unbootable: ReadonlySet<number>
  readonly calls: () => number
}

/** From now on. `share`: 0.02 is 2 %. */
export const causeFaults = ({ cloud, marketplace }: Site, share: number, seed: number): Faults => {
  const random = new PCGRandom(seed)
  const counts = new Map<string, number>()
  const unbootable = new Set<number>()
  let calls = 0
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  const next = (): Kind | undefined => {
    calls += 1
    if (random.number() >= share) return undefined
    const kind = kinds[random.integer(kinds.length)]
    if (kind !== undefined) count(kind.name)
    return kind
  }
  cloud.intercept(() => next()?.cloud)
  marketplace.intercept(({ method, path }) =>
    isCustomers(method, path.replace(/^\/api\//, "")) ? undefined : next()?.market
  )
  cloud.onCall(({ answer, method }) => {
    if (method !== "one.template.instantiate" || answer._tag !== "Ok" || random.number() >= share) return
    const vm = Number(answer.value)
    unbootable.add(vm)
    count("VM that does not boot")
    cloud.faults.failNext("deploy", { vm })
  })
  return { counts, unbootable, calls: () => calls }
}

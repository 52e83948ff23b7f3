/** Every call on its way from an agent to either simulator, seen before it is carried out, and what shall become of it. */
import type * as OpenNebula from "../../src/simulator/opennebula/index.js"
import * as Waldur from "../../src/simulator/waldur/index.js"

export interface SeenCall {
  readonly system: "opennebula" | "waldur"
  /** `one.group.allocate`, `one.vm.action resume`, `POST marketplace-orders/{uuid}/approve_by_provider/`. */
  readonly name: string
  /** The path and query with its uuids; for OpenNebula empty. */
  readonly address: string
  /** Placed by the customer, not by the agent. */
  readonly isCustomers: boolean
}

/** `lose request`: never carried out. `lose answer`: carried out, and the connection breaks. */
export type Verdict = "pass" | "lose request" | "lose answer"
export type Guard = (call: SeenCall) => Verdict

export interface Tap {
  /** Puts a guard at the gate in place of the one before. */
  readonly guard: (guard: Guard) => void
  readonly open: () => void
  /** Happens whenever a call has come to OpenNebula, before the guard and the front-end see it. */
  readonly onArrival: (happens: () => void) => void
}

const uuid = /[0-9a-f]{32}/g

/** What only a customer calls: the agent uses `marketplace-provider-resources/` and single orders. `path` behind "/api/". */
export const isCustomers = (method: string, path: string) =>
  (method === "POST" && path === "marketplace-orders/") || path.startsWith("marketplace-resources/")

export const makeTap = (cloud: OpenNebula.FrontEnd, marketplace: Waldur.Marketplace): Tap => {
  let current: Guard = () => "pass"
  let arrival = () => {}
  cloud.intercept(({ method, params }) => {
    arrival()
    const name = method === "one.vm.action" ? `${method} ${params[0]}` : method
    const verdict = current({ system: "opennebula", name, address: "", isCustomers: false })
    return verdict === "pass" ? undefined : { _tag: "Drop", when: verdict === "lose request" ? "before" : "after" }
  })
  marketplace.intercept(({ method, path, query }) => {
    const short = path.replace(/^\/api\//, "")
    const verdict = current({
      system: "waldur",
      name: `${method} ${short.replace(uuid, "{uuid}")}`,
      address: `${short}?${query}`,
      isCustomers: isCustomers(method, short)
    })
    if (verdict === "pass") return undefined
    return verdict === "lose request" ? Waldur.fault.dropRequest : Waldur.fault.dropAnswer
  })
  return {
    guard: (guard) => {
      current = guard
    },
    open: () => {
      current = () => "pass"
    },
    onArrival: (happens) => {
      arrival = happens
    }
  }
}

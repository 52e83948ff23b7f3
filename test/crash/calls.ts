/** Which calls belong to an order, and how each is called so that it is found again in another run. */
import type { Operation } from "./operations.js"
import type { Site } from "./site.js"
import type { SeenCall } from "./tap.js"

export interface CallId {
  readonly system: SeenCall["system"]
  readonly name: string
  /** From 1, among the calls of that name since the order was placed. */
  readonly ordinal: number
}

export const sameCall = (one: CallId, other: CallId): boolean =>
  one.name === other.name && one.ordinal === other.ordinal

/** How often these come is a matter of time, not of the order: only the first of each counts. */
const polls = new Set([
  "one.vmpool.infoset",
  "one.vn.info",
  "GET marketplace-orders/",
  "GET marketplace-orders/{uuid}/",
  "GET marketplace-provider-resources/"
])

/**
 * Counts an order's calls from the moment at which the customer places it. Others' calls are told apart: the look into the other
 * offering's queue, and the guard over the backend id of a resource that an earlier order made.
 */
export const makeCounter = (
  site: Site,
  operation: Operation,
  begin: { readonly placed: boolean } = { placed: false }
): ((call: SeenCall) => CallId | undefined) => {
  const { marketplace, world } = site
  const offering = operation.name.startsWith("vm-") ? world.vmOffering.uuid : world.vdcOffering.uuid
  const others = [...marketplace.resources.values()].filter(({ name }) => name !== operation.resource)
  /** The guard over its backend id may come at any time, and makes the same call as its next order. */
  const isGuarded = [...marketplace.resources.values()].some(({ name }) => name === operation.resource)
  const guard = "GET marketplace-provider-resources/{uuid}/"
  const counts = new Map<string, number>()
  let { placed } = begin
  return (call) => {
    if (call.isCustomers) {
      placed = true
      return undefined
    }
    if (!placed) return undefined
    if (call.name === "GET marketplace-orders/" && !call.address.includes(offering)) return undefined
    if (others.some(({ uuid }) => call.address.includes(uuid))) return undefined
    const ordinal = (counts.get(call.name) ?? 0) + 1
    counts.set(call.name, ordinal)
    const isRepeated = polls.has(call.name) || operation.broken?.repeats.includes(call.name) === true
    if (ordinal > 1 && (isRepeated || (isGuarded && call.name === guard))) return undefined
    return { system: call.system, name: call.name, ordinal }
  }
}

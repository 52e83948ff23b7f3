/**
 * Usage: what a backend can measure, over which time, and what it found. Amounts here are in the backend's units; `components.ts` converts.
 */
import type { Amounts, Component } from "./components.js"
import type { ResourceId } from "./orders.js"

/** Something that a backend sells or measures, and that components mean by their type or by `usage_from`. */
export interface Quantity {
  /** `cpu`, `ram_hours`: the component type that means it, and what `usage_from` may name. */
  readonly name: string
  /** The backend's unit: "MB". */
  readonly unit: string
  /** Whether orders can ask for it. What cannot be ordered is only measured. */
  readonly ordered: boolean
  /** `now`: what is allocated at this moment. `period`: what adds up over a billing period, from the backend's accounts. */
  readonly measured: "now" | "period"
}

/** A span of time, in ms since 1970; `until` is not in it. */
export interface Span {
  readonly from: number
  readonly until: number
}

/** What one resource uses. */
export interface Usage {
  readonly resource: ResourceId
  /** By component type. What could not be read is not in it: never a zero in its place. */
  readonly amounts: Amounts
  /** Why something is not in `amounts`, as a sentence for operators. */
  readonly problem?: string
}

export interface KnownResource {
  readonly id: ResourceId
  readonly backendId: string
  /**
   * What the marketplace remembers of it from its creation, ids and the like only: `{ vnet_id: "12", ip_address: "10.0.0.4" }`. The provider alone writes
   * that.
   */
  readonly recorded?: Readonly<Record<string, string>>
}

/** The name of the quantity that a component's usage is: `usage_from`, or else its type. */
export const quantityOf = (component: Pick<Component, "type" | "usageFrom">): string =>
  component.usageFrom ?? component.type

/** Amounts by quantity, as the offering's components: what the offering has no component for is left out. */
export const byComponent = (components: ReadonlyArray<Component>, measured: Amounts): Amounts =>
  Object.fromEntries(
    components.flatMap((component) => {
      const amount = measured[quantityOf(component)]
      return amount === undefined ? [] : [[component.type, amount]]
    })
  )

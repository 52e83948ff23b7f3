/** One resource in one billing period: what was read of it, and what Waldur was told before. */
import type { Figure } from "./figures.js"
import type { ToldRow } from "./memory.js"
import type { BillingPeriod } from "./periods.js"
import type { Subject } from "./read.js"

export interface Part {
  readonly subject: Subject
  readonly period: BillingPeriod
  readonly figures: ReadonlyArray<Figure>
  /** By component. */
  readonly told: ReadonlyMap<string, ToldRow>
}

/** Is there something to tell, and nothing known of what Waldur was told? */
export const isUnheard = ({ figures, told }: Pick<Part, "figures" | "told">): boolean =>
  told.size === 0 && figures.some(({ amount }) => amount !== undefined)

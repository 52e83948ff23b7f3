/**
 * What Waldur has of usages that this agent has not told, or does not remember. Of a few resources each is asked for by itself; of many, all
 * of an offering by pages, once for each billing period: at the first report of ten thousand machines that was ten thousand calls.
 */
import { Array, Effect, Option } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { ComponentUsage, WaldurError } from "../../waldur/index.js"
import { toTwoDecimals } from "./figures.js"
import type { Reporter } from "./measured.js"
import { isUnheard, type Part } from "./part.js"
import type { Told } from "./verdicts.js"

/** By component. `period`: YYYY-MM-01. */
export type Heard = (resource: ResourceId, period: string) => Effect.Effect<ReadonlyMap<string, Told>, WaldurError>

/** More resources than this are read together: an offering's usages are at least a page or two. */
const fewest = 5

export const makeHeard = ({ waldur, id }: Reporter, parts: ReadonlyArray<Part>, now: number): Effect.Effect<Heard> =>
  Effect.gen(function* () {
    const toldOf = (usages: ReadonlyArray<ComponentUsage>): ReadonlyMap<string, Told> =>
      new Map(
        usages.flatMap(({ type, usage }) =>
          Option.isSome(usage) ? [[type, { amount: toTwoDecimals(usage.value), at: now }] as const] : []
        )
      )
    const unheard = Array.groupBy(parts.filter(isUnheard), ({ period }) => period.key)
    const together = yield* Effect.cachedFunction((period: string) =>
      Effect.map(waldur.offeringUsages(id, period), ({ items }) => {
        const inPeriod = items.filter(({ billingPeriod }) => Option.getOrElse(billingPeriod, () => period) === period)
        return Array.groupBy(inPeriod, ({ resourceUuid }) => Option.getOrElse(resourceUuid, () => ""))
      })
    )
    return (resource, period) =>
      (unheard[period]?.length ?? 0) > fewest
        ? Effect.map(together(period), (of) => toldOf(of[resource] ?? []))
        : Effect.map(waldur.componentUsages(resource, period), ({ items }) => toldOf(items))
  })

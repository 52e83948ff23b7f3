/**
 * What Waldur has of usages that this agent has not told, or does not remember. Of a few resources each is asked for by itself; of many, all
 * of an offering by pages, once for each billing period: at the first report of ten thousand machines that was ten thousand calls.
 */
import { Array, Effect, Either, Option } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { ComponentUsage, WaldurError } from "../../waldur/index.js"
import { toTwoDecimals } from "./figures.js"
import type { Reporter } from "./measured.js"
import { isUnheard, type Part } from "./part.js"
import type { Told } from "./verdicts.js"

/** By component. `period`: YYYY-MM-01. */
export interface Heard {
  /** Where it was read of all resources together. */
  readonly known: (resource: ResourceId, period: string) => ReadonlyMap<string, Told> | undefined
  readonly ask: (resource: ResourceId, period: string) => Effect.Effect<ReadonlyMap<string, Told>, WaldurError>
}

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
    const together = (period: string) =>
      Effect.map(waldur.offeringUsages(id, period), ({ items }) => {
        const inPeriod = items.filter(({ billingPeriod }) => Option.getOrElse(billingPeriod, () => period) === period)
        return Array.groupBy(inPeriod, ({ resourceUuid }) => Option.getOrElse(resourceUuid, () => ""))
      })
    const many = Object.keys(unheard).filter((period) => (unheard[period]?.length ?? 0) > fewest)
    const read = new Map(
      yield* Effect.forEach(many, (period) =>
        Effect.map(Effect.either(together(period)), (found) => [period, found] as const)
      )
    )
    const found = (resource: ResourceId, period: string) =>
      Option.map(Option.fromNullable(read.get(period)), (page) => Either.map(page, (of) => toldOf(of[resource] ?? [])))
    return {
      known: (resource, period) => Option.getOrUndefined(Option.flatMap(found(resource, period), Either.getRight)),
      ask: (resource, period) =>
        Option.getOrElse(found(resource, period), () =>
          Effect.map(waldur.componentUsages(resource, period), ({ items }) => toldOf(items))
        )
    }
  })

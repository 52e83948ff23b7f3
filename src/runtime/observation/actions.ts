/** What follows from a look at one resource. Pure: the loop asks whether there is anything to do, the actor what. */
import { Schema } from "effect"
import { type Difference, DriftKind, type Observation, type Standing } from "../../core/index.js"
import type { DriftPolicies } from "../config/index.js"
import type { Observed, Policy } from "./store.js"

export type Action =
  /** It has vanished: say so in Waldur. */
  | { readonly _tag: "SetErred"; readonly sentence: string }
  /** It is there, and it was this agent that called it erred: whoever may have set it OK meanwhile, it is not ours to watch any more. */
  | { readonly _tag: "SetOk" }
  | { readonly _tag: "SetStanding"; readonly standing: Standing }
  | { readonly _tag: "Enforce"; readonly sentence: string }
  /** Waldur shall remember that of it. */
  | { readonly _tag: "Record"; readonly metadata: Readonly<Record<string, number | string>> }
  | { readonly _tag: "Repair"; readonly kind: DriftKind; readonly sentences: ReadonlyArray<string> }

/** So many looks in a row must have found nothing before a resource counts as vanished. */
const missesThatCount = 2

const isDrift = Schema.is(DriftKind)

/** How a difference is dealt with. What nobody can mend is only reported, whatever the policy. */
export const policyFor = (difference: Difference, policies: DriftPolicies, imported: boolean): Policy => {
  if (!difference.mendable) return "report"
  if (difference.kind === "standing" || difference.kind === "enforcement") return "repair"
  if (difference.kind === "owner" && imported) return "repair"
  return isDrift(difference.kind) ? policies[difference.kind] : "report"
}

export interface Looked {
  readonly observation: Observation
  readonly differences: ReadonlyArray<Difference & { readonly policy: Policy }>
  readonly standing: Standing
  readonly record: Pick<Observed, "marketplaceState" | "misses" | "erred">
}

export const actionsFor = ({ differences, observation, record, standing }: Looked): ReadonlyArray<Action> => {
  if (observation._tag === "Missing") {
    const counts = record.misses >= missesThatCount && record.marketplaceState === "OK"
    return counts ? [{ _tag: "SetErred", sentence: "The resource does not exist in the cloud any more." }] : []
  }
  if (observation._tag === "Foreign") return []
  const toRepair = differences.filter(({ policy }) => policy === "repair")
  const drifts = [...new Set(toRepair.map(({ kind }) => kind))].filter(isDrift)
  return [
    ...(record.erred ? [{ _tag: "SetOk" as const }] : []),
    // Whose it is comes first: what is not known to be the resource's is not touched otherwise.
    ...drifts
      .toSorted((one, other) => Number(other === "owner") - Number(one === "owner"))
      .map((kind) => ({
        _tag: "Repair" as const,
        kind,
        sentences: toRepair.filter((difference) => difference.kind === kind).map(({ sentence }) => sentence)
      })),
    // After the sizes, of which they are the limits.
    ...toRepair.flatMap(({ kind, sentence }) =>
      kind === "enforcement" ? [{ _tag: "Enforce" as const, sentence }] : []
    ),
    ...(toRepair.some(({ kind }) => kind === "standing") ? [{ _tag: "SetStanding" as const, standing }] : []),
    ...(observation.toRecord === undefined ? [] : [{ _tag: "Record" as const, metadata: observation.toRecord }])
  ]
}

/**
 * What the marketplace says against what the backend has. The comparison is pure; who looks, when, and what follows from it is the
 * runtime's business (`runtime/observation`).
 */
import { Schema } from "effect"
import { type Amounts, type Component, toWaldur } from "./components.js"
import type { ResourceId } from "./orders.js"
import type { KnownResource } from "./usage.js"

/** Kinds of difference whose mending is a matter of policy (`drift:` of an offering). */
export const DriftKind = Schema.Literal("quotas", "sizes", "state", "owner", "network", "isolation", "passwords")
export type DriftKind = typeof DriftKind.Type

/**
 * Beside those: `missing` (it has vanished from the backend), `standing` (paused or downscaled, and not so in the backend, or the other
 * way round: always carried out), `enforcement` (it exceeds its limits, or does so no more: always carried out) and `project` (it has ended, and
 * the resource lives on: only shown).
 */
export const DifferenceKind = Schema.Literal(...DriftKind.literals, "missing", "standing", "enforcement", "project")
export type DifferenceKind = typeof DifferenceKind.Type

/** How a resource may be used: Waldur's flags `paused` and `downscaled`; the stricter one wins. */
export const Standing = Schema.Literal("active", "downscaled", "paused")
export type Standing = typeof Standing.Type

export const standingOf = (flags: { readonly paused: boolean; readonly downscaled: boolean }): Standing =>
  flags.paused ? "paused" : flags.downscaled ? "downscaled" : "active"

/** A resource that the marketplace knows, to be looked up in the backend. */
export interface SoughtResource extends KnownResource {
  /** As the marketplace has them. Where they are not known, nothing without a tag is known to be the resource's. */
  readonly name?: string
  readonly slug?: string
  /** This agent has offered what the backend id names for import: it may be called as the resource is in the marketplace. */
  readonly offered?: boolean
}

/** What the marketplace says that a resource is. */
export interface ExpectedResource extends SoughtResource {
  readonly name: string
  readonly slug: string
  /** In the backend's units; a component that nothing is known of is left out. */
  readonly amounts: Amounts
  readonly standing: Standing
  /** When its project ended, if it has: ISO 8601. */
  readonly projectEnded?: string
}

/** Something that the backend itself finds to be other than it made it. */
export interface Finding {
  readonly kind: DriftKind
  /** What it is about: "network 12", "router". */
  readonly subject: string
  readonly expected: string
  readonly found: string
  /** Whether the backend knows how to put it right. */
  readonly mendable: boolean
  /** What an operator can do about it, in one sentence. */
  readonly advice?: string
}

/** How far a standing has got in the backend. */
export interface StandingFound {
  readonly standing: Standing
  /** False: half done, or undone by somebody: a machine runs that should not. */
  readonly complete: boolean
  /** "2 machines run" */
  readonly detail: string
}

/** What is known of a resource in the backend, to be compared with the marketplace. */
export type Observation =
  /** Neither its backend id nor its owner tag leads to anything. */
  | { readonly _tag: "Missing"; readonly resource: ResourceId }
  /** Its backend id leads to something that belongs to another resource, or is none that a resource can have. */
  | { readonly _tag: "Foreign"; readonly resource: ResourceId; readonly object: string; readonly owner: string }
  | {
      readonly _tag: "Present"
      readonly resource: ResourceId
      /** The backend's own word for its state. */
      readonly state: string
      readonly healthy: boolean
      /** Actual sizes or limits, in the backend's units; `Infinity`: without limit. */
      readonly amounts: Amounts
      /** What it is called when these differ from the marketplace's. */
      readonly measures: "quotas" | "sizes"
      /** Components of which more than ordered is as it should be: a disk that cannot shrink. */
      readonly mayExceed: ReadonlyArray<string>
      readonly standing: StandingFound
      /** What the backend can do for resources: a standing that is not here is only shown. */
      readonly standings: ReadonlyArray<Standing>
      readonly findings: ReadonlyArray<Finding>
      /**
       * What `enforce` has to do now so that the resource keeps to what was ordered, or may use it again, in one sentence. Absent: nothing, also
       * while it is kept to it.
       */
      readonly toEnforce?: string | undefined
      /**
       * By what it is known whatever its tenant writes into it, where the marketplace does not remember that yet: added to its metadata once, under names that
       * come back in `recorded`. Only of what is the resource's without a doubt.
       */
      readonly toRecord?: Readonly<Record<string, number | string>> | undefined
      readonly facts: Readonly<Record<string, unknown>>
    }

type Present = Observation & { readonly _tag: "Present" }

/** What is there, as it is for a backend that can neither pause nor mend: healthy and active, unless `found` says otherwise. */
export const present = (
  resource: ResourceId,
  found: Pick<Present, "amounts"> & Partial<Omit<Present, "_tag" | "resource" | "amounts">>
): Observation => ({
  _tag: "Present",
  resource,
  state: "there",
  healthy: true,
  measures: "quotas",
  mayExceed: [],
  standing: { standing: "active", complete: true, detail: "" },
  standings: ["active"],
  findings: [],
  facts: {},
  ...found
})
export const missing = (resource: ResourceId): Observation => ({ _tag: "Missing", resource })
/** `object`: "bucket 12"; `owner`: whose it is, as it stands there. */
export const foreign = (resource: ResourceId, object: string, owner: string): Observation => ({
  _tag: "Foreign",
  resource,
  object,
  owner
})

export interface Difference {
  readonly kind: DifferenceKind
  /** With `kind` what makes it the same difference at the next look: a component, an object. */
  readonly subject: string
  readonly expected: string
  readonly found: string
  /** For operators: what differs, in one sentence. */
  readonly sentence: string
  readonly mendable: boolean
}

/** Amounts that differ by less are the same: OpenNebula keeps hundredths of cores, all else in whole numbers. */
const tolerance = 0.005

const amountDifferences = (
  expected: ExpectedResource,
  { amounts, measures, mayExceed }: Observation & { readonly _tag: "Present" },
  components: ReadonlyArray<Component>
): ReadonlyArray<Difference> =>
  components.flatMap((component) => {
    const { type } = component
    const [wanted, found] = [expected.amounts[type], amounts[type]]
    if (wanted === undefined || found === undefined || Math.abs(wanted - found) < tolerance) return []
    if (found > wanted && mayExceed.includes(type)) return []
    const shown = (amount: number) =>
      Number.isFinite(amount) ? `${toWaldur(component, amount)} ${component.measuredUnit}`.trim() : "no limit"
    const name = component.name || type
    return [
      {
        kind: measures,
        subject: type,
        expected: shown(wanted),
        found: shown(found),
        sentence: `${name} is ${shown(wanted)} in Waldur and ${shown(found)} in the cloud.`,
        mendable: true
      }
    ]
  })

const standingDifferences = (
  expected: ExpectedResource,
  { standing: found, standings }: Observation & { readonly _tag: "Present" }
): ReadonlyArray<Difference> => {
  if (found.standing === expected.standing && found.complete) return []
  const can = standings.includes(expected.standing)
  const state = found.complete ? found.standing : `${found.standing}, but ${found.detail}`
  return [
    {
      kind: "standing",
      subject: expected.standing,
      expected: expected.standing,
      found: state,
      sentence: can
        ? `It is ${expected.standing} in Waldur and ${state} in the cloud.`
        : `It is ${expected.standing} in Waldur, which this offering's backend cannot carry out.`,
      mendable: can
    }
  ]
}

const enforcement = (sentence: string): Difference => ({
  kind: "enforcement",
  subject: "limits",
  expected: "kept",
  found: sentence,
  sentence,
  mendable: true
})

/** Everything in which a resource is other than the marketplace says. Nothing is left out: what follows is for the policy to say. */
export const differences = (
  expected: ExpectedResource,
  observation: Observation,
  components: ReadonlyArray<Component>
): ReadonlyArray<Difference> => {
  const ended: ReadonlyArray<Difference> =
    expected.projectEnded === undefined
      ? []
      : [
          {
            kind: "project",
            subject: "end date",
            expected: "ended",
            found: "alive",
            sentence: `Its project ended on ${expected.projectEnded.slice(0, 10)}: Waldur has not ordered its end yet.`,
            mendable: false
          }
        ]
  switch (observation._tag) {
    case "Missing":
      return [
        {
          kind: "missing",
          subject: "resource",
          expected: expected.backendId,
          found: "nothing",
          sentence: `Neither its backend id ${expected.backendId} nor its owner tag leads to anything in the cloud.`,
          mendable: false
        }
      ]
    case "Foreign":
      return [
        {
          kind: "owner",
          subject: "backend id",
          expected: expected.backendId,
          found: `${observation.object} of ${observation.owner}`,
          sentence: `Its backend id ${expected.backendId} leads to ${observation.object}, which belongs to ${observation.owner}.`,
          mendable: false
        },
        ...ended
      ]
    case "Present":
      return [
        ...amountDifferences(expected, observation, components),
        ...(observation.healthy || observation.findings.some(({ kind }) => kind === "state")
          ? []
          : [
              {
                kind: "state" as const,
                subject: "health",
                expected: "healthy",
                found: observation.state,
                sentence: `Its state in the cloud is ${observation.state}.`,
                mendable: false
              }
            ]),
        ...observation.findings.map(
          ({ advice, ...finding }): Difference => ({
            ...finding,
            sentence: `${finding.subject}: ${finding.expected} expected, ${finding.found} found.${advice === undefined ? "" : ` ${advice}`}`
          })
        ),
        ...standingDifferences(expected, observation),
        ...(observation.toEnforce === undefined ? [] : [enforcement(observation.toEnforce)]),
        ...ended
      ]
  }
}

export const sameDifference = (
  one: Pick<Difference, "kind" | "subject">,
  other: Pick<Difference, "kind" | "subject">
): boolean => one.kind === other.kind && one.subject === other.subject

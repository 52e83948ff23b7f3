/** An offering at work: its marketplace, its backend, its health. */
import { Context, Effect, Layer, Ref, type Scope } from "effect"
import type { Alarms, Backend, Component, OfferingId, Plugin, ResourceId, SiteError } from "../../core/index.js"
import type { WaldurService } from "../../waldur/service.js"
import type { DriftPolicies, OrderDeadlines } from "../config/index.js"
import type { EarlyReads } from "./early.js"
import type { OfferingHealth } from "./health.js"

export interface Offering {
  readonly id: OfferingId
  readonly name: string
  /** Milliseconds since 1970: what executed before, and is not in the journal, another agent may have begun. */
  readonly openedAt: number
  readonly waldur: WaldurService
  readonly backend: Backend<unknown>
  /** The plugin's name. */
  readonly backendType: string
  readonly health: OfferingHealth
  readonly deadlines: OrderDeadlines
  /** For the deadlines of its orders. */
  readonly alarms: Alarms
  /** What is done about differences between orders, kind by kind. */
  readonly drift: DriftPolicies
  /** Whether Waldur gets the details of a failure, beside the sentence for the customer. */
  readonly exposesErrorDetails: boolean
  /** From the configuration, or from Waldur where that says nothing. */
  readonly components: ReadonlyArray<Component>
  /** What the backend sells and measures. */
  readonly quantities: Plugin["quantities"]
  /** As Waldur has them at this moment: they win over the settings of the file. */
  readonly pluginOptions: Effect.Effect<Readonly<Record<string, unknown>>, SiteError>
  /** Looks after a backend id for some seconds: the marketplace may still lose it. Returns at once; gives up quietly. */
  readonly guardBackendId: (resource: ResourceId, backendId: string) => Effect.Effect<void>
  /** What events' looks have read of orders, for the attempts that follow at once. */
  readonly early: EarlyReads
  /** Tells Waldur what a resource used until its end, before that is told. Absent: nothing is billed by hours, or nobody reports. */
  readonly lastHours?: LastHours | undefined
  /** The organisation that sells it: its SSH keys are the ones that orders may name. Empty if Waldur does not say. */
  readonly providerCustomer: string
}

/** Completes when Waldur was told, or was not in time: never fails, and holds no order up for long. */
export type LastHours = (resource: ResourceId) => Effect.Effect<void>

/** The offerings of this process that are open by now. One whose marketplace is away at the start comes later, and delays no other. */
export class Offerings extends Context.Tag("site-actors/runtime/Offerings")<
  Offerings,
  Ref.Ref<ReadonlyMap<OfferingId, Offering>>
>() {
  static readonly layer = Layer.effect(Offerings, Ref.make<ReadonlyMap<OfferingId, Offering>>(new Map()))
}

/**
 * Where the connections of offerings live: below the actors, so that at the end these have stopped before their connections are cut.
 */
export class OfferingScope extends Context.Tag("site-actors/runtime/OfferingScope")<OfferingScope, Scope.Scope>() {
  static readonly layer = Layer.scoped(OfferingScope, Effect.scope)
}

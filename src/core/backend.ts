/**
 * The plugin contract: what a backend says of itself, and what the runtime gives it.
 *
 * A backend is one value, made by `defineBackend`: its type name, the schemas of its settings and of its orders' attributes, and
 * `open`, which gives the order handlers of one offering. A handler is written as a list of steps (`saga/steps.ts`) and returns what the
 * marketplace shall know (`Outcome`). It never writes a retry loop, a journal entry or a call to the marketplace.
 */
import { Context, Effect, Layer, type Option, ParseResult, type Redacted, Schema, type Scope } from "effect"
import type { Accounts } from "./accounts.js"
import { type Amounts, type Component, printable } from "./components.js"
import { OfferingFault, OrderRefused, type SiteError } from "./errors.js"
import type { Members } from "./members.js"
import type { Observation, SoughtResource } from "./observation.js"
import type {
  CreateRequest,
  OfferingId,
  OrderId,
  ProjectId,
  ResourceId,
  TerminateRequest,
  UpdateRequest
} from "./orders.js"
import type { ResourcePart } from "./parts.js"
import type { Steps } from "./saga/attempt.js"
import type { Reservations } from "./saga/journal.js"
import type { Parked } from "./saga/park.js"
import type { Noted } from "./saga/state.js"
import type { Upkeep } from "./upkeep.js"
import type { KnownResource, Quantity, Span, Usage } from "./usage.js"

/**
 * The version of this contract. It goes up when a plugin that was written for an older one would not do any more; a plugin names the one that
 * it was written for, and is not loaded by an agent of another.
 */
export const contractVersion = 1

/** What the marketplace is told when an order is done. */
export interface Outcome {
  /** The backend's identity of the resource: a number or another name that never changes. */
  readonly backendId?: string
  /** Shown to the customer. No secrets: those go into `issueSecrets`. Replaces what was there. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Actual amounts, in the backend's units, to be stored as the resource's limits. Absent: limits stay as ordered. */
  readonly amounts?: Amounts
  /** Addresses to be shown: Waldur takes those with http, https, ssh, rdp, ldap or ldaps; others belong into the metadata. */
  readonly endpoints?: ReadonlyArray<{ readonly name: string; readonly url: string }>
  /**
   * Makes secrets anew, the moment before they are shown: a password is set in the backend and comes back to be added to the
   * metadata. It is run again if it is not known whether the marketplace has got them. They are stored nowhere else.
   */
  readonly issueSecrets?: Effect.Effect<Readonly<Record<string, Redacted.Redacted>>, SiteError>
}

/** Stands in an order's attributes for one that handlers need and the journal must not have: `Marketplace.withheld` has it. */
export const withheld = "(not kept)"

/** What handlers may ask of the marketplace. Bound to one offering. */
export class Marketplace extends Context.Tag("site-actors/core/Marketplace")<
  Marketplace,
  {
    /** The public key behind a Waldur key uuid that an order names; `undefined` if the provider sees none such. */
    readonly sshKey: (uuid: string) => Effect.Effect<string | undefined, SiteError>
    /** An attribute of an order that is kept nowhere (`withheld`), as the marketplace has it; `undefined` if it has none. */
    readonly withheld: (order: OrderId, attribute: string) => Effect.Effect<unknown, SiteError>
    /**
     * The provider's resources in a project, whatever their offering: to check that what an order names belongs to its project. With `only`, a
     * resource's uuid, no others need be there: one small call, however many resources the project has.
     */
    readonly projectResources: (
      project: ProjectId,
      only?: string
    ) => Effect.Effect<ReadonlyArray<ProjectResource>, SiteError>
    /** For `foretelling`. It never fails: what did not come through is told at the end. Absent: all of it is. */
    readonly foretell?: (outcome: Outcome) => Effect.Effect<void>
  }
>() {}

export interface ProjectResource {
  readonly id: ResourceId
  readonly offering: OfferingId
  readonly name: string
  readonly backendId: string
  /** Waldur's state: `OK`, `Creating`, `Terminated`, ... */
  readonly state: string
}

/** What every handler may use, beside its backend's own services. */
export type HandlerServices = Steps | Reservations | Marketplace

/** One line of `site-actors check`. */
export interface CheckResult {
  /** What was looked at: "template 7", "network public (0)". */
  readonly subject: string
  readonly status: "ok" | "warning" | "failed"
  readonly detail: string
}

/** One offering's backend, opened: connections made, handlers ready. */
export interface Backend<Attributes> {
  readonly create: (request: CreateRequest<Attributes>) => Effect.Effect<Outcome, SiteError, HandlerServices>
  /**
   * What a create waits for that has come so far, by what its steps have noted: after a restart it is parked at once, without its handler, which would come
   * to the same. Calls nothing. None: its handler is run, as it is for every create if this is absent.
   */
  readonly waitsFor?: (noted: Noted) => Effect.Effect<Option.Option<Parked>>
  readonly update: (request: UpdateRequest) => Effect.Effect<Outcome, SiteError, HandlerServices>
  readonly terminate: (request: TerminateRequest) => Effect.Effect<Outcome, SiteError, HandlerServices>
  /** What is allocated now: one answer for each resource, from one look for all, however many. `pluginOptions`: the offering's. */
  readonly usage: (
    resources: ReadonlyArray<KnownResource>,
    pluginOptions: Readonly<Record<string, unknown>>
  ) => Effect.Effect<ReadonlyArray<Usage>, SiteError>
  /**
   * What adds up over each of the spans, oldest first: in their order, one answer for each resource, from one look for all. A span that has not
   * ended counts until now. Absent: the backend keeps no accounts.
   */
  readonly accounting?: (
    resources: ReadonlyArray<KnownResource>,
    spans: ReadonlyArray<Span>
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<Usage>>, SiteError>
  /** How each of them is, in the order of the question. One read of each pool for all, however many. */
  readonly observe: (resources: ReadonlyArray<SoughtResource>) => Effect.Effect<ReadonlyArray<Observation>, SiteError>
  /**
   * Keeps a resource to what was ordered where the backend itself does not, or lets it go again: what `observe` says in `toEnforce`. Under the
   * resource's lease, between its orders, written down, whatever the policy for differences. Looks for itself, and may be repeated.
   */
  readonly enforce?: (resource: KnownResource) => Effect.Effect<unknown, SiteError>
  /** What the resource is made of at this moment, for the page. Absent: the page shows what the journal knows. */
  readonly parts?: (resource: KnownResource) => Effect.Effect<ReadonlyArray<ResourcePart>, SiteError>
  /** Keys of a resource's metadata that its orders carry to the handlers: texts, and no secrets, as they go into the journal. */
  readonly keptMetadata?: ReadonlyArray<string>
  /**
   * What another agent has made of the same create order beside this one, where both could: its outcome, as far as it can be seen. Asked when that one has
   * said "done" first. Absent: a name, or the like, keeps two of them apart.
   */
  readonly another?: (
    request: CreateRequest<Attributes>,
    own: Outcome
  ) => Effect.Effect<Option.Option<Outcome>, SiteError>
  /** Pausing, mending, orphans, import and migration. */
  readonly upkeep?: Upkeep
  /** Who has access. Absent: this backend knows no people. */
  readonly members?: Members | undefined
  /** Accounts whose passwords the agent can renew. Absent: it makes none. */
  readonly accounts?: Accounts | undefined
  /**
   * The cheapest call that shows that orders can be carried out: asked before the first order, and while the offering is stopped, to see when it
   * is mended.
   */
  readonly ping: Effect.Effect<void, SiteError>
  /** Looks at everything that the settings name, for `site-actors check`. */
  readonly check: Effect.Effect<ReadonlyArray<CheckResult>>
}

/** What `open` is given about its offering. */
export interface OfferingContext<Settings> {
  readonly offering: OfferingId
  readonly name: string
  readonly settings: Settings
  /** The offering's components, for sentences and for what the backend does not have. */
  readonly components: ReadonlyArray<Component>
}

export interface BackendDefinition<Settings, SettingsEncoded, Attributes, AttributesEncoded, Shared> {
  /** The version of the contract that it is written for: `contract: 1`. */
  readonly contract: typeof contractVersion
  /** The plugin's name in the configuration (`backend_type`): lower case letters, digits and dashes. */
  readonly type: string
  /** Other ways in which a configuration may ask for it, such as the Python agent's `opennebula` with `resource_type: vm`. */
  readonly answersTo?: (backendType: string, settings: Readonly<Record<string, unknown>>) => boolean
  /** `backend_settings`. Secrets in it are `Schema.Redacted`. */
  readonly settings: Schema.Schema<Settings, SettingsEncoded>
  /** What a customer may write into a create order. A value that does not fit fails the order with the schema's own words. */
  readonly attributes: Schema.Schema<Attributes, AttributesEncoded>
  /** What it sells and measures: held against the offering's components. Absent: nothing is held against them. */
  readonly quantities?: ReadonlyArray<Quantity>
  /** Services that all offerings of this process share: connections, watchers. Built once, also when several plugins name it. */
  readonly shared: Layer.Layer<Shared>
  /** Its connections heed `rehearsal`: opened while that is set, they change nothing. Without it, `site-actors plan` leaves it out. */
  readonly rehearses?: boolean
  readonly open: (
    context: OfferingContext<Settings>
  ) => Effect.Effect<Backend<Attributes>, OfferingFault, Shared | Scope.Scope>
}

/** A backend as the registry holds it: its own types are closed over, everything from outside is decoded on the way in. */
export interface Plugin {
  /** What `contractVersion` was when it was written. */
  readonly contract: number
  readonly type: string
  readonly answersTo: (backendType: string, settings: Readonly<Record<string, unknown>>) => boolean
  readonly quantities: ReadonlyArray<Quantity> | undefined
  /** The encoded form of the settings, for validation with every error at once and for the generated reference. */
  readonly settings: Schema.Schema.AnyNoContext
  /** Whether a connection that is opened under `rehearsal` changes nothing. */
  readonly rehearses: boolean
  /** Opens it for one offering. `memoMap` makes services that several offerings share be built once. */
  readonly open: (
    context: OfferingContext<unknown>,
    memoMap: Layer.MemoMap
  ) => Effect.Effect<Backend<unknown>, OfferingFault, Scope.Scope>
}

/** Makes a plugin of a definition: a plugin's module exports what it gives as its default. */
export const defineBackend = <Settings, SettingsEncoded, Attributes, AttributesEncoded, Shared>(
  definition: BackendDefinition<Settings, SettingsEncoded, Attributes, AttributesEncoded, Shared>
): Plugin => ({
  contract: definition.contract,
  type: definition.type,
  answersTo: definition.answersTo ?? ((backendType) => backendType === definition.type),
  settings: definition.settings,
  rehearses: definition.rehearses ?? false,
  quantities: definition.quantities,
  open: (context, memoMap) =>
    Effect.gen(function* () {
      const settings = yield* Schema.decodeUnknown(definition.settings)(context.settings).pipe(
        Effect.mapError(
          (error) =>
            new OfferingFault({
              reason: `The backend_settings of offering "${context.name}" do not fit ${definition.type}.`,
              hint: ParseResult.TreeFormatter.formatErrorSync(error)
            })
        )
      )
      const scope = yield* Effect.scope
      const shared = yield* Layer.buildWithMemoMap(definition.shared, memoMap, scope)
      const backend = yield* Effect.provide(definition.open({ ...context, settings }), shared)
      const { another, create, ...rest } = backend
      const more =
        another === undefined
          ? {}
          : {
              another: (request: CreateRequest<unknown>, own: Outcome) =>
                Effect.flatMap(checked(definition.attributes, request), (decoded) => another(decoded, own))
            }
      // Left out by JavaScript, it stays away, so that the door sees it.
      if (typeof create !== "function") return { ...rest, ...more, create }
      return {
        ...rest,
        ...more,
        create: (request) => Effect.flatMap(checked(definition.attributes, request), create)
      }
    })
})

/** The request with its attributes decoded; what does not fit becomes one sentence for the customer. */
const checked = <Attributes, Encoded>(
  schema: Schema.Schema<Attributes, Encoded>,
  request: CreateRequest<unknown>
): Effect.Effect<CreateRequest<Attributes>, OrderRefused> =>
  Schema.decodeUnknown(schema)(request.attributes).pipe(
    Effect.map((attributes) => ({ ...request, attributes })),
    Effect.mapError((error) => {
      const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
      const where = issue === undefined ? "" : printable(issue.path.map(String).join("."))
      return new OrderRefused({
        customerMessage: `The order's ${where === "" ? "attributes are" : `"${where}" is`} not valid: ${issue?.message ?? error.message}`
      })
    })
  )

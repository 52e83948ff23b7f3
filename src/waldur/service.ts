/**
 * The Waldur service: what an agent asks of the marketplace, and tells it.
 *
 * Made by `makeWaldur` (`make.ts`), one per server and credentials. Uuids may be given in either spelling.
 *
 * Writes, and what happens to them if their outcome is unknown (time-out, reset, 5xx): every method here may be called again. Those that
 * set a value are repeated as they are; those that move an order look at it first, and again after a failure, and count it as success
 * if it is already where it should be.
 */
import { Context, type Effect, type Option } from "effect"
import type { NotYet, OfferingFault } from "../core/errors.js"
import type {
  ComponentUsage,
  Offering,
  OfferingUser,
  Order,
  Plan,
  ProviderResource,
  QueuedOrder,
  ReportedResource,
  SshKey,
  TeamMember,
  User
} from "./api/index.js"
import type { AgentCalls } from "./calls/identity.js"
import type { ImportCalls } from "./calls/imports.js"
import type { WaldurError } from "./errors.js"
import type { EventQueue, ObjectType } from "./events/types.js"
import type {
  AwaitExecutingOptions,
  ComponentRequest,
  Endpoint,
  Listed,
  Moved,
  OfferingUserMove,
  OrderFilter,
  ProbeResult,
  QueuePart,
  ResourceFilter,
  UsageReport,
  Written
} from "./shapes.js"

export interface WaldurService {
  /** Without credentials, ends in "/api/". */
  readonly apiUrl: string

  // Reading: repeated a few times on a transient failure.

  /** None where the agent's user may not ask (2024 recording 005: 403). */
  readonly version: Effect.Effect<Option.Option<string>, WaldurError>
  readonly me: Effect.Effect<User, WaldurError>
  /** A 404 here stops the offering: its uuid or the user's role is wrong. */
  readonly offering: (uuid: string) => Effect.Effect<Offering, WaldurError>
  /** Those whose provider's side the agent's user may see, in all states. */
  readonly offerings: Effect.Effect<Listed<Offering>, WaldurError>
  /** `marketplace-plans/{uuid}/`. With `offering`, a plan that is not found there is looked for among the offering's own. */
  readonly plan: (uuid: string, offering?: string) => Effect.Effect<Plan, WaldurError>
  /** Oldest first, no order twice. An order that changes while pages are read may be missing until the next look. */
  readonly orders: (filter: OrderFilter) => Effect.Effect<Listed<Order>, WaldurError>
  /** What waits for the provider or is in work, of one offering: the same, and as little of each as a look needs. */
  readonly queue: (offering: string, part?: QueuePart) => Effect.Effect<Listed<QueuedOrder>, WaldurError>
  readonly order: (uuid: string) => Effect.Effect<Order, WaldurError>
  /** `marketplace-provider-resources/{uuid}/`. */
  readonly resource: (uuid: string) => Effect.Effect<ProviderResource, WaldurError>
  readonly resources: (filter: ResourceFilter) => Effect.Effect<Listed<ProviderResource>, WaldurError>
  /** The same, and as little of each as a usage report needs. */
  readonly reportedResources: (filter: ResourceFilter) => Effect.Effect<Listed<ReportedResource>, WaldurError>
  /** People with access to the resource's project. */
  readonly team: (resource: string) => Effect.Effect<Listed<TeamMember>, WaldurError>
  /** The accounts that an offering's people have, or shall get. */
  readonly offeringUsers: (offering: string) => Effect.Effect<Listed<OfferingUser>, WaldurError>
  /** All SSH keys of the customers of a provider, given by its organisation. */
  readonly sshKeys: (providerCustomer: string) => Effect.Effect<Listed<SshKey>, WaldurError>
  /** An SSH key of the customers of a provider, given by its organisation (`Offering.customerUuid`); all pages are searched. */
  readonly sshKey: (providerCustomer: string, key: string) => Effect.Effect<Option.Option<SshKey>, WaldurError>
  /** `billingPeriod`: YYYY-MM-01. */
  readonly componentUsages: (
    resource: string,
    billingPeriod?: string
  ) => Effect.Effect<Listed<ComponentUsage>, WaldurError>
  /**
   * The same of all resources of an offering, by pages: `offering_uuid` stands in the published API. A server that does not know it gives those of
   * other offerings too: look at `resourceUuid`.
   */
  readonly offeringUsages: (
    offering: string,
    billingPeriod: string
  ) => Effect.Effect<Listed<ComponentUsage>, WaldurError>

  // Moving an order. 409 for an order that is already there is success; otherwise `WaldurConflict`.

  /** Success if the order waits for its start date, is executing, done or erred: it has been approved. */
  readonly approveByProvider: (order: string) => Effect.Effect<Moved, WaldurError>
  /**
   * Waits until an approved order executes, and until the server's background task is done with the resource, which would otherwise
   * overwrite its backend id. Returns the order **as it is then**: it may also be done (older servers finish a plan switch themselves,
   * 2024 recording 150), erred (2024 recording 100), canceled or rejected, or wait for its start date. Fails with `NotYet` at the deadline.
   */
  readonly awaitExecuting: (
    order: string,
    options?: AwaitExecutingOptions
  ) => Effect.Effect<Order, WaldurError | NotYet>
  /** Success if the order is done. */
  readonly setStateDone: (order: string) => Effect.Effect<Moved, WaldurError>
  /**
   * Looks first: sent only to an executing order, since on any other it would mark the **resource** erred (recording 186). Success if the
   * order is erred already; `WaldurConflict` for every other state: a pending order is approved first, a done one stays.
   *
   * @param message one sentence for the customer; cut at 2,000 characters
   * @param traceback for staff; cut at 10,000 characters
   */
  readonly setStateErred: (order: string, message: string, traceback?: string) => Effect.Effect<void, WaldurError>
  /** Takes an erred order up again. Success if it executes; `WaldurConflict` also if its resource has ended and this server cannot revive it. */
  readonly setStateExecuting: (order: string) => Effect.Effect<void, WaldurError>

  // Setting a value: repeated on a transient failure.

  /** Sets, and does not look whether it stays: for who looks later. */
  readonly putBackendId: (resource: string, backendId: string) => Effect.Effect<void, WaldurError>
  /**
   * Sets, reads back, and sets again if the server's background task has overwritten it (waldur: right after an approval), five times.
   * `NotYet` if it is lost even then. The task may still come later: look again with `keepBackendId`.
   */
  readonly setBackendId: (resource: string, backendId: string) => Effect.Effect<void, WaldurError | NotYet>
  /**
   * Does the server put something of its own behind the offering's resources? Then a task of its own may overwrite a backend id. None as long as no
   * resource that was read has told.
   */
  readonly setsScope: (offering: string) => Effect.Effect<Option.Option<boolean>, WaldurError>
  /** Reads, and sets only if it is another. True: it was as it should be. */
  readonly keepBackendId: (resource: string, backendId: string) => Effect.Effect<boolean, WaldurError | NotYet>
  /**
   * Servers of 2024 keep an allocation behind the resource, and let limits be changed only while that is `ok`, which it is not after a
   * create or an update until the agent says so (2024 recordings 100, 108, 118). `unsupported`: no such call, or no need.
   */
  readonly setScopeOk: (resource: string) => Effect.Effect<Written, WaldurError>
  readonly setOrderBackendId: (order: string, backendId: string) => Effect.Effect<Written, WaldurError>
  /**
   * In the offering's units; only components that the offering has, and none that is `fixed`: servers store anything, and break on it later.
   * Today's call first, then the older generation's; what works is remembered. `unsupported`: neither is for this resource.
   */
  readonly setLimits: (
    resource: string,
    limits: Readonly<Record<string, number>>
  ) => Effect.Effect<Written, WaldurError>
  readonly setBackendMetadata: (
    resource: string,
    metadata: Readonly<Record<string, unknown>>
  ) => Effect.Effect<void, WaldurError>
  readonly setEndpoints: (resource: string, endpoints: ReadonlyArray<Endpoint>) => Effect.Effect<Written, WaldurError>
  readonly setAsOk: (resource: string) => Effect.Effect<Written, WaldurError>
  readonly setAsErred: (resource: string, message?: string, traceback?: string) => Effect.Effect<Written, WaldurError>
  readonly refreshLastSync: (resource: string) => Effect.Effect<Written, WaldurError>
  /** The name of a person's account; with it, the account is usable. */
  readonly setOfferingUsername: (offeringUser: string, username: string) => Effect.Effect<void, WaldurError>
  /**
   * Says that an account is being made, that it cannot be, and why; or that it is being removed, and that it is gone. `unsupported`: it is in another
   * state, from which there is no way (somebody came back, say).
   */
  readonly setOfferingUserState: (
    offeringUser: string,
    state: OfferingUserMove,
    comment?: string
  ) => Effect.Effect<Written, WaldurError>
  readonly setUsage: (report: UsageReport) => Effect.Effect<void, WaldurError>
  /** Makes a component of an offering. Not repeated: a second one of the type is refused. */
  readonly createComponent: (offering: string, component: ComponentRequest) => Effect.Effect<void, WaldurError>
  readonly updateComponent: (
    offering: string,
    component: string,
    fields: ComponentRequest
  ) => Effect.Effect<void, WaldurError>

  /** The queue of an offering's events of one type, made if it is not there: by agent identity, subscription and queue. May be asked again. */
  readonly eventQueue: (
    offering: string,
    objectType: ObjectType,
    /** A login of it that the broker refuses, although it was asked for again: it is made anew. */
    refused?: string
  ) => Effect.Effect<EventQueue, WaldurError | OfferingFault>

  /**
   * The one queue of an offering's events of all these types (newer servers' `register_queue`), made if it is not there, and held to them if
   * it is. A server without it answers 404; one whose queue belongs to another user `WaldurConflict`.
   */
  readonly oneEventQueue: (
    offering: string,
    objectTypes: ReadonlyArray<ObjectType>
  ) => Effect.Effect<EventQueue, WaldurError | OfferingFault>

  /** What the agent says of itself. */
  readonly agent: AgentCalls

  /** What an agent does so that objects of the backend can be imported. */
  readonly imports: ImportCalls

  /** Whether the credentials can do what an agent does with this offering. Never fails; changes nothing. */
  readonly probe: (offering: string) => Effect.Effect<ReadonlyArray<ProbeResult>>
}

/** The marketplace. One layer per server; a process with several servers holds several `WaldurService` values instead. */
export class Waldur extends Context.Tag("site-actors/Waldur")<Waldur, WaldurService>() {}

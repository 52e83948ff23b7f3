/**
 * The plugin contract: `site-actors/plugin`. All that a backend needs, and nothing else.
 *
 * A backend is one value, made by `defineBackend` and exported as the module's default: its name, the schemas of its settings and of what a
 * customer may order, and `open`, which connects and gives the handlers of one offering. A handler is a list of steps, in the order in
 * which things happen, and returns an `Outcome`. The runtime does the rest: one order of a resource at a time, a journal entry before and
 * after each step, retries, the undo, and everything that has to do with the marketplace. So a handler has no retry loop and no journal;
 * it sees only its own offering's settings, and what it makes is its own by the owner tag that it writes into it.
 *
 * Read in this order: `BackendDefinition` and `Backend`, the steps `make`, `ensure` and `decide`, the errors. All else is for when it is
 * needed. `site-actors/plugin/testing` has the kit that runs a backend through crashes; docs/write-a-backend.md begins one.
 *
 * @module site-actors/plugin
 */

// What a backend says of itself, and what it is given.

export {
  type Backend,
  type BackendDefinition,
  type CheckResult,
  contractVersion,
  defineBackend,
  type HandlerServices,
  Marketplace,
  type OfferingContext,
  type Outcome,
  type Plugin,
  type ProjectResource,
  withheld
} from "../core/backend.js"

// Orders and resources.

export {
  type CreateRequest,
  OfferingId,
  OrderId,
  type OrderRequest,
  ProjectId,
  type Resource,
  ResourceId,
  type TerminateRequest,
  type UpdateRequest
} from "../core/orders.js"

// Steps: what must not be lost and must not happen twice. `stillOurs`, `timeLeft`, `timeLeftOf` and `Steps` are for what goes on for long. `ownMark` and `makerOf`: which
// agent has made something, where two work on one offering by mistake.

export { stillOurs } from "../core/calls/gate.js"
export { foretelling } from "../core/foretelling.js"
export { mayBeBegunElsewhere, Steps } from "../core/saga/attempt.js"
export { isFirstCall, type Maker, makerOf, ownMark } from "../core/saga/marks.js"
export { Parked, parksAfter } from "../core/saga/park.js"
export type { Noted } from "../core/saga/state.js"
export { decide, type Ensure, ensure, ensureDone, type Make, make } from "../core/saga/steps.js"
export { timeLeft, timeLeftOf } from "../core/saga/timeLeft.js"
export type { IsOthers, StepError } from "../core/saga/whose.js"

// Errors. Each says by its `disposition` what follows from it.

export {
  codeOf,
  type Disposition,
  NotYet,
  OfferingFault,
  OrderRefused,
  RivalAtWork,
  type SiteError
} from "../core/errors.js"
export type { JournalError } from "../core/saga/journal.js"

// Units, and what is measured. Amounts are always in the backend's units.

export { type Amounts, type Component, largestAmount, printable } from "../core/components.js"
export { byComponent, type KnownResource, type Quantity, quantityOf, type Span, type Usage } from "../core/usage.js"

// Between orders: is it still as it was ordered? Optional beyond `observe`.

export {
  type DriftKind,
  type ExpectedResource,
  type Finding,
  foreign,
  missing,
  type Observation,
  present,
  type SoughtResource,
  Standing,
  type StandingFound
} from "../core/observation.js"
export { partKey, type ResourcePart } from "../core/parts.js"
export { testedResource } from "../core/tested.js"
export type { FailedCreate, Importable, OwnedObject, Resolution, Upkeep } from "../core/upkeep.js"

// People: who has access, and passwords. Optional.

export type { Accounts, NewPassword, StoredPassword } from "../core/accounts.js"
export type {
  AccessChange,
  AccessPlan,
  AccessProblem,
  AccessQuestion,
  Member,
  Members,
  Team,
  TeamPlan
} from "../core/members.js"

// Numbers of which no two resources may have the same, such as subnets or ports.

export { type Range, Reservations } from "../core/saga/journal.js"

// For clients of a backend's API: calls that are shown and measured, waits that leave their place, rehearsals that change nothing.

export { type ObservedCall, observed } from "../core/calls/observed.js"
export { type PlannedCall, rehearsal } from "../core/calls/rehearsal.js"
export { steadyMillis, upToSteadily } from "../core/lean/elapsed.js"
export { aside } from "../core/saga/place.js"

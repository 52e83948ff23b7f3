/** Orders: all of them in pages, and one as a timeline. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Schema } from "effect"
import { ActionKind } from "./action-kinds.js"
import { Length, Millis, pageOf, pageParams, Refused, search, Unavailable, Unknown, Uuid } from "./common.js"
import { Known } from "./session.js"

export const OrderType = Schema.Literal("Create", "Update", "Terminate", "Restore")
export type OrderType = typeof OrderType.Type

/** `waits`: its last attempt broke off, the next one comes. `undoing`: it has failed, and what it did is being taken back. */
export const OrderState = Schema.Literal("executing", "waits", "undoing", "quarantined", "done", "erred")
export type OrderState = typeof OrderState.Type

export const OrderRow = Schema.Struct({
  order: Schema.String,
  resource: Schema.String,
  /** The customer's label of the resource: any text. */
  name: Schema.String,
  offering: Schema.String,
  offeringName: Schema.String,
  /** `null`: the order could not be understood. */
  type: Schema.NullOr(OrderType),
  state: OrderState,
  /** When it was (last) accepted. */
  accepted: Millis,
  /** When it was done or had erred. */
  ended: Schema.NullOr(Millis),
  lastAt: Millis,
  /** The last step, or what went wrong: one line. */
  last: Schema.String,
  /** How often an attempt broke off. */
  retries: Schema.Int
})
export type OrderRow = typeof OrderRow.Type

/** `open`: not ended; `ended`: done or erred. */
export const OrderFilter = Schema.Union(OrderState, Schema.Literal("open", "ended"))
export type OrderFilter = typeof OrderFilter.Type

/** What the bar shows. `waiting`: between two attempts at the step. */
export const BarKind = Schema.Literal("doing", "waiting", "undoing")

export const Bar = Schema.Struct({
  kind: BarKind,
  from: Millis,
  /** `null`: it goes on. */
  to: Schema.NullOr(Millis),
  /**
   * `adopted`: found as an earlier attempt had left it. `failed`: refused for good. `interrupted`: it broke off, and will be tried again.
   * `null`: it goes on, or is a wait.
   */
  outcome: Schema.NullOr(Schema.Literal("finished", "adopted", "failed", "interrupted", "undone", "undo-failed")),
  /** What went wrong, in the server's words; empty if nothing did. */
  error: Schema.String
})
export type Bar = typeof Bar.Type

export const StepStatus = Schema.Literal(
  "in work",
  "finished",
  "adopted",
  "failed",
  "waits",
  "undoing",
  "undone",
  "left over"
)

export const Call = Schema.Struct({
  /** When it was sent. */
  at: Millis,
  /** The step that it was made in; `null`: none. */
  step: Schema.NullOr(Schema.String),
  /** `opennebula`, `waldur`, `keycloak`. */
  system: Schema.String,
  /** `one.vm.info`, `POST marketplace-orders/{uuid}/set_state_done/`. */
  call: Schema.String,
  /** Ids it was about: "100". */
  about: Schema.String,
  ms: Length,
  /** `ok`, or the kind of error. */
  outcome: Schema.String
})
export type Call = typeof Call.Type

export const Step = Schema.Struct({
  /** In the backend's words: "group". Unique within the order. */
  name: Schema.String,
  status: StepStatus,
  /** Oldest first; they do not overlap. */
  bars: Schema.Array(Bar),
  /** What the step remembers, as one line: "105"; empty if nothing. */
  result: Schema.String,
  /** How many of the order's `calls` are this step's. */
  calls: Schema.Int
})
export type Step = typeof Step.Type

/** What concerns the order as a whole, to be marked on the timeline. */
export const Mark = Schema.Struct({
  at: Millis,
  /** `accepted`, `failed`, `quarantined`, `resumed`, `cancel`, `undone`, `done`, `erred`. */
  event: Schema.String,
  text: Schema.String
})

export type Mark = typeof Mark.Type

/** The next thing that will happen. */
export const Next = Schema.Struct({
  /** One sentence. */
  what: Schema.String,
  /** When; `null`: when something else has happened, or never. */
  at: Schema.NullOr(Millis)
})
export type Next = typeof Next.Type

export const Amount = Schema.Struct({
  /** The component's key: `cpu`. */
  component: Schema.String,
  name: Schema.String,
  /** The offering's unit: "GB". */
  unit: Schema.String,
  amount: Schema.Number
})

export const OrderDetail = Schema.Struct({
  ...OrderRow.fields,
  now: Millis,
  project: Schema.String,
  /** What the resource shall have, as the order was understood. */
  amounts: Schema.Array(Amount),
  /** When it is given up and undone if it is not finished by then; `null`: never, or it has ended. Moves on while a server is away. */
  deadline: Schema.NullOr(Millis),
  next: Next,
  /** What the customer was told when it failed, and the details that only operators see. */
  refusal: Schema.NullOr(Schema.Struct({ customerMessage: Schema.String, detail: Schema.String })),
  /** How often it was taken up anew after it had erred. `steps` and `marks` are those of the last time. */
  earlierRounds: Schema.Int,
  steps: Schema.Array(Step),
  marks: Schema.Array(Mark),
  /** Calls that were made for it by this process, oldest first, the last 500: they live in memory, the steps in the journal. */
  calls: Schema.Array(Call),
  /** Calls that are not shown any more, or were made before this process started and are not known: then true. */
  callsMissing: Schema.Boolean,
  leftovers: Schema.Array(Schema.Struct({ step: Schema.String, reason: Schema.String, since: Millis })),
  /** What may be done about it now, by those who may. */
  actions: Schema.Array(ActionKind)
})
export type OrderDetail = typeof OrderDetail.Type

export const orders = HttpApiGroup.make("orders")
  /** The newest first. */
  .add(
    HttpApiEndpoint.get("list", "/api/orders")
      .setUrlParams(
        Schema.Struct({
          ...pageParams,
          offering: Schema.optional(Uuid),
          resource: Schema.optional(Uuid),
          state: Schema.optional(OrderFilter),
          type: Schema.optional(OrderType),
          search
        })
      )
      .addSuccess(pageOf(OrderRow))
      .addError(Refused)
      .addError(Unavailable)
  )
  .add(
    HttpApiEndpoint.get("order")`/api/orders/${HttpApiSchema.param("order", Uuid)}`
      .addSuccess(OrderDetail)
      .addError(Unknown)
      .addError(Unavailable)
  )
  .middleware(Known)

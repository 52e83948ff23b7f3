/** What the bench and the simulators' process say to each other: one JSON message a command, one an answer. */
import { Schema } from "effect"

/** ms since 1970, with fractions. */
const Moment = Schema.Number

export const Open = Schema.Struct({
  /** Whether calls take what they take a real front-end, and machines what they take to boot; otherwise no time at all. */
  frontEndTimes: Schema.Boolean,
  /** What a call to the marketplace takes, in ms. */
  marketplaceMillis: Schema.Number,
  /** Rather than that: what a machine takes to boot, in ms. */
  bootMillis: Schema.optional(Schema.Number)
})
export type Open = typeof Open.Type

export const Opened = Schema.Struct({
  pid: Schema.Int,
  cloudUrl: Schema.String,
  session: Schema.String,
  waldurUrl: Schema.String,
  agentToken: Schema.String,
  vdcOffering: Schema.String,
  vmOffering: Schema.String
})
export type Opened = typeof Opened.Type

/** One call, from its arrival to its answer, as the server saw it. */
export const SeenCall = Schema.Struct({
  system: Schema.Literal("opennebula", "waldur"),
  /** `one.vm.info`, `GET marketplace-orders/{uuid}/`. */
  name: Schema.String,
  from: Moment,
  to: Moment
})
export type SeenCall = typeof SeenCall.Type

export const EndedOrder = Schema.Struct({
  order: Schema.String,
  resource: Schema.String,
  backendId: Schema.String,
  state: Schema.String,
  error: Schema.String,
  placed: Moment,
  ended: Moment
})
export type EndedOrder = typeof EndedOrder.Type

/** Some machine was on its way up or down, or some network on its way out: what the backend takes although no call waits for it. */
export const Wait = Schema.Struct({ from: Moment, to: Moment })
export type Wait = typeof Wait.Type

const Orders = Schema.Array(Schema.String)

export interface Command<A, AI, B, BI> {
  readonly name: string
  readonly given: Schema.Schema<A, AI>
  readonly answer: Schema.Schema<B, BI>
}
const command = <A, AI, B, BI>(
  name: string,
  given: Schema.Schema<A, AI>,
  answer: Schema.Schema<B, BI>
): Command<A, AI, B, BI> => ({
  name,
  given,
  answer
})

export const commands = {
  open: command("open", Open, Opened),
  /** So many data centres on both sides, as if they had been ordered long ago. */
  dataCentres: command("dataCentres", Schema.Int, Schema.Null),
  /** So many running machines on both sides, spread over the data centres. */
  machines: command("machines", Schema.Int, Schema.Null),
  /** Places orders: gives their uuids. */
  orderVdcs: command("orderVdcs", Schema.Int, Orders),
  orderVms: command("orderVms", Schema.Int, Orders),
  /** Of resources, by uuid. */
  resizeVms: command("resizeVms", Schema.Array(Schema.String), Orders),
  terminate: command("terminate", Schema.Array(Schema.String), Orders),
  /** Answers when all have ended. */
  ended: command("ended", Orders, Schema.Array(EndedOrder)),
  countEnded: command("countEnded", Orders, Schema.Int),
  /** Forgets the calls seen so far. */
  forgetCalls: command("forgetCalls", Schema.Null, Schema.Null),
  calls: command("calls", Schema.Null, Schema.Array(SeenCall)),
  /** Name -> how many. */
  callCounts: command("callCounts", Schema.Null, Schema.Record({ key: Schema.String, value: Schema.Int })),
  /** Of how many different machines it was asked how they are, by their ids. */
  countMachines: command("countMachines", Schema.Null, Schema.Int),
  /** From now on, looks each millisecond whether something is on its way. */
  watchWaits: command("watchWaits", Schema.Null, Schema.Null),
  /** What was seen, and no more of it. */
  waits: command("waits", Schema.Null, Schema.Array(Wait))
}
export const Asked = Schema.Struct({ id: Schema.Int, name: Schema.String, given: Schema.Unknown })
export const Answered = Schema.Struct({
  id: Schema.Int,
  answer: Schema.optional(Schema.Unknown),
  failed: Schema.optional(Schema.String)
})

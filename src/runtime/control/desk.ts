/** The agent's side of `requests.ts`: looks every second, does what is asked, writes down what came of it. */
import { Cause, Effect, Either, Ref, Schema } from "effect"
import { countOf, OrderId, ResourceId } from "../../core/index.js"
import { Bells } from "../actors/bells.js"
import { Quarantine } from "../actors/quarantine.js"
import { Journal, sinceAccepted } from "../journal/journal.js"
import { LogLevelsInUse } from "../logs/index.js"
import { Offerings } from "../offerings/offering.js"
import { openBeside } from "../orders/beside.js"
import { stateIn } from "../orders/story.js"
import { requestRound } from "../schedules.js"
import { acceptedOffering, resourceOf } from "./accepted.js"
import { audited, type Deed } from "./audit.js"
import { tryLeftovers } from "./leftovers.js"
import { type Answer, type ControlRequest, settle, waiting } from "./requests.js"

export const done = (outcome: string): Answer => ({ ok: true, outcome })
export const not = (outcome: string): Answer => ({ ok: false, outcome })

const handleAll = (requests: ReadonlyArray<ControlRequest>) =>
  Effect.forEach(
    requests,
    (request) => Effect.flatMap(audited(deedOf(request), handled(request)), (answer) => settle(request.id, answer)),
    { discard: true }
  )

/** As the page calls it (`api/actions.ts`). */
const kinds: Readonly<Record<string, string>> = { leftovers: "remove-leftovers", look: "reconcile" }

/** Whoever may write into the journal's file may do everything. */
const deedOf = ({ kind, subject }: ControlRequest): Deed => ({
  who: "command line",
  role: "operator",
  by: "command line",
  kind: kinds[kind] ?? kind,
  // Of all parts: "=debug".
  subject: subject.replace(/^=/, ""),
  detail: ""
})

/** Never ends, never fails. Requests are handled one after the other: they are few. */
export const attendDesk = waiting.pipe(
  Effect.flatMap(handleAll),
  Effect.catchAll((error) => Effect.logDebug(`Requests cannot be looked at: ${error.message}`)),
  Effect.repeat(requestRound),
  Effect.asVoid
)

function handled(request: ControlRequest) {
  return Effect.gen(function* () {
    switch (request.kind) {
      case "retry":
        return Schema.is(OrderId)(request.subject) ? yield* retry(request.subject) : not("That is no order's uuid.")
      case "leftovers":
        return yield* leftovers(Schema.is(OrderId)(request.subject) ? request.subject : undefined)
      case "release":
        return Schema.is(ResourceId)(request.subject)
          ? yield* release(request.subject)
          : not("That is no resource's uuid.")
      case "look":
        return yield* look
      case "members":
        return yield* members
      case "log-level":
        return Either.match((yield* LogLevelsInUse).change(request.subject), { onLeft: not, onRight: done })
      default:
        return not(`This agent does not know how to ${request.kind}.`)
    }
  }).pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.interrupt
        : Effect.as(Effect.logWarning("A request could not be handled", cause), not(reasonOf(cause)))
    )
  )
}

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const failure = Cause.squash(cause)
  return failure instanceof Error ? failure.message : String(failure)
}

/** The offerings that are open here. Each is looked after by one process, which need not be this one. */
const openOfferings = Effect.map(Effect.flatMap(Offerings, Ref.get), (open) => [...open.keys()])

/** Has every offering look at its queue now, however rarely it looks otherwise. */
export const lookForOrders = Effect.gen(function* () {
  const bells = yield* Bells
  yield* Effect.forEach(yield* openOfferings, bells.lookForOrders, { concurrency: "unbounded", discard: true })
})

export const release = (resource: ResourceId) =>
  Effect.gen(function* () {
    if (!(yield* (yield* Bells).release(resource))) return not("This resource is not in quarantine.")
    yield* lookForOrders
    return done("Released: its order is taken up again at the next look at the queue.")
  })

const members = Effect.gen(function* () {
  const bells = yield* Bells
  const asked = yield* Effect.forEach(yield* openOfferings, bells.syncMembers, { concurrency: "unbounded" })
  const rounds = asked.filter((settled) => settled !== undefined)
  if (rounds.length === 0)
    return not("No offering of the running agent has membership_sync_backend (or none is open yet).")
  return rounds.every((settled) => settled)
    ? done("Members are synchronised. Whoever has no access all the same is named in the log, with the reason.")
    : not("Not all could be done now. The agent's log says what stood in the way; --dry-run shows what is left.")
})

export const look = Effect.gen(function* () {
  const bells = yield* Bells
  const looked = yield* Effect.forEach(yield* openOfferings, bells.lookAtAll, { concurrency: "unbounded" })
  const asked = looked.filter((is) => is).length
  return asked === 0
    ? not("No offering is looked at (yet): see the log.")
    : done(
        `${countOf(asked, "offering is", "offerings are")} looked at now; \`site-actors drift\` shows what is found.`
      )
})

export const leftovers = (only: OrderId | undefined) =>
  Effect.gen(function* () {
    const tried = yield* tryLeftovers(only)
    if (tried.length === 0) return done("Nothing is left over.")
    const said = tried.map(({ order, undone }) => `order ${order}: ${undone}`).join("; ")
    const settled = tried.every(({ undone }) => undone === "gone" || undone === "overtaken")
    return settled ? done(`Undone: ${said}.`) : not(`Not all could be undone: ${said}.`)
  })

export const retry = (order: OrderId) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const story = yield* journal.story(order)
    const id = yield* acceptedOffering(order)
    const offering = id === undefined ? undefined : (yield* Ref.get(yield* Offerings)).get(id)
    if (story.length === 0) return not("The journal does not know this order.")
    if (offering === undefined) return not("The offering of this order is not open (yet): see the log.")
    const held = (yield* (yield* Quarantine).all).find((entry) => entry.order === order)
    const resource = yield* resourceOf(order)
    if (held !== undefined) return yield* release(held.resource)
    switch (stateIn(sinceAccepted(story))) {
      case "done":
        return not("The order is done: there is nothing to retry.")
      case "erred": {
        const next = resource === undefined ? undefined : yield* openBeside(offering, order, resource)
        if (next !== undefined)
          return not(
            `Its resource has another order by now (${next.uuid}, ${next.type}, ${next.state}): this one can be taken up again when that one has ended.`
          )
        const left = yield* tryLeftovers(order)
        if (left.some(({ undone }) => undone !== "gone" && undone !== "overtaken")) {
          return not("Something of its first attempt is left over and cannot be undone: see `site-actors leftovers`.")
        }
        yield* offering.waldur.setStateExecuting(order)
        yield* lookForOrders
        return done("Waldur has it as executing again: it is taken up anew at the next look at the queue.")
      }
      default:
        return resource !== undefined && (yield* (yield* Bells).wake(resource, order))
          ? done("Woken: it is tried again now.")
          : done("It does not rest: it is at work, or waits for an offering or a server (see the log).")
    }
  })

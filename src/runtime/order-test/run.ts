/** The test itself: create, change, terminate, each an order as a customer places it. */
import { Effect } from "effect"
import type { EndedOrder } from "../demo/customer.js"
import { ordersInTurn } from "../demo/live.js"
import type { Stage } from "./stage.js"

export interface Tried {
  readonly operation: "create" | "change" | "terminate"
  readonly state: string
  readonly milliseconds: number
  /** What came of it, or the sentence that a customer would read. */
  readonly remark: string
}

/** `keep`: the resource stays. What was made is ended also when the change fails; a create that fails leaves nothing by itself. */
export const tryOrder = ({ customer, wish, change }: Stage, keep: boolean) =>
  Effect.gen(function* () {
    const tried: Array<Tried> = []
    const total = 1 + (change === undefined ? 0 : 1) + (keep ? 0 : 1)
    const tellOf = yield* ordersInTurn("test order", total)
    const begin = (operation: Tried["operation"]) => tellOf(operation, tried.length)
    const note = (operation: Tried["operation"], ended: EndedOrder) =>
      Effect.map(customer.resource(ended.resource), (resource) => {
        const remark =
          ended.state === "done" ? `resource ${resource.state}, backend id ${resource.backend_id ?? ""}` : ended.error
        tried.push({ operation, state: ended.state, milliseconds: ended.milliseconds, remark })
        return ended
      })
    yield* begin("create")
    const created = yield* Effect.flatMap(customer.create(wish), (ended) => note("create", ended))
    if (created.state !== "done") return tried
    if (change !== undefined) {
      yield* begin("change")
      const changing =
        change.by === "limits"
          ? customer.updateLimits(created.resource, change.limits)
          : customer.switchPlan(created.resource, wish.offering, change.plan)
      yield* Effect.flatMap(changing, (ended) => note("change", ended))
    }
    if (!keep) yield* begin("terminate")
    if (!keep) yield* Effect.flatMap(customer.terminate(created.resource), (ended) => note("terminate", ended))
    return tried
  })

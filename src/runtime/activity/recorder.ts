/** What the page shows of calls: figures over time, and the calls that each order made. In memory, of this process alone, bounded. */
import { Context, Effect, HashMap, Layer, Option } from "effect"
import type { Call } from "../../api/index.js"
import type { CallBeginning, CallUnderWay, ObservedCall } from "../../core/index.js"
import { CallWindows } from "./windows.js"

/** Orders of which the calls are kept: the last ones that made any. */
const ordersKept = 500
const callsKept = 500

export class Recorder extends Context.Tag("site-actors/runtime/Recorder")<
  Recorder,
  {
    /** When it began to record: ms since 1970. */
    readonly began: number
    readonly windows: CallWindows
    /** Notes a call that has just ended; whose it was is told by the annotations of its log lines. */
    readonly note: (call: ObservedCall) => Effect.Effect<void>
    /** Notes a call that has begun, until what it gives is run. */
    readonly begin: CallBeginning
    /** The calls that have begun and not ended, the oldest first. `since`: ms since 1970. */
    readonly underWay: () => ReadonlyArray<CallUnderWay & { readonly since: number }>
    /** `missing`: there were more, which are forgotten. */
    readonly callsOf: (order: string) => { readonly calls: ReadonlyArray<Call>; readonly missing: boolean }
  }
>() {
  static readonly layer = Layer.effect(
    Recorder,
    Effect.map(Effect.clock, (clock) => {
      const began = clock.unsafeCurrentTimeMillis()
      const windows = new CallWindows()
      const begun = new Set<CallUnderWay & { readonly since: number }>()
      const orders = new Map<string, { calls: Array<Call>; missing: boolean }>()
      const keep = (order: string, call: Call) => {
        const own = orders.get(order) ?? { calls: [], missing: false }
        // To the end: the first one in the map is the one that was silent longest.
        orders.delete(order)
        orders.set(order, own)
        own.calls.push(call)
        if (own.calls.length > callsKept) {
          own.calls.shift()
          own.missing = true
        }
        const [oldest] = orders.keys()
        if (orders.size > ordersKept && oldest !== undefined) orders.delete(oldest)
      }
      return {
        began,
        windows,
        begin: (call) =>
          Effect.sync(() => {
            const own = { ...call, since: clock.unsafeCurrentTimeMillis() }
            begun.add(own)
            return Effect.sync(() => void begun.delete(own))
          }),
        underWay: () => [...begun],
        note: (call) =>
          Effect.map(Effect.logAnnotations, (annotations) => {
            const now = clock.unsafeCurrentTimeMillis()
            windows.add(call.system, now, call.milliseconds, call.outcome === "ok")
            const { order, step } = whoseCall(annotations)
            if (order === undefined) return
            keep(order, {
              at: Math.round(now - call.milliseconds),
              step,
              system: call.system,
              call: call.call,
              about: call.about,
              ms: Math.round(call.milliseconds * 10) / 10,
              outcome: call.outcome
            })
          }),
        callsOf: (order) => orders.get(order) ?? { calls: [], missing: false }
      }
    })
  )
}

/** The order and the step around a call, as the lines that are logged there say (`runtime/orders/process.ts`, `core/saga/perform.ts`). */
const whoseCall = (
  annotations: HashMap.HashMap<string, unknown>
): { readonly order: string | undefined; readonly step: string | null } => {
  const textOf = (name: string) => {
    const value = Option.getOrUndefined(HashMap.get(annotations, name))
    return typeof value === "string" ? value : undefined
  }
  return { order: textOf("order"), step: textOf("step") ?? null }
}

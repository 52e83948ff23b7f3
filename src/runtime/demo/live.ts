/** Prints what the agent does while it does it: one line a call, a step's name when it begins. */
import { Clock, Console, Effect, PubSub, Queue } from "effect"
import { Activities, type Activity } from "../activity.js"
import { tell } from "../progress.js"
import { padded } from "../terminal/cells.js"

export interface LiveOptions {
  readonly colours: boolean
}

/**
 * Runs the agent and prints what it does, both until the scope closes. What comes often and says little (looking at the queue) is left out, and so are
 * the calls that the agent's own end breaks off: by then the last word has been said.
 */
export const printLive = <E, R>(agent: Effect.Effect<unknown, E, R>, options: LiveOptions) =>
  Effect.gen(function* () {
    const activities = yield* PubSub.subscribe(yield* Activities)
    const began = yield* Clock.currentTimeMillis
    const print = Effect.gen(function* () {
      const activity = yield* Queue.take(activities)
      const text = line(activity, options)
      const at = (((yield* Clock.currentTimeMillis) - began) / 1000).toFixed(3).padStart(8)
      if (text !== undefined) yield* Console.log(`${at}  ${text}`)
    })
    yield* Effect.forkScoped(agent)
    // After the agent, so that it ends before it.
    yield* Effect.forkScoped(Effect.forever(print))
  })

/**
 * A bar of orders that are placed one after the other, with the step in work beside it: a machine that boots takes minutes. Gives what tells
 * that the next one begins, after so many.
 */
export const ordersInTurn = (what: string, total: number) =>
  Effect.gen(function* () {
    const activities = yield* PubSub.subscribe(yield* Activities)
    let order = ""
    let done = 0
    yield* Queue.take(activities).pipe(
      Effect.tap((activity) =>
        activity._tag === "Step" && activity.event === "started"
          ? tell({ what, done, total, now: `${order}: ${activity.step}` })
          : Effect.void
      ),
      Effect.forever,
      Effect.forkScoped
    )
    return (next: string, before: number) => {
      order = next
      done = before
      return tell({ what, done, total, now: next })
    }
  })

const looking = new Set([
  "GET marketplace-orders/",
  "GET marketplace-orders/{uuid}/",
  "GET marketplace-provider-offerings/{uuid}/"
])

const line = (activity: Activity, { colours }: LiveOptions): string | undefined => {
  const dim = (text: string) => (colours ? `\u001b[2m${text}\u001b[0m` : text)
  switch (activity._tag) {
    case "Call": {
      if (looking.has(activity.call) && activity.outcome === "ok") return undefined
      const took = `${activity.milliseconds.toFixed(0).padStart(4)} ms`
      const call = padded(`${activity.call} ${activity.about}`.trimEnd(), 66)
      return `  ${dim(activity.system.padEnd(10))}  ${call}  ${dim(took)}  ${activity.outcome === "ok" ? "" : activity.outcome}`.trimEnd()
    }
    case "Order":
      return `order ${activity.event}${activity.detail === undefined ? "" : `: ${activity.detail}`}`
    case "Offering":
      return `offering ${activity.event}${activity.detail === undefined ? "" : `: ${activity.detail}`}`
    case "Deed":
    case "Look":
    case "Step":
      return undefined
  }
}

/**
 * Tells the page what has changed, four times a second at most. One look at the journal for all who watch; whoever cannot keep up is cut off,
 * comes again by itself, and asks for everything.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlClient } from "@effect/sql"
import {
  Clock,
  Context,
  Duration,
  Effect,
  Layer,
  Mailbox,
  Option,
  PubSub,
  Queue,
  Ref,
  Schema,
  type Scope,
  Stream,
  SubscriptionRef
} from "effect"
import { type LiveEvent, LiveEventJson, Unavailable } from "../../api/index.js"
import { Activities, type Activity } from "../activity.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config } from "../config/index.js"
import { Offerings } from "../offerings/offering.js"
import { Pausings } from "../offerings/pausings.js"
import { Placement } from "../placement/index.js"
import { version } from "../version.js"
import { namesOf } from "../views/facts.js"
import { orderRows } from "../views/orders.js"
import { makeLookAtOthers } from "./others.js"
import { Visitors } from "./visitor.js"

const heartbeat = Duration.seconds(10)
/** How long changes are gathered. */
const gather = Duration.millis(250)
/** Orders and resources that are named in one event; beyond that, `more` says so. */
const mostNamed = 100
/** Events that wait for one watcher. */
const mostWaiting = 64
const mostWatchers = 50
/** How often it is looked whether a watcher is still known. */
const stillKnown = Duration.seconds(5)

interface Pending {
  readonly orders: Set<string>
  readonly resources: Set<string>
  overview: boolean
  more: boolean
}
const nothing = (): Pending => ({ orders: new Set(), resources: new Set(), overview: false, more: false })

const isNothing = ({ more, orders, overview, resources }: Pending): boolean =>
  orders.size === 0 && resources.size === 0 && !overview && !more

const note = (pending: Pending, activity: Activity): void => {
  switch (activity._tag) {
    case "Call":
      return
    case "Order":
    case "Step":
      pending.orders.add(activity.order)
      pending.resources.add(activity.resource)
      pending.overview ||= activity._tag === "Order" || activity.step === "order"
      return
    // What it changed may be anywhere, and may be undone again before anybody looks: no fingerprint would tell.
    case "Deed":
    case "Look":
      pending.overview = true
      pending.more = true
      return
    case "Offering":
      pending.overview = true
  }
}

type Text = string

export class Live extends Context.Tag("site-actors/runtime/Live")<
  Live,
  {
    /** The events of one watcher, for as long as the scope lasts. */
    readonly watch: Effect.Effect<Stream.Stream<Text>, Unavailable, Scope.Scope>
    /** Says goodbye to all, and waits a second at most for it to be heard. To be called before the server closes. */
    readonly end: Effect.Effect<void>
  }
>() {
  static readonly layer = (config: Config) => Layer.scoped(Live, make(config))
}

const textOf = (event: LiveEvent): Effect.Effect<Text> =>
  Effect.map(Effect.orDie(Schema.encode(LiveEventJson)(event)), (json) => `data: ${json}\n\n`)

/** What the overview shows of offerings that nobody publishes: seen by looking. */
const fingerprint = Effect.gen(function* () {
  const open = [...(yield* Ref.get(yield* Offerings)).values()]
  const offerings = yield* Effect.forEach(open, (offering) =>
    Effect.zipWith(SubscriptionRef.get(offering.health.status), offering.health.away, (status, away) => [
      offering.id,
      status._tag,
      ...away.keys()
    ])
  )
  const paused = [...(yield* (yield* Pausings).all).keys()]
  const held = (yield* (yield* Quarantine).all).map(({ resource }) => resource)
  return JSON.stringify([offerings, paused, held])
})

const make = (config: Config) =>
  Effect.gen(function* () {
    const names = namesOf(config)
    const mailboxes = new Set<Mailbox.Mailbox<Text>>()
    let pending = nothing()

    const tell = (event: LiveEvent) =>
      Effect.flatMap(textOf(event), (text) =>
        Effect.forEach(
          [...mailboxes],
          (mailbox) =>
            Effect.flatMap(mailbox.offer(text), (taken) =>
              taken
                ? Effect.void
                : Effect.zipRight(
                    Effect.sync(() => mailboxes.delete(mailbox)),
                    mailbox.shutdown
                  )
            ),
          { discard: true }
        )
      )

    const tellChanges: Effect.Effect<void, never, SqlClient.SqlClient> = Effect.gen(function* () {
      const found = pending
      if (isNothing(found)) return
      pending = nothing()
      if (mailboxes.size === 0) return
      const rows = yield* Effect.orElseSucceed(orderRows(names, [...found.orders].slice(0, mostNamed)), () => [])
      yield* tell({
        _tag: "Changed",
        at: yield* Clock.currentTimeMillis,
        orders: rows,
        resources: [...found.resources].slice(0, mostNamed),
        overview: found.overview,
        more: found.more || found.orders.size > mostNamed || found.resources.size > mostNamed
      })
    })

    const events = yield* PubSub.subscribe(yield* Activities)
    yield* Effect.forkScoped(Effect.forever(Effect.map(Queue.take(events), (activity) => note(pending, activity))))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(tellChanges, gather)))
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.delay(
          Effect.flatMap(Clock.currentTimeMillis, (at) => tell({ _tag: "Heartbeat", at })),
          heartbeat
        )
      )
    )
    if (Option.exists(yield* Effect.serviceOption(Placement), ({ several }) => several)) {
      const lookAtOthers = yield* makeLookAtOthers
      const noted = Effect.gen(function* () {
        for (const { order, resource, step } of yield* Effect.orElseSucceed(lookAtOthers, () => [])) {
          pending.orders.add(order)
          pending.resources.add(resource)
          pending.overview ||= step === "order"
        }
      })
      yield* Effect.forkScoped(Effect.forever(Effect.delay(noted, "1 second")))
    }
    let before = yield* fingerprint
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.delay(
          Effect.map(fingerprint, (now) => {
            pending.overview ||= now !== before
            before = now
          }),
          "1 second"
        )
      )
    )

    return Live.of({
      end: Effect.zipRight(
        tell({ _tag: "Bye" }),
        Effect.forEach(mailboxes, (mailbox) => Effect.zipRight(mailbox.end, mailbox.await), {
          concurrency: "unbounded",
          discard: true
        })
      ).pipe(Effect.interruptible, Effect.timeoutOption("1 second"), Effect.asVoid),
      watch: Effect.gen(function* () {
        if (mailboxes.size >= mostWatchers) {
          return yield* new Unavailable({
            message: `${mostWatchers} pages watch already: close some, or load this one anew.`
          })
        }
        const mailbox = yield* Mailbox.make<Text>({ capacity: mostWaiting, strategy: "dropping" })
        yield* Effect.acquireRelease(
          Effect.sync(() => mailboxes.add(mailbox)),
          () => Effect.sync(() => mailboxes.delete(mailbox))
        )
        const now = yield* Clock.currentTimeMillis
        const hello = yield* textOf({ _tag: "Hello", now, version, heartbeat: Duration.toMillis(heartbeat) })
        return Stream.concat(Stream.succeed(`retry: 2000\n\n${hello}`), Mailbox.toStream(mailbox))
      })
    })
  })

/** The stream as an answer; it ends with the connection, with the visitor's session, or with the agent. */
export const liveResponse = Effect.gen(function* () {
  const { watch } = yield* Live
  const visitors = yield* Visitors
  const request = yield* HttpServerRequest.HttpServerRequest
  // Before the answer begins, or the refusal would be an answer that breaks off. Its scope is the request's, which lasts as long as the answer.
  const events = yield* watch
  const signedOut = Effect.delay(visitors.of(request), stillKnown).pipe(Effect.repeat({ until: Option.isNone }))
  return HttpServerResponse.stream(Stream.interruptWhen(Stream.encodeText(events), signedOut), {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
  })
})

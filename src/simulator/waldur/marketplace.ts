/**
 * The marketplace without HTTP: a world, the rules of the API, a log of calls, faults, and ways to wait for what happens.
 *
 * It lives in a scope: background tasks are fibers that end with it. The time is the Clock's and chance comes from a seed, so that
 * a TestClock and the same seed give the same run.
 */
import { Clock, Duration, Effect, FiberSet, PubSub, Random, type Scope, Stream } from "effect"
import { type Broker, makeBroker } from "../stomp/index.js"
import type { Answer } from "./answers.js"
import type { Call, Fault, IncomingCall, Interceptor } from "./calls.js"
import { dispatch } from "./dispatch.js"
import { publishAccount, publishChange, publishRole } from "./events.js"
import type { Order, Resource } from "./model.js"
import { terminalOrderStates } from "./model.js"
import type { ApiRequest } from "./request.js"
import * as Seed from "./seed.js"
import { type Change, type Generation, makeWorld, normaliseUuid, type World } from "./world.js"

export interface MarketplaceOptions {
  /** Default: `current`. */
  readonly generation?: Generation
  /** Calls and fields of the published API that no recorded server had. Default: true for `current`, false for `2024`. */
  readonly published?: boolean
  /** One queue for all types of events (`register_queue`), as newer servers have it. Default: false. */
  readonly oneQueue?: boolean
  /** Default: drawn from Effect's Random. */
  readonly seed?: number
  /** How long the server's background task takes after approve. Default 20 ms. */
  readonly taskAfter?: Duration.DurationInput
  /**
   * How long after approve an order shows as `executing`. Default: at once, or as late as the task if there is a race on the
   * current server, where nothing else tells that the task is through.
   */
  readonly executingAfter?: Duration.DurationInput
  /** The chance that the task overwrites a `set_backend_id`. Default 0; `true` is 1. Seen in 10 of 15 tries on a real server. */
  readonly race?: number | boolean
  /** Default: on the 2024 server only. */
  readonly keyErrorOnFixedLimits?: boolean
  /** Whether a call that crashes leaves nothing behind. Default: true, as Waldur's own (`USE_ATOMIC_TRANSACTION`). */
  readonly atomic?: boolean
  /** What a resource's slug is, of its name and uuid. Default: as the recorded servers make them. */
  readonly slugOf?: (name: string, uuid: string) => string
  /** Whether `calls` is kept; true. A run of many thousand calls does without, and hears of them by `onCall`. */
  readonly keepCalls?: boolean
}

/** What came of a call: an answer, or a connection that was cut. */
export type Reply = { readonly _tag: "Answer"; readonly answer: Answer } | { readonly _tag: "Cut" }

type Bound<F> = F extends (world: World, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

export interface Marketplace {
  readonly generation: Generation
  readonly addCustomer: Bound<typeof Seed.addCustomer>
  readonly addProject: Bound<typeof Seed.addProject>
  readonly addUser: Bound<typeof Seed.addUser>
  readonly addCustomerRole: Bound<typeof Seed.addCustomerRole>
  readonly addProjectRole: Bound<typeof Seed.addProjectRole>
  readonly addOfferingManager: Bound<typeof Seed.addOfferingManager>
  readonly removeRoles: typeof Seed.removeRoles
  readonly addOffering: Bound<typeof Seed.addOffering>
  readonly addSshKey: Bound<typeof Seed.addSshKey>
  readonly addOfferingUser: Bound<typeof Seed.makeOfferingUser>

  /** In the order in which they were made. The records are the live ones: look, or change them behind the agent's back. */
  readonly orders: ReadonlyMap<string, Order>
  readonly resources: ReadonlyMap<string, Resource>
  readonly world: World
  /** The broker of its events, with the switches by which it misbehaves. */
  readonly broker: Broker

  /** Carries one request out, with faults, and logs it. */
  readonly handle: (request: ApiRequest) => Effect.Effect<Reply>
  /** The same on the spot, without a fiber, which costs more than most requests; an effect if a fault delays it. */
  readonly answer: (request: ApiRequest) => Reply | Effect.Effect<Reply>
  readonly calls: ReadonlyArray<Call>
  /** Calls `listener` after every call; answers how to stop it. */
  readonly onCall: (listener: (call: Call) => void) => () => void
  /** Puts a fault between; answers how to take it away. */
  readonly intercept: (interceptor: Interceptor) => () => void
  /** Calls `listener` at every change of an order's or a resource's state; answers how to stop it. */
  readonly onChange: (listener: (change: Change) => void) => () => void
  /** The same from now on, as a stream. */
  readonly changes: Stream.Stream<Change>
  /** Completes when the order fulfils the condition, at once if it already does. Either spelling of the uuid. */
  readonly awaitOrder: (uuid: string, condition: (order: Order) => boolean) => Effect.Effect<Order>
  /** Completes when the order is done, erred, canceled or rejected. */
  readonly awaitOrderEnd: (uuid: string) => Effect.Effect<Order>
  readonly awaitResource: (uuid: string, condition: (resource: Resource) => boolean) => Effect.Effect<Resource>
  /** Completes when no background task is left; an order that waits for its start date is one. */
  readonly settled: Effect.Effect<void>
}

export const makeMarketplace = (options: MarketplaceOptions = {}): Effect.Effect<Marketplace, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const seed = options.seed ?? (yield* Random.nextIntBetween(0, 2 ** 31))
    const generation = options.generation ?? "current"
    const race = typeof options.race === "boolean" ? Number(options.race) : (options.race ?? 0)
    const taskAfter = Duration.decode(options.taskAfter ?? Duration.millis(20))
    const late = race > 0 && generation === "current" ? taskAfter : Duration.zero

    const tasks = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(tasks)<never>()
    const hub = yield* Effect.acquireRelease(PubSub.unbounded<Change>(), PubSub.shutdown)
    const changeListeners = new Set<(change: Change) => void>()
    const world = makeWorld(
      {
        generation,
        published: options.published ?? generation === "current",
        oneQueue: options.oneQueue ?? false,
        taskAfter,
        executingAfter: options.executingAfter === undefined ? late : Duration.decode(options.executingAfter),
        race,
        keyErrorOnFixedLimits: options.keyErrorOnFixedLimits ?? generation === "2024",
        atomic: options.atomic ?? true,
        slugOf: options.slugOf
      },
      seed,
      {
        now: () => clock.unsafeCurrentTimeMillis(),
        broker: makeBroker(),
        later: (after, task) => {
          run(Effect.delay(Effect.sync(task), after))
        },
        changed: (change) => {
          hub.unsafeOffer(change)
          for (const listener of changeListeners) listener(change)
          publishChange(world, change)
        }
      }
    )

    const calls: Array<Call> = []
    const keepCalls = options.keepCalls ?? true
    const listeners = new Set<(call: Call) => void>()
    const interceptors = new Set<Interceptor>()
    const counts = new Map<string, number>()

    const log = (call: Called, status: number | null, as: string | null) => {
      const { method, path, query } = call
      const logged = { method, path, query, status, as, at: world.now() }
      if (keepCalls) calls.push(logged)
      for (const listener of listeners) listener(logged)
    }

    const faultFor = ({ method, path, query }: Called): Fault | undefined => {
      const key = `${method} ${path}`
      const earlier = counts.get(key) ?? 0
      counts.set(key, earlier + 1)
      const incoming: IncomingCall = { method, path, query, earlier }
      for (const interceptor of interceptors) {
        const fault = interceptor(incoming)
        if (fault !== undefined) return fault
      }
      return undefined
    }

    const carryOut = (request: ApiRequest, call: Called, fault: Fault | undefined): Reply => {
      const { answer, user } = dispatch(world, request)
      log(call, fault?._tag === "DropAnswer" ? null : answer.status, user?.username ?? null)
      if (fault?._tag === "DropAnswer") return { _tag: "Cut" }
      if (fault?._tag === "Garbage") return { _tag: "Answer", answer: garbage(fault.body) }
      return { _tag: "Answer", answer }
    }

    const answer: Marketplace["answer"] = (request) => {
      const call = summary(request)
      const fault = faultFor(call)
      if (fault?._tag === "DropRequest") {
        log(call, null, null)
        return { _tag: "Cut" }
      }
      if (fault?._tag === "Status") {
        log(call, fault.status, null)
        return { _tag: "Answer", answer: statusAnswer(fault.status, fault.body) }
      }
      return fault?._tag === "Delay"
        ? Effect.delay(
            Effect.sync(() => carryOut(request, call, fault)),
            fault.by
          )
        : carryOut(request, call, fault)
    }

    /** Subscribes first and looks then, so that no change slips between. */
    const awaiting = <A>(find: () => A | undefined, condition: (found: A) => boolean): Effect.Effect<A> =>
      Effect.scoped(
        Effect.gen(function* () {
          const changed = yield* PubSub.subscribe(hub)
          while (true) {
            const found = find()
            if (found !== undefined && condition(found)) return found
            yield* changed.take
          }
        })
      )

    const byUuid =
      <A>(records: ReadonlyMap<string, A>, uuid: string) =>
      () =>
        records.get(normaliseUuid(uuid) ?? "")
    const awaitOrder: Marketplace["awaitOrder"] = (uuid, condition) => awaiting(byUuid(world.orders, uuid), condition)

    return {
      generation,
      addCustomer: (wanted) => Seed.addCustomer(world, wanted),
      addProject: (wanted) => Seed.addProject(world, wanted),
      addUser: (wanted) => Seed.addUser(world, wanted),
      addCustomerRole: (user, customer, name) => Seed.addCustomerRole(world, user, customer, name),
      addProjectRole: (user, project, name) => {
        Seed.addProjectRole(world, user, project, name)
        publishRole(world, user, project, name, true)
      },
      addOfferingManager: (user, offering) => Seed.addOfferingManager(world, user, offering),
      removeRoles: (user, scope) => {
        const left = user.roles.filter(({ scope: { type, uuid } }) => type === "project" && uuid === scope.uuid)
        Seed.removeRoles(user, scope)
        for (const { name, scope: project } of left) publishRole(world, user, project, name, false)
      },
      addOffering: (wanted) => Seed.addOffering(world, wanted),
      addSshKey: (wanted) => Seed.addSshKey(world, wanted),
      addOfferingUser: (wanted) => {
        const made = Seed.makeOfferingUser(world, wanted)
        publishAccount(world, made)
        return made
      },
      orders: world.orders,
      resources: world.resources,
      world,
      broker: world.broker,
      handle: (request) =>
        Effect.suspend(() => {
          const reply = answer(request)
          return Effect.isEffect(reply) ? reply : Effect.succeed(reply)
        }),
      answer,
      calls,
      onCall: (listener) => subscribeTo(listeners, listener),
      intercept: (interceptor) => subscribeTo(interceptors, interceptor),
      onChange: (listener) => subscribeTo(changeListeners, listener),
      changes: Stream.fromPubSub(hub),
      awaitOrder,
      awaitOrderEnd: (uuid) => awaitOrder(uuid, ({ state }) => terminalOrderStates.includes(state)),
      awaitResource: (uuid, condition) => awaiting(byUuid(world.resources, uuid), condition),
      settled: FiberSet.awaitEmpty(tasks)
    }
  })

type Called = Pick<Call, "method" | "path" | "query">

const summary = ({ method, path, query }: ApiRequest): Called => ({ method, path, query: query.toString() })

const subscribeTo = <A>(set: Set<A>, item: A): (() => void) => {
  set.add(item)
  return () => {
    set.delete(item)
  }
}

const statusAnswer = (status: number, body?: string): Answer => ({
  status,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  body: { html: body ?? `<html><body><h1>Error ${status}</h1></body></html>` }
})

const garbage = (body?: string): Answer => ({
  status: 200,
  headers: { "Content-Type": "application/json" },
  body: { html: body ?? '[{"uuid": "12' }
})

/** The simulated front-end without HTTP: calls in, answers out, and its own work going on by the Clock in between. */
import { Clock, Effect, Runtime, type Scope } from "effect"
import { dispatch } from "./dispatch.js"
import { blotSecrets, type CallSeen, ConnectionDropped, type Disturbance, type Interceptor } from "./interception.js"
import { fillWorld, type InitialWorld } from "./lab.js"
import { type Answer, Fault } from "./wire/refusals.js"
import { fromPlain, type Plain, toPlain, type Value } from "./wire/values.js"
import { decodeBody, type Request, readRequest, writeAnswer } from "./wire/xml-rpc.js"
import { type Times, timesFrom } from "./world/times.js"
import { type DriverAction, World } from "./world/world.js"

export interface FrontEndOptions {
  /** Milliseconds from a host's choice to RUNNING. */
  readonly bootTime?: number
  /** Milliseconds of single steps; the rest as in the recorded laboratory. */
  readonly times?: Partial<Times>
  /** Milliseconds that every call takes before it is carried out. */
  readonly latency?: number
  /** oneadmin's password; "opennebula" when left out. */
  readonly password?: string
  readonly initial?: InitialWorld
  readonly interceptor?: Interceptor
  /** Whether `calls` is kept, with all answers; true. A run of many thousand calls does without, and hears of them by `onCall`. */
  readonly keepCalls?: boolean
}

export interface CallRecord extends CallSeen {
  /** Name part of the session. */
  readonly user: string
  readonly answer:
    | { readonly _tag: "Ok"; readonly value: unknown }
    | { readonly _tag: "Error"; readonly code: number; readonly message: string }
    | { readonly _tag: "Fault"; readonly code: number; readonly message: string }
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface FrontEnd {
  /** One call as `session` (oneadmin when left out); `params` without the session. */
  readonly call: (method: string, params: ReadonlyArray<Plain>, session?: string) => Effect.Effect<Answer>
  /** One XML-RPC request body. Fails only when an interceptor drops it. */
  readonly handle: (request: string | Uint8Array) => Effect.Effect<HttpAnswer, ConnectionDropped>
  /**
   * The same on the spot, without a fiber, which costs more than most calls; an effect if latency or an interceptor comes in between. Its time is
   * that of whoever made the front-end.
   */
  readonly answer: (request: string | Uint8Array) => HttpAnswer | Effect.Effect<HttpAnswer, ConnectionDropped>
  /** Makes the driver fail the next such action, of that VM or of any. */
  readonly faults: {
    readonly failNext: (action: DriverAction, options?: { readonly vm?: number; readonly times?: number }) => void
    readonly clear: () => void
  }
  /** Puts an interceptor in place of the one before; undefined: none. */
  readonly intercept: (interceptor: Interceptor | undefined) => void
  /** Everything that was carried out, oldest first. */
  readonly calls: ReadonlyArray<CallRecord>
  /** Calls `listener` after each call; the answer takes it off again. */
  readonly onCall: (listener: (call: CallRecord) => void) => () => void
  /** The whole state, for final checks of tests. */
  readonly world: World
  /** How much work is still going on; 0: settled. */
  readonly pendingWork: () => number
  /** oneadmin's session. */
  readonly session: string
}

const answerForLog = (answer: Answer): CallRecord["answer"] =>
  answer._tag === "Ok" || answer._tag === "Bare"
    ? { _tag: "Ok", value: toPlain(answer.value) }
    : { _tag: answer._tag, code: answer.code, message: answer.message }

export const makeFrontEnd = (options: FrontEndOptions = {}): Effect.Effect<FrontEnd, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const runtime = yield* Effect.runtime()
    const clock = yield* Clock.clockWith(Effect.succeed)
    const world = new World(timesFrom({ bootTime: options.bootTime, ...options.times }))
    const password = options.password ?? "opennebula"
    world.nowMillis = clock.unsafeCurrentTimeMillis()
    fillWorld(world, password, options.initial ?? {})

    const calls: Array<CallRecord> = []
    const listeners = new Set<(call: CallRecord) => void>()
    let interceptor = options.interceptor
    let pending = 0
    let requestId = 0

    /** Put-off work, in the order in which it is due; of the same moment, what was put off first. */
    const agenda: Array<{ readonly due: number; readonly run: () => void }> = []
    const enqueue = (due: number, run: () => void) => {
      let from = 0
      let to = agenda.length
      while (from < to) {
        const middle = (from + to) >> 1
        if ((agenda[middle]?.due ?? 0) > due) to = middle
        else from = middle + 1
      }
      agenda.splice(from, 0, { due, run })
    }

    /** Runs `work` at the Clock's time, then takes up what it put off as fibers of the front-end's scope. */
    const atNow = <Result>(work: () => Result): Result => {
      world.nowMillis = clock.unsafeCurrentTimeMillis()
      const result = work()
      if (world.deferred.length === 0) return result
      const deferred = world.deferred
      world.deferred = []
      for (const { after, run } of deferred) {
        enqueue(world.nowMillis + after, run)
        pending += 1
        Runtime.runFork(runtime)(takingUp(after), { scope, immediate: false })
      }
      return result
    }

    /** Fibers that are due together wake in any order, so that each takes the agenda's first entry, not its own. */
    const takingUp = (after: number): Effect.Effect<void> =>
      Effect.sleep(after).pipe(
        Effect.zipRight(Effect.sync(() => atNow(() => agenda.shift()?.run()))),
        Effect.ensuring(Effect.sync(() => (pending -= 1))),
        // Nobody waits for these fibers: a bug in one must not pass unseen.
        Effect.tapErrorCause((cause) => Effect.logError("simulated OpenNebula: put-off work died", cause))
      )

    const keepsCalls = options.keepCalls ?? true

    const carryOutNow = (method: string, params: ReadonlyArray<Value>): Answer => {
      const answer = atNow(() => dispatch(world, method, params, ++requestId))
      if (!keepsCalls && listeners.size === 0) return answer
      const [session, ...given] = params.map(toPlain)
      const record: CallRecord = {
        method,
        params: blotSecrets(method, given),
        user: String(session ?? "").split(":")[0] ?? "",
        answer: answerForLog(answer),
        at: world.nowMillis
      }
      if (keepsCalls) calls.push(record)
      for (const listener of listeners) listener(record)
      return answer
    }

    /** Which form `infoset` shall write is kept in the method, for whichever call is carried out next (`VirtualMachinePoolAPI::info_set`, 7.4). */
    const arrive = (method: string, params: ReadonlyArray<Value>): void => {
      const form = params[2]
      if (method === "one.vmpool.infoset" && form?._tag === "Boolean") world.infosetIsLong = form.value
    }

    const carryOut = (method: string, params: ReadonlyArray<Value>): Effect.Effect<Answer> =>
      Effect.suspend(() => {
        arrive(method, params)
        const now = Effect.sync(() => carryOutNow(method, params))
        return options.latency === undefined ? now : Effect.delay(now, options.latency)
      })

    /** Undefined: the call goes on undisturbed. */
    const disturb = (
      disturbance: Disturbance | undefined,
      when: "before" | "after",
      method: string
    ): Effect.Effect<HttpAnswer | undefined, ConnectionDropped> => {
      if (disturbance?.when !== when) return Effect.succeed(undefined)
      switch (disturbance._tag) {
        case "Drop":
          return Effect.fail(new ConnectionDropped({ method }))
        case "Delay":
          return Effect.as(Effect.sleep(disturbance.millis), undefined)
        case "Hold":
          return Effect.as(disturbance.until, undefined)
        case "HttpError":
          return Effect.succeed({ status: disturbance.status, body: "" })
        case "Garbage":
          return Effect.succeed({ status: 200, body: disturbance.body })
      }
    }

    const read = (request: string | Uint8Array): Request | Fault => {
      try {
        return readRequest(typeof request === "string" ? request : decodeBody(request))
      } catch (thrown) {
        if (thrown instanceof Fault) return thrown
        throw thrown
      }
    }

    const disturbed = (
      { method, params }: Request,
      disturbance: Disturbance | undefined
    ): Effect.Effect<HttpAnswer, ConnectionDropped> =>
      Effect.gen(function* () {
        const instead = yield* disturb(disturbance, "before", method)
        if (instead !== undefined) return instead
        const answer = yield* carryOut(method, params)
        return (yield* disturb(disturbance, "after", method)) ?? { status: 200, body: writeAnswer(answer) }
      })

    const answer: FrontEnd["answer"] = (body) => {
      const request = read(body)
      if (request instanceof Fault)
        return { status: 200, body: writeAnswer({ _tag: "Fault", code: request.code, message: request.message }) }
      const { method, params } = request
      const disturbance = interceptor?.({ method, params: blotSecrets(method, params.slice(1).map(toPlain)) })
      if (disturbance !== undefined || options.latency !== undefined) return disturbed(request, disturbance)
      arrive(method, params)
      return { status: 200, body: writeAnswer(carryOutNow(method, params)) }
    }

    const session = `oneadmin:${password}`
    return {
      call: (method, params, as = session) => carryOut(method, [as, ...params].map(fromPlain)),
      handle: (body) =>
        Effect.suspend(() => {
          const given = answer(body)
          return Effect.isEffect(given) ? given : Effect.succeed(given)
        }),
      answer,
      faults: {
        failNext: (action, { times = 1, vm } = {}) => {
          for (let count = 0; count < times; count++) world.failures.push({ action, of: vm })
        },
        clear: () => {
          world.failures.length = 0
        }
      },
      intercept: (next) => {
        interceptor = next
      },
      calls,
      onCall: (listener) => {
        listeners.add(listener)
        return () => {
          listeners.delete(listener)
        }
      },
      world,
      pendingWork: () => pending,
      session
    }
  })

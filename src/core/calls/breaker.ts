/**
 * The breaker of an endpoint: while a server is away, one probe instead of a thousand retries.
 *
 * After a few failures of the connection in a row, whoever called, the endpoint counts as away: calls fail at once, unsent, with the
 * failure that showed it, and one fiber asks the server again and again until it answers. Orders wait for that (`passed`) instead of
 * trying, and go on at that moment. A refusal is an answer: only what says that nobody is there counts.
 *
 * Calls are not held here but fail, so that a deadline inside a handler never mistakes the server's absence for the order's slowness.
 */
import { Clock, Duration, Effect, FiberRef, Random, type Scope } from "effect"

/** What an error says of the endpoint: `away` (no connection, no answer in time, 5xx), `answers`, or nothing. */
export type Verdict = "away" | "answers" | "unclear"

export interface EndpointEvent {
  /** The endpoint's URL, without credentials. */
  readonly endpoint: string
  readonly away: boolean
  /** The failure that showed it; empty when the endpoint is back. */
  readonly reason: string
}
export type EndpointListener = (event: EndpointEvent) => Effect.Effect<void>

/**
 * Hears of the endpoints that are connected inside. A FiberRef, so that the runtime learns which endpoints an offering rests on
 * without the plugins handing anything on.
 */
export const endpointListener: FiberRef.FiberRef<EndpointListener> = FiberRef.unsafeMake(
  (_event: EndpointEvent): Effect.Effect<void> => Effect.void
)

/** Hears of every breaker that is made inside, whoever uses it: when it is made, and when it opens and closes. For metrics. */
export const endpointObserver: FiberRef.FiberRef<(event: EndpointEvent) => void> = FiberRef.unsafeMake(
  (_event: EndpointEvent): void => undefined
)

export interface BreakerOptions<E> {
  readonly endpoint: string
  readonly verdict: (error: E) => Verdict
  /** Failures in a row. Default 5. */
  readonly failures?: number
  /** Between two probes: this, doubling. Default 1 s. */
  readonly firstPause?: Duration.DurationInput
  /** ... up to this. Default 15 s. Both are jittered by a fifth. */
  readonly longestPause?: Duration.DurationInput
}

export interface Breaker<E> {
  /** Makes the call, unless the endpoint is away: then it fails at once with the failure that showed it, and nothing was sent. */
  readonly protect: <A, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Passes while the endpoint answers; waits while it is away. */
  readonly passed: Effect.Effect<void>
  readonly away: Effect.Effect<boolean>
  /**
   * Uses this endpoint for as long as the scope lasts. `probe`: the cheapest call of this user; any answer to it will do. While several
   * use the endpoint, one of their probes is asked.
   */
  readonly join: (probe: Effect.Effect<unknown, E>) => Effect.Effect<void, never, Scope.Scope>
  /** The listener of this fiber (`endpointListener`) hears when the endpoint goes and comes, and now, if it is away. */
  readonly listen: Effect.Effect<void, never, Scope.Scope>
}

/** Away since `since`, as `failure` showed. */
interface Absence<E> {
  readonly failure: E
  readonly since: number
}

/** The probing fiber ends with the scope. */
export const makeBreaker = <E extends Error>(
  options: BreakerOptions<E>
): Effect.Effect<Breaker<E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { endpoint, verdict, failures = 5 } = options
    const first = Duration.toMillis(options.firstPause ?? "1 second")
    const longest = Duration.toMillis(options.longestPause ?? "15 seconds")
    const gate = yield* Effect.makeLatch(true)
    const gone = yield* Effect.makeLatch(false)
    const probes = new Set<Effect.Effect<unknown, E>>()
    const listeners = new Set<EndpointListener>()
    /** Failures in a row. */
    let failed = 0
    let absence: Absence<E> | undefined

    const observe = yield* FiberRef.get(endpointObserver)
    observe({ endpoint, away: false, reason: "" })
    const tell = (event: EndpointEvent) =>
      Effect.suspend(() => {
        observe(event)
        return Effect.forEach([...listeners], (listener) => listener(event), { discard: true })
      })

    const back = (since: number) =>
      Effect.gen(function* () {
        const seconds = Math.round(((yield* Clock.currentTimeMillis) - since) / 1000)
        absence = undefined
        yield* gone.close
        yield* Effect.logInfo(`${endpoint} answers again, after ${seconds} s`)
        yield* tell({ endpoint, away: false, reason: "" })
        yield* gate.open
      }).pipe(Effect.uninterruptible)
    // After each call: nearly always there is nothing to do.
    const answered = Effect.suspend(() => {
      failed = 0
      return absence === undefined ? Effect.void : back(absence.since)
    })

    const missed = (failure: E) =>
      Effect.gen(function* () {
        failed += 1
        const inARow = failed
        if (absence !== undefined || inARow < failures) return
        absence = { failure, since: yield* Clock.currentTimeMillis }
        yield* gate.close
        yield* Effect.logWarning(`${endpoint} is away: ${inARow} failures in a row, the last one: ${failure.message}`)
        yield* tell({ endpoint, away: true, reason: failure.message })
        yield* gone.open
      }).pipe(Effect.uninterruptible)

    const judge = (error: E) => {
      const said = verdict(error)
      return said === "away" ? missed(error) : said === "answers" ? answered : Effect.void
    }

    const probe = Effect.suspend(() => {
      const [one] = probes
      return one === undefined ? Effect.void : Effect.matchEffect(one, { onFailure: judge, onSuccess: () => answered })
    })
    const probing = (pause: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (absence === undefined) return Effect.void
        return Random.nextRange(0.8, 1.2).pipe(
          Effect.flatMap((factor) => Effect.sleep(Duration.millis(pause * factor))),
          // A call that was under way when the endpoint went may have come through in the meantime.
          Effect.zipRight(Effect.suspend(() => (absence === undefined ? Effect.void : probe))),
          Effect.zipRight(probing(Math.min(pause * 2, longest)))
        )
      })
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.zipRight(
          gone.await,
          // A probe with a bug must not leave everybody waiting.
          Effect.catchAllCause(probing(first), (cause) => Effect.logError(`Probing ${endpoint}`, cause))
        )
      )
    )

    return {
      protect: (call) =>
        Effect.suspend(() =>
          absence === undefined
            ? Effect.tapBoth(call, { onFailure: judge, onSuccess: () => answered })
            : Effect.fail(absence.failure)
        ),
      passed: gate.await,
      away: Effect.sync(() => absence !== undefined),
      join: (own) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => probes.add(own)),
            () => Effect.sync(() => probes.delete(own))
          )
        ),
      listen: Effect.gen(function* () {
        const listener = yield* FiberRef.get(endpointListener)
        // Wrapped, so that one listener that comes twice goes twice.
        const heard: EndpointListener = (event) => listener(event)
        yield* Effect.acquireRelease(
          Effect.sync(() => listeners.add(heard)),
          () => Effect.sync(() => listeners.delete(heard))
        )
        if (absence !== undefined) yield* heard({ endpoint, away: true, reason: absence.failure.message })
      })
    }
  })

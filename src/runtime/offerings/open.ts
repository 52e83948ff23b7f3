/**
 * Opens an offering: connects its marketplace and its backend, and says what it is made of.
 *
 * Repeated for as long as it takes: an offering whose marketplace is away at the start comes later.
 */
import { Clock, Effect, ExecutionStrategy, Exit, FiberSet, Layer, Option, Redacted, Ref, Scope } from "effect"
import {
  type Breaker,
  type Component,
  endpointListener,
  keptFor,
  makeAlarms,
  makeDoor,
  OfferingFault,
  observed,
  type ResourceId,
  type SiteError,
  steadyMillis
} from "../../core/index.js"
import { makeWaldur, type WaldurError, WaldurServers, type WaldurService } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"
import { components, unchanged } from "../config/index.js"
import { Pauses } from "../journal/pauses.js"
import { backendIdGuard, orderRetry } from "../schedules.js"
import { makeEarlyReads } from "./early.js"
import * as Health from "./health.js"
import type { Offering } from "./offering.js"

/** `breaker`: of its server; without one every call is sent, as `site-actors check` wants it. */
export const connectWaldur = (config: OfferingConfig, breaker?: Breaker<WaldurError>) =>
  makeWaldur({
    ...config.waldur,
    ...(breaker === undefined ? {} : { breaker }),
    observe: (call) =>
      observed({
        system: "waldur",
        call: `${call.method} ${call.path}`,
        about: "",
        milliseconds: call.milliseconds,
        outcome: Option.getOrElse(call.error, () => "ok"),
        attempt: call.attempt
      })
  })

/** Fails with what stands in the way now, and leaves nothing open then; sends a few calls to Waldur and none to the backend. */
export const openOffering = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    return yield* opened(config, memoMap).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

/** ms */
const justNow = 10_000

const opened = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const servers = yield* Layer.buildWithMemoMap(WaldurServers.layer, memoMap, yield* Effect.scope)
    const pauses = yield* Pauses
    // The health comes first: from the moment of connecting, the servers say whether they are there.
    const probe = yield* Ref.make<Effect.Effect<unknown, SiteError>>(Effect.void)
    const quietly = Effect.catchAll((error: Error) => Effect.logWarning(error.message))
    const health = yield* Health.make(Effect.flatten(Ref.get(probe)), {
      began: (reason) => quietly(pauses.began(config.id, reason)),
      ended: quietly(pauses.ended(config.id))
    })
    const listening = <A, E, R>(connecting: Effect.Effect<A, E, R>) =>
      Effect.locally(connecting, endpointListener, health.endpoint)
    const server = yield* Effect.flatMap(WaldurServers, (all) => all.breaker(config.waldur.apiUrl)).pipe(
      Effect.provide(servers)
    )
    const waldur = yield* listening(connectWaldur(config, server))
    const inWaldur = yield* waldur.offering(config.id)
    const openedAt = yield* steadyMillis
    const known = yield* Effect.mapError(components(config, inWaldur.components), allOf)
    const backend = yield* listening(openBackend(config, known, memoMap))
    yield* Ref.set(probe, Effect.zipRight(waldur.offering(config.id), backend.ping))
    const lookedAt = yield* firstLook(health, backend.ping)
    const guards = yield* FiberSet.make()
    const pluginOptions = keptFor(
      "1 minute",
      Effect.flatMap(steadyMillis, (now) =>
        // What was read when it was opened is good enough for the orders that waited for that.
        now - openedAt < justNow
          ? Effect.succeed(inWaldur.pluginOptions)
          : Effect.flatMap(waldur.offering(config.id), (fresh) =>
              Effect.as(Effect.mapError(unchanged(config, known, fresh.components), allOf), fresh.pluginOptions)
            )
      )
    )
    const offering: Offering = {
      id: config.id,
      name: config.name,
      openedAt: yield* Clock.currentTimeMillis,
      waldur,
      backend,
      backendType: config.plugin.type,
      health: { ...health, passed: Effect.zipRight(lookedAt, health.passed) },
      deadlines: config.orderDeadlines,
      alarms: yield* makeAlarms,
      drift: config.drift,
      exposesErrorDetails: config.exposesErrorDetails,
      components: known,
      quantities: config.plugin.quantities,
      pluginOptions,
      guardBackendId: (resource, backendId) =>
        Effect.flatMap(waldur.setsScope(config.id), (puts) =>
          Effect.schedule(lookAfter(waldur, resource, backendId), backendIdGuard(puts))
        ).pipe(
          Effect.catchAll((error) => Effect.logWarning(`Backend id ${backendId} not looked after: ${error.message}`)),
          FiberSet.run(guards),
          Effect.asVoid
        ),
      early: yield* makeEarlyReads(waldur),
      providerCustomer: Option.getOrElse(inWaldur.customerUuid, () => "")
    }
    return offering
  })

const lookAfter = (waldur: WaldurService, resource: ResourceId, backendId: string) =>
  Effect.flatMap(waldur.keepBackendId(resource, backendId), (kept) =>
    Effect.unless(Effect.logInfo(`Waldur had lost the backend id ${backendId}`), () => kept)
  )

/**
 * Looks at the backend before its first order, until it has answered once: what no order could be carried out on (wrong credentials, a release
 * that is too old) stops the offering before one has begun. Gives what the first order waits for: the first answer, or five seconds.
 */
const firstLook = (
  health: Health.OfferingHealth,
  ping: Effect.Effect<void, SiteError>
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const answered = makeDoor(false)
    yield* ping.pipe(
      Effect.tapError((error) =>
        error.disposition === "stop-offering"
          ? Effect.zipRight(Effect.logWarning(`Takes no orders: ${error.message}`), health.report(error))
          : Effect.void
      ),
      Effect.ensuring(answered.open),
      // What stops the offering is looked at again by its health, until it is mended.
      Effect.retry({ schedule: orderRetry, while: (error) => error.disposition === "retry" }),
      Effect.ignore,
      Effect.forkScoped
    )
    yield* Effect.forkScoped(Effect.delay(answered.open, "5 seconds"))
    return answered.passed
  })

export const openBackend = (config: OfferingConfig, known: ReadonlyArray<Component>, memoMap: Layer.MemoMap) =>
  config.plugin.open(
    { offering: config.id, name: config.name, settings: Redacted.value(config.backendSettings), components: known },
    memoMap
  )

/** Several faults as one. What helps against several of them is said once. */
export const allOf = (faults: ReadonlyArray<OfferingFault>): OfferingFault =>
  new OfferingFault({
    reason: faults.map((fault) => fault.reason).join(" "),
    hint: [...new Set(faults.map((fault) => fault.hint))].join(" ")
  })

/**
 * Opens an offering: connects its marketplace and its backend, and says what it is made of.
 *
 * Repeated for as long as it takes: an offering whose marketplace is away at the start comes later.
 */
import { Effect, FiberSet, type Layer, Option, Redacted } from "effect"
import { type Component, OfferingFault, observed } from "../../core/index.js"
import { makeWaldur } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"
import { components } from "../config/index.js"
import { backendIdGuard } from "../schedules.js"
import * as Health from "./health.js"
import type { Offering } from "./offering.js"

export const connectWaldur = (config: OfferingConfig) =>
  makeWaldur({
    ...config.waldur,
    observe: (call) =>
      observed({
        system: "waldur",
        call: `${call.method} ${call.path}`,
        about: "",
        milliseconds: call.milliseconds,
        outcome: Option.getOrElse(call.error, () => "ok")
      })
  })

/** Fails with what stands in the way now; sends a few calls to Waldur and none to the backend. */
export const openOffering = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(config)
    const inWaldur = yield* waldur.offering(config.id)
    const known = yield* Effect.mapError(components(config, inWaldur.components), allOf)
    const backend = yield* openBackend(config, known, memoMap)
    const probe = Effect.zipRight(waldur.offering(config.id), backend.ping)
    const guards = yield* FiberSet.make()
    const offering: Offering = {
      id: config.id,
      name: config.name,
      waldur,
      backend,
      health: yield* Health.make(probe),
      components: known,
      pluginOptions: yield* Effect.cachedWithTTL(
        Effect.map(waldur.offering(config.id), (fresh) => fresh.pluginOptions),
        "1 minute"
      ),
      guardBackendId: (resource, backendId) =>
        waldur.keepBackendId(resource, backendId).pipe(
          Effect.tap((kept) =>
            Effect.unless(Effect.logInfo(`Waldur had lost the backend id ${backendId}`), () => kept)
          ),
          Effect.delay("1 second"),
          Effect.repeat(backendIdGuard),
          Effect.catchAll((error) => Effect.logWarning(`Backend id ${backendId} not looked after: ${error.message}`)),
          FiberSet.run(guards),
          Effect.asVoid
        ),
      providerCustomer: Option.getOrElse(inWaldur.customerUuid, () => "")
    }
    return offering
  })

export const openBackend = (config: OfferingConfig, known: ReadonlyArray<Component>, memoMap: Layer.MemoMap) =>
  config.plugin.open(
    { offering: config.id, name: config.name, settings: Redacted.value(config.backendSettings), components: known },
    memoMap
  )

const allOf = (faults: ReadonlyArray<OfferingFault>): OfferingFault =>
  new OfferingFault({
    reason: faults.map((fault) => fault.reason).join(" "),
    hint: faults.map((fault) => fault.hint).join(" ")
  })

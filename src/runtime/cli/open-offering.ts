/** An offering opened for one command: its marketplace and its backend, without orders and without a journal. */
import { Effect, type Layer } from "effect"
import { components, type OfferingConfig } from "../config/index.js"
import { allOf, connectWaldur, openBackend } from "../offerings/open.js"

export const openForCommand = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(config)
    const inWaldur = yield* waldur.offering(config.id)
    const known = yield* Effect.mapError(components(config, inWaldur.components), allOf)
    const backend = yield* openBackend(config, known, memoMap)
    return { waldur, inWaldur, backend }
  })

/** The offerings of a configuration, connected for a command: Waldur and the backend, without breakers and without the agent around them. */
import { Effect, Layer } from "effect"
import { type Component, OfferingFault, type OfferingId, type Upkeep } from "../../core/index.js"
import type { WaldurService } from "../../waldur/service.js"
import { type Config, components, type OfferingConfig } from "../config/index.js"
import { connectWaldur, openBackend } from "../offerings/open.js"

export interface Site {
  readonly id: OfferingId
  readonly name: string
  readonly waldur: WaldurService
  readonly upkeep: Upkeep
  readonly components: ReadonlyArray<Component>
}

const connect = (config: OfferingConfig, memoMap: Layer.MemoMap) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(config)
    const inWaldur = yield* waldur.offering(config.id)
    const known = yield* Effect.mapError(
      components(config, inWaldur.components),
      ([first]) =>
        first ?? new OfferingFault({ reason: "The components do not fit.", hint: "See `site-actors check`." })
    )
    const { upkeep } = yield* openBackend(config, known, memoMap)
    return upkeep === undefined
      ? []
      : [{ id: config.id, name: config.name, waldur, upkeep, components: known } satisfies Site]
  })

/** All of them, or the first fault: half a picture would be a wrong one. Backends without upkeep are left out. */
export const connectSites = ({ offerings }: Pick<Config, "offerings">) =>
  Effect.gen(function* () {
    const memoMap = yield* Layer.makeMemoMap
    const sites = yield* Effect.forEach(offerings, (offering) => connect(offering, memoMap), { concurrency: 4 })
    return sites.flat()
  })

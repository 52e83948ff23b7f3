/** What the views need of the running agent beside the journal: offerings with their names, what lets their orders through, who is held. */
import { Effect, Ref, Schema, SubscriptionRef } from "effect"
import type { Amount } from "../../api/index.js"
import { type Amounts, type Component, OfferingId, toWaldur } from "../../core/index.js"
import type { Config } from "../config/index.js"
import { type Offering, Offerings } from "../offerings/offering.js"
import { Pausings } from "../offerings/pausings.js"
import type { Gate } from "./next.js"
import type { Names } from "./orders.js"

export const namesOf = (config: Pick<Config, "offerings">): Names => {
  const names = new Map<string, string>(config.offerings.map(({ id, name }) => [id, name]))
  return (offering) => names.get(offering) ?? offering
}

const isOfferingId = Schema.is(OfferingId)

/** `undefined`: it is not open, or not one of ours. */
export const openOffering = (id: string): Effect.Effect<Offering | undefined, never, Offerings> =>
  Effect.flatMap(Offerings, (offerings) =>
    Effect.map(Ref.get(offerings), (open) => (isOfferingId(id) ? open.get(id) : undefined))
  )

/** What keeps an offering's orders waiting now. */
export const gateOf = (
  config: Pick<Config, "offerings">,
  id: string
): Effect.Effect<Gate | undefined, never, Offerings | Pausings> =>
  Effect.gen(function* () {
    if (!config.offerings.some((one) => one.id === id)) return { _tag: "Absent" } as const
    const offering = yield* openOffering(id)
    if (offering === undefined) return { _tag: "Closed" } as const
    const pausing = (yield* (yield* Pausings).all).get(offering.id)
    if (pausing !== undefined) return { _tag: "Paused", by: pausing.who } as const
    const status = yield* SubscriptionRef.get(offering.health.status)
    if (status._tag === "Stopped") return { _tag: "Stopped", reason: status.reason } as const
    const away = yield* offering.health.away
    return away.size === 0 ? undefined : ({ _tag: "Away", servers: [...away.keys()] } as const)
  })

/** In the offering's units, in its order; what it has no component for keeps the backend's number. */
export const amountsOf = (components: ReadonlyArray<Component>, amounts: Amounts): ReadonlyArray<typeof Amount.Type> =>
  Object.entries(amounts).map(([type, amount]) => {
    const component = components.find((one) => one.type === type)
    return component === undefined
      ? { component: type, name: type, unit: "", amount }
      : {
          component: type,
          name: component.name || type,
          unit: component.measuredUnit,
          amount: toWaldur(component, amount)
        }
  })

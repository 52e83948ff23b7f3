/** How all is: shown on its own page, counted in the navigation, and where the filters have the offerings from. Asked for once for all. */
import { effect } from "@preact/signals"
import { type Asked, makeAsker } from "./asked.js"
import type { Answer } from "./client.js"
import { session } from "./session.js"

const asker = makeAsker("overview.overview")

effect(() => {
  if (!session.value?.visitor) return
  return asker.begin(
    {},
    () =>
      ({ overview, orders }) =>
        overview || orders.length > 0
  )
})

export const useOverview = (): Asked<Answer<"overview.overview">> => ({
  value: asker.answer.value,
  failure: asker.failure.value,
  again: asker.again
})

/** As choices of a filter. */
export const useOfferings = (): ReadonlyArray<readonly [uuid: string, name: string]> =>
  asker.answer.value?.offerings.map(({ uuid, name }) => [uuid, name] as const) ?? []

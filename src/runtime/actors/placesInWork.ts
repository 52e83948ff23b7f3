/** The places of all offerings of this process: dispatch lends them, and an actor's order steps aside from its own. */
import { Context, Layer } from "effect"
import type { OfferingId, ResourceId } from "../../core/index.js"
import { makePlaces, type Places } from "./places.js"

export class PlacesInWork extends Context.Tag("site-actors/runtime/PlacesInWork")<
  PlacesInWork,
  {
    readonly of: (offering: OfferingId) => Places<ResourceId>
    /** ms, as `core/park.ts` has it. */
    readonly parksAfter: number
  }
>() {
  /**
   * Orders are parked where whoever sends them hears when they are woken: in one process. `parksAfter`: ms; a finite one is for a process that
   * has all actors itself.
   */
  static readonly layer = (parksAfter: number) =>
    Layer.sync(PlacesInWork, () => {
      const all = new Map<OfferingId, Places<ResourceId>>()
      return {
        parksAfter,
        of: (offering) => {
          const known = all.get(offering)
          if (known !== undefined) return known
          const made = makePlaces<ResourceId>()
          all.set(offering, made)
          return made
        }
      }
    })
}

/**
 * One of several processes: only such a one loads this. `several.ts` puts @effect/cluster together: the address book in the journal's database
 * (`storage.ts` on `tables.ts`) and the way to the other processes (`wire.ts`, with the key of `key.ts`; `reach.ts` knows who is reached by whom). On it stand what `placement/` and `actors/` have
 * for one process: `placement.ts` says whose a resource is, `once.ts` does work in one process at a time, `alike.ts` knows whether all have the same
 * settings, `entities.ts` are the actors, and by `bells.ts` processes ask each other. `clock.ts` says what time it is. The whole of it:
 * docs/decisions/0043-several-processes.md.
 */
import { PlacesInWork } from "../actors/placesInWork.js"
import { Quarantine } from "../actors/quarantine.js"
import type { ClusterSettings } from "../config/cluster.js"
import { Pausings } from "../offerings/pausings.js"
import { stacked } from "../stacked.js"
import { others } from "./alike.js"
import { bells } from "./bells.js"
import { actors } from "./entities.js"
import { once } from "./once.js"
import { placement } from "./placement.js"
import { severalProcesses } from "./several.js"

/** Where work is placed, and the actors that do it. `owner`: this process's name, for people and in leases; `parking`: ms, of `PlacesInWork`. */
export const amongSeveral = (settings: ClusterSettings, owner: string, parking: number) =>
  stacked((upon, nothing) =>
    nothing.pipe(
      upon(severalProcesses(settings, owner)),
      upon(placement),
      upon(once(owner)),
      upon(others(settings)),
      upon(Quarantine.several),
      upon(Pausings.layer),
      upon(PlacesInWork.layer(parking)),
      upon(bells),
      upon(actors(owner))
    )
  )

/** When something was on its way on the front-end although no call waited for it: a boot, a shutdown, a network that is being removed. */
import type { FrontEnd } from "../../src/simulator/opennebula/index.js"
import { Lcm, VmState } from "../../src/simulator/opennebula/index.js"
import { now } from "./calls.js"
import type { Wait } from "./protocol.js"

const ready = 1

const isOnItsWay = ({ world }: FrontEnd): boolean => {
  for (const { lcm, state } of world.vms)
    if (state === VmState.pending || (state === VmState.active && lcm !== Lcm.running)) return true
  for (const { state } of world.networks) if (state !== ready) return true
  return false
}

export const watchWaits = (cloud: FrontEnd) => {
  const waits: Array<Wait> = []
  let since: number | undefined
  const look = () => {
    const is = isOnItsWay(cloud)
    if (is && since === undefined) since = now()
    else if (!is && since !== undefined) {
      waits.push({ from: since, to: now() })
      since = undefined
    }
  }
  const timer = setInterval(look, 1)
  return {
    end: (): ReadonlyArray<Wait> => {
      clearInterval(timer)
      return waits
    }
  }
}

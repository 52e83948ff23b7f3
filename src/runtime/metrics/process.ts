/**
 * The process itself: CPU, memory, delays of the event loop, collections of garbage. Of the process, so measured once, from the first question on.
 */
import { collectDefaultMetrics, Registry } from "prom-client"

let started: Registry | undefined

const registryOfProcess = (): Registry => {
  if (started === undefined) {
    started = new Registry()
    collectDefaultMetrics({ register: started, eventLoopMonitoringPrecision: 20 })
  }
  return started
}

export const processText = (): Promise<string> => registryOfProcess().metrics()

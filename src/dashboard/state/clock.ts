/** The time, by the second, as the agent's clock has it: a browser whose clock is wrong shows the right "12 min ago". */
import { signal } from "@preact/signals"

let ahead = 0
export const now = signal(Date.now())

const tick = () => {
  now.value = Date.now() + ahead
}
setInterval(tick, 1000)

/** `agentTime`: what the agent's clock said a moment ago, in ms. Differences below 2 s are the network's. */
export const setClock = (agentTime: number): void => {
  const difference = agentTime - Date.now()
  ahead = Math.abs(difference) < 2000 ? 0 : difference
  tick()
}

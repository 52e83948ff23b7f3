/** Times as they are read at night: how long ago first, when exactly beside it. */
import { now } from "../state/clock.js"
import { age, span, timeOf } from "./format.js"

/** "12 min ago", "in 5 s", by the agent's clock. */
export const Ago = ({ at }: { readonly at: number }) => {
  const passed = now.value - at
  return (
    <time dateTime={new Date(at).toISOString()} title={timeOf(at, now.value)}>
      {Math.abs(passed) < 1000 ? "just now" : passed >= 0 ? `${age(passed)} ago` : `in ${age(-passed)}`}
    </time>
  )
}

export const At = ({ at }: { readonly at: number }) => (
  <time class="nowrap" dateTime={new Date(at).toISOString()}>
    {timeOf(at, now.value)}
  </time>
)

/** "12 min, since 22:41:03" */
export const Since = ({ at }: { readonly at: number }) => (
  <span class="since">
    <strong>{age(now.value - at)}</strong>
    <span class="muted small">
      since <At at={at} />
    </span>
  </span>
)

/** From then to then, or to now. */
export const Took = ({ from, to }: { readonly from: number; readonly to: number | null }) => (
  <span class="nowrap">{span((to ?? now.value) - from)}</span>
)

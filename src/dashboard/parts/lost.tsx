/** Says plainly when what is on the screen is old, and how old. */
import { now } from "../state/clock.js"
import { connection } from "../state/live.js"
import { age, clockTime } from "./format.js"
import { shapes } from "./icons.js"

export const Lost = () => {
  const state = connection.value
  return (
    // Always there, so that a screen reader hears what comes into it.
    <div role="alert">
      {state.state === "lost" ? (
        <div class="lost">
          {shapes.bad}
          <span>The connection to the agent was lost at {clockTime(state.since)}. What you see is from then.</span>
          <span class="small" aria-hidden="true">
            {age(now.value - state.since)} ago; trying again every 2 s
          </span>
        </div>
      ) : null}
    </div>
  )
}

/** What a step did: each try with its error, and the calls that it made. */
import type { OrderDetail, Step } from "../../../api/index.js"
import { At } from "../../parts/time.js"
import { CallRows } from "./calls.js"
import { barWords } from "./words.js"

export const StepDetail = ({
  order,
  step,
  at
}: {
  readonly order: OrderDetail
  readonly step: Step
  readonly at: number
}) => {
  const calls = order.calls.filter((call) => call.step === step.name)
  return (
    <div class="inside">
      <ol class="lines">
        {step.bars.map((bar) => (
          <li key={`${bar.kind} ${bar.from}`}>
            <At at={bar.from} /> {barWords(bar, at)}
            {bar.error === "" ? null : <span class="error">{bar.error}</span>}
          </li>
        ))}
      </ol>
      {step.result === "" ? null : (
        <p>
          <span class="muted">Remembers </span>
          <code class="long">{step.result}</code>
        </p>
      )}
      {calls.length > 0 ? (
        <CallRows calls={calls} caption={`Calls of ${step.name}`} ofOne />
      ) : (
        <p class="muted small">
          {order.callsMissing
            ? "Its calls are not known any more: they live in the agent's memory, and it has been started anew since, or made many others."
            : "It made no call."}
        </p>
      )}
    </div>
  )
}

/** Every call to a server, with how long it took and what came back. */
import type { Call, OrderDetail } from "../../../api/index.js"
import { count, span } from "../../parts/format.js"
import { Status } from "../../parts/status.js"
import { systemName } from "../../parts/systems.js"
import { At } from "../../parts/time.js"

export const CallRows = ({
  calls,
  caption,
  ofOne = false
}: {
  readonly calls: ReadonlyArray<Call>
  readonly caption: string
  /** Of one step: its name need not stand in each row. */
  readonly ofOne?: boolean
}) => (
  <div class="scroll">
    <table class="calls">
      <caption class="heard">{caption}</caption>
      <thead>
        <tr>
          <th scope="col" class="wide">
            At
          </th>
          {ofOne ? null : (
            <th scope="col" class="wide">
              Step
            </th>
          )}
          <th scope="col">Call</th>
          <th scope="col" class="figure">
            Took
          </th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody>
        {calls.map((call, index) => (
          <tr key={index}>
            <td class="wide muted">
              <At at={call.at} />
            </td>
            {ofOne ? null : <td class="wide muted">{call.step ?? ""}</td>}
            <td>
              <span class="muted small">{systemName(call.system)}</span>{" "}
              <code class="long">
                {call.call} {call.about}
              </code>
            </td>
            <td class="figure nowrap">{span(call.ms)}</td>
            <td>
              {call.outcome === "ok" ? (
                <span class="muted">ok</span>
              ) : (
                <Status look={{ shape: "bad", tone: "bad", word: call.outcome }} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

export const Calls = ({ order: { calls, callsMissing } }: { readonly order: OrderDetail }) => (
  <section class="panel" aria-labelledby="calls">
    <h2 id="calls">{count(calls.length, "call")}</h2>
    {callsMissing ? (
      <p class="muted small">
        Earlier ones are not known any more: calls live in the agent's memory, steps in its journal.
      </p>
    ) : null}
    {calls.length === 0 ? null : (
      <details>
        <summary>Show them in the order in which they were sent</summary>
        <CallRows calls={calls} caption="Calls, the oldest first" />
      </details>
    )}
  </section>
)

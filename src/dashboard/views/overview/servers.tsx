/** The servers that all rests on: do they answer, how fast, how often not. */
import type { Overview } from "../../../api/index.js"
import { number, percent, span } from "../../parts/format.js"
import { Status } from "../../parts/status.js"
import { systemName } from "../../parts/systems.js"

const closed = { shape: "ok", tone: "ok", word: "Answers" } as const
const open = { shape: "bad", tone: "bad", word: "Away" } as const

export const Servers = ({ overview: { servers, systems } }: { readonly overview: Overview }) => (
  <section class="panel" aria-labelledby="servers">
    <h2 id="servers">Servers</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col">State</th>
            <th scope="col" class="figure wide">
              Calls in 10 min
            </th>
            <th scope="col" class="figure wide">
              Median
            </th>
            <th scope="col" class="figure wide">
              95 %
            </th>
            <th scope="col" class="figure">
              Errors
            </th>
          </tr>
        </thead>
        <tbody>
          {servers.map((server) => {
            const figures = systems.find(({ system }) => system === server.system)
            const share = figures === undefined || figures.calls === 0 ? undefined : figures.errors / figures.calls
            return (
              <tr key={server.url}>
                <th scope="row">
                  {systemName(server.system)}
                  <span class="muted small mono reason">{server.url}</span>
                  {server.reason === "" ? null : <span class="small reason">{server.reason}</span>}
                </th>
                <td>
                  <Status look={server.breaker === "open" ? open : closed} />
                </td>
                <td class="figure wide">{number(figures?.calls ?? 0)}</td>
                <td class="figure nowrap wide">{figures?.p50 == null ? "none" : span(figures.p50)}</td>
                <td class="figure nowrap wide">{figures?.p95 == null ? "none" : span(figures.p95)}</td>
                <td class="figure nowrap">{share === undefined ? "none" : percent(share)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  </section>
)

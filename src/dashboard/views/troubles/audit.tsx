/** Who did what by hand. */
import { short } from "../../parts/format.js"
import { Pages, usePages } from "../../parts/pages.js"
import { Empty, Shown } from "../../parts/states.js"
import { type Look, Status } from "../../parts/status.js"
import { At } from "../../parts/time.js"
import { useAsked } from "../../state/asked.js"

const size = 50

const lookOf = (ok: boolean | null): Look =>
  ok === null
    ? { shape: "busy", tone: "busy", word: "Not over" }
    : ok
      ? { shape: "ok", tone: "ok", word: "Done" }
      : { shape: "bad", tone: "bad", word: "Not done" }

export const Audit = () => {
  const pages = usePages()
  const asked = useAsked("actions.audit", { query: { cursor: pages.cursor, limit: size } }, ({ overview }) => overview)
  return (
    <Shown asked={asked} what="what was done by hand">
      {({ rows, next, total }) =>
        rows.length === 0 ? (
          <Empty title="Nothing was done by hand yet" />
        ) : (
          <>
            <div class="scroll">
              <table>
                <caption class="heard">Done by hand, the newest first</caption>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Who</th>
                    <th scope="col">What</th>
                    <th scope="col" class="wide">
                      Result
                    </th>
                    <th scope="col" class="wide">
                      What came of it
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={`${row.at} ${row.kind} ${row.subject} ${row.detail}`}>
                      <td>
                        <At at={row.at} />
                      </td>
                      <td>
                        {row.who}
                        <span class="muted small reason">{row.by}</span>
                      </td>
                      <th scope="row">
                        {row.kind} <span class="mono muted">{short(row.subject)}</span>
                        {row.detail === "" ? null : <span class="muted small reason">{row.detail}</span>}
                      </th>
                      <td class="wide nowrap">
                        <Status look={lookOf(row.ok)} />
                      </td>
                      <td class="wide">{row.outcome}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <Pages page={pages} next={next} total={total} shown={rows.length} size={size} what="entries" />
          </>
        )
      }
    </Shown>
  )
}

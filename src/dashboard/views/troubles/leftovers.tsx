/** What could not be undone. */
import { ActionButton } from "../../parts/acting.js"
import { Empty, Shown } from "../../parts/states.js"
import { Subject } from "../../parts/subject.js"
import { Since } from "../../parts/time.js"
import { useAsked } from "../../state/asked.js"
import { link } from "../../state/router.js"

export const Leftovers = () => {
  const asked = useAsked("troubles.leftovers", {}, ({ overview }) => overview)
  return (
    <Shown asked={asked} what="what is left over">
      {(rows) =>
        rows.length === 0 ? (
          <Empty title="Nothing is left over" />
        ) : (
          <div class="scroll">
            <table class="stacks told">
              <caption class="heard">What is left over</caption>
              <thead>
                <tr>
                  <th scope="col">Of resource</th>
                  <th scope="col">What, and why</th>
                  <th scope="col" class="wide">
                    Since
                  </th>
                  <th scope="col">
                    <span class="heard">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => {
                  const about = `${row.step} of ${row.name}`
                  return (
                    <tr key={`${row.order} ${row.step}`}>
                      <th scope="row">
                        <Subject {...row} />
                      </th>
                      <td>
                        <strong>{row.step}</strong> of <a href={link(`/orders/${row.order}`)}>its order</a>
                        <span class="error">{row.reason}</span>
                      </td>
                      <td class="wide">
                        <Since at={row.since} />
                      </td>
                      <td>
                        <div class="actions end">
                          <ActionButton action={{ kind: "remove-leftovers", order: row.order }} about={about} />
                          <ActionButton
                            action={{ kind: "forget-leftover", order: row.order, step: row.step }}
                            about={about}
                          />
                        </div>
                      </td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </div>
        )
      }
    </Shown>
  )
}

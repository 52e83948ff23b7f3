/** Resources that a bug stopped. */
import { ActionButton } from "../../parts/acting.js"
import { Empty, Shown } from "../../parts/states.js"
import { Subject } from "../../parts/subject.js"
import { Since } from "../../parts/time.js"
import { useAsked } from "../../state/asked.js"
import { link } from "../../state/router.js"

export const Quarantine = () => {
  const asked = useAsked("troubles.quarantine", {}, ({ overview }) => overview)
  return (
    <Shown asked={asked} what="the quarantine">
      {(rows) =>
        rows.length === 0 ? (
          <Empty title="Nobody is in quarantine" />
        ) : (
          <div class="scroll">
            <table class="stacks told">
              <caption class="heard">Resources in quarantine</caption>
              <thead>
                <tr>
                  <th scope="col">Resource</th>
                  <th scope="col">What happened</th>
                  <th scope="col" class="wide">
                    Since
                  </th>
                  <th scope="col">
                    <span class="heard">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.resource}>
                    <th scope="row">
                      <Subject {...row} />
                    </th>
                    <td>
                      <a href={link(`/orders/${row.order}`)}>Its order</a>
                      <span class="error">{row.reason}</span>
                    </td>
                    <td class="wide">
                      <Since at={row.since} />
                    </td>
                    <td>
                      <ActionButton action={{ kind: "release", resource: row.resource }} about={row.name} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Shown>
  )
}

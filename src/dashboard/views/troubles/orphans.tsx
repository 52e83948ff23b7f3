/** What nobody owns: looked for when somebody asks, as it means reading Waldur and every cloud. */
import { useSignal } from "@preact/signals"
import type { Orphans as Found } from "../../../api/index.js"
import { shapes } from "../../parts/icons.js"
import { Empty, Loading, NotToBeHad } from "../../parts/states.js"
import { Ago } from "../../parts/time.js"
import { ask, type Result } from "../../state/client.js"

const reasons: Readonly<Record<(typeof Found.Type)["rows"][number]["why"], string>> = {
  terminated: "Its resource has ended in Waldur.",
  "unknown here": "Waldur does not know its resource.",
  forgotten: "Waldur does not know its resource, which was not ended here: it may have been put back from a backup.",
  stranger: "Nobody's mark is on it.",
  surplus: "It says that it is a resource's that has another one.",
  untagged: "It has no mark, and is called as what a failed order would have made: it may be anybody's."
}

const List = ({ found: { at, rows, problems } }: { readonly found: typeof Found.Type }) => (
  <>
    {problems.map((problem) => (
      <p key={problem} class="notice bad">
        {shapes.warn}
        {problem}
      </p>
    ))}
    {rows.length === 0 ? (
      <Empty title={problems.length === 0 ? "There are none" : "None where one could look"}>
        Looked <Ago at={at} />.
      </Empty>
    ) : (
      <div class="scroll">
        <table>
          <caption class="heard">Orphans</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Name</th>
              <th scope="col">Why</th>
              <th scope="col" class="wide">
                Offering
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.offering} ${row.kind} ${row.id}`}>
                <td class="nowrap">
                  {row.kind} <span class="mono">{row.id}</span>
                </td>
                <th scope="row">{row.name}</th>
                <td>{reasons[row.why]}</td>
                <td class="wide muted">{row.offeringName}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
  </>
)

export const Orphans = () => {
  const answer = useSignal<Result<typeof Found.Type> | undefined>(undefined)
  const busy = useSignal(false)
  const look = async () => {
    busy.value = true
    answer.value = await ask("troubles.orphans")
    busy.value = false
  }
  return (
    <>
      <div class="actions">
        <button type="button" class="button" disabled={busy.value} onClick={() => void look()}>
          {busy.value ? "Looking" : "Look for orphans now"}
        </button>
        <span class="muted small">
          It reads Waldur and every cloud, for half a minute at most, and changes nothing.
        </span>
      </div>
      {busy.value ? (
        <Loading what="orphans" rows={3} />
      ) : answer.value === undefined ? null : answer.value.ok ? (
        <List found={answer.value.value} />
      ) : (
        <NotToBeHad failure={answer.value.failure} again={() => void look()} />
      )}
    </>
  )
}

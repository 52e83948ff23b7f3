/** In what the cloud is other than Waldur says, of all resources. */
import { ActionButton } from "../../parts/acting.js"
import { Choice, Search } from "../../parts/filters.js"
import { Pages, usePages } from "../../parts/pages.js"
import { Empty, Shown } from "../../parts/states.js"
import { Subject } from "../../parts/subject.js"
import { Since } from "../../parts/time.js"
import { useAsked } from "../../state/asked.js"
import { useOfferings } from "../../state/overview.js"
import { place } from "../../state/router.js"
import { followUp } from "../resource/differences.js"

const size = 50
const kinds = [
  "missing",
  "quotas",
  "sizes",
  "state",
  "owner",
  "network",
  "isolation",
  "standing",
  "enforcement",
  "project"
].map((kind) => [kind, kind] as const)

export const Differing = () => {
  const { search } = place.value
  const pages = usePages()
  const filters = {
    search: search.get("search") ?? "",
    kind: search.get("kind") ?? "",
    offering: search.get("offering") ?? ""
  }
  const asked = useAsked(
    "troubles.differences",
    { query: { ...filters, cursor: pages.cursor, limit: size } },
    ({ overview, resources }) => overview || resources.length > 0
  )
  return (
    <>
      <search class="filters">
        <Search label="Find" placeholder="Name or uuid" />
        <Choice name="kind" label="Kind" all="Every kind" options={kinds} />
        <Choice name="offering" label="Offering" all="All offerings" options={useOfferings()} />
        <ActionButton action={{ kind: "reconcile" }} about="all offerings" />
      </search>
      <Shown asked={asked} what="differences">
        {({ rows, next, total }) =>
          rows.length === 0 ? (
            <Empty title="No difference is known">
              What was looked at is as Waldur says. After a start the first look takes some minutes to come.
            </Empty>
          ) : (
            <>
              <div class="scroll">
                <table>
                  <caption class="heard">Differences, the oldest first</caption>
                  <thead>
                    <tr>
                      <th scope="col">Resource</th>
                      <th scope="col">What differs</th>
                      <th scope="col" class="wide">
                        What follows
                      </th>
                      <th scope="col" class="wide">
                        Since
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={`${row.resource} ${row.kind} ${row.subject}`}>
                        <th scope="row">
                          <Subject {...row} />
                        </th>
                        <td>{row.sentence}</td>
                        <td class="wide muted">{followUp(row)}</td>
                        <td class="wide">
                          <Since at={row.since} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              <Pages page={pages} next={next} total={total} shown={rows.length} size={size} what="differences" />
            </>
          )
        }
      </Shown>
    </>
  )
}

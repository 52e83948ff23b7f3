/** All resources: as a list, or as a map with a field for each. Both are read in pages, so ten thousand are no slower than ten. */
import type { ResourceFilter, ResourceRow } from "../../api/index.js"
import { Choice, Search, Switch } from "../parts/filters.js"
import { short } from "../parts/format.js"
import { Pages, usePages } from "../parts/pages.js"
import { Empty, Shown } from "../parts/states.js"
import { resourceLook, Status } from "../parts/status.js"
import { Ago } from "../parts/time.js"
import { useTitle } from "../parts/title.js"
import { useAsked } from "../state/asked.js"
import { useOfferings } from "../state/overview.js"
import { filterBy, link, place } from "../state/router.js"

const sizes = { list: 50, map: 200 } as const

const states: ReadonlyArray<readonly [ResourceFilter, string]> = [
  ["differing", "Differ from Waldur"],
  ["missing", "Missing in the cloud"],
  ["unhealthy", "Unhealthy"],
  ["busy", "Order in work"],
  ["making", "Being made"],
  ["active", "Active"],
  ["failed", "Not made"],
  ["ended", "Ended"]
]

export const resourceName = ({ name, resource }: Pick<ResourceRow, "name" | "resource">): string =>
  name === "" ? short(resource) : name

const List = ({ rows }: { readonly rows: ReadonlyArray<ResourceRow> }) => (
  <div class="scroll">
    <table>
      <caption class="heard">Resources, by name</caption>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Resource</th>
          <th scope="col" class="wide">
            Offering
          </th>
          <th scope="col">Backend id</th>
          <th scope="col" class="wide">
            In the cloud
          </th>
          <th scope="col" class="figure wide">
            Differences
          </th>
          <th scope="col" class="figure wide">
            Looked at
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.resource}>
            <td class="nowrap">
              <Status look={resourceLook(row)} />
            </td>
            <th scope="row">
              <a href={link(`/resources/${row.resource}`)} title={row.resource}>
                {resourceName(row)}
              </a>
            </th>
            <td class="wide muted">{row.offeringName}</td>
            <td class="mono">{row.backendId}</td>
            <td class="wide muted">{row.state}</td>
            <td class="figure wide">{row.differences === 0 ? <span class="muted">0</span> : row.differences}</td>
            <td class="figure wide nowrap muted">{row.looked === null ? "not yet" : <Ago at={row.looked} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

const Map = ({ rows }: { readonly rows: ReadonlyArray<ResourceRow> }) => (
  <ul class="map" aria-label="Resources, by name">
    {rows.map((row) => {
      const look = resourceLook(row)
      return (
        <li key={row.resource}>
          <a
            class={`field-of ${look.tone}`}
            href={link(`/resources/${row.resource}`)}
            title={`${look.word}: ${row.offeringName}`}
          >
            <Status look={{ ...look, word: resourceName(row) }} />
            <span class="small muted">{look.word}</span>
          </a>
        </li>
      )
    })}
  </ul>
)

export const Resources = () => {
  useTitle("Resources")
  const { search } = place.value
  const pages = usePages()
  const shape = search.get("as") === "map" ? "map" : "list"
  const filters = {
    search: search.get("search") ?? "",
    state: search.get("state") ?? "",
    offering: search.get("offering") ?? ""
  }
  const asked = useAsked(
    "resources.list",
    { query: { ...filters, cursor: pages.cursor, limit: sizes[shape] } },
    ({ resources }) => resources.length > 0
  )
  const filtered = Object.values(filters).some((value) => value !== "")
  return (
    <>
      <header class="head">
        <h1>Resources</h1>
        <Switch
          label="Shown as"
          options={[
            ["list", "List"],
            ["map", "Map"]
          ]}
          chosen={shape}
          choose={(as) => filterBy({ as: as === "map" ? "map" : "", page: "", before: "" })}
        />
      </header>
      <search class="filters">
        <Search label="Find" placeholder="Name or uuid" />
        <Choice name="state" label="State" all="All that have not ended" options={states} />
        <Choice name="offering" label="Offering" all="All offerings" options={useOfferings()} />
      </search>
      <section class="panel" aria-label={shape === "map" ? "Map of resources" : "List of resources"}>
        <Shown asked={asked} what="resources" rows={10}>
          {({ rows, next, total }) =>
            rows.length === 0 ? (
              <Empty title={filtered ? "No resource is like this" : "No resource yet"}>
                {filtered
                  ? "Take a filter away to see more. The name is searched for, upper and lower case alike."
                  : "The first one comes with the first order, or with the first look at what Waldur knows."}
              </Empty>
            ) : (
              <>
                {shape === "map" ? <Map rows={rows} /> : <List rows={rows} />}
                <Pages
                  page={pages}
                  next={next}
                  total={total}
                  shown={rows.length}
                  size={sizes[shape]}
                  what="resources"
                />
              </>
            )
          }
        </Shown>
      </section>
    </>
  )
}

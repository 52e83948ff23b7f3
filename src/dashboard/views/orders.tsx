/** Every order that the journal knows, the newest first. */
import { Choice, Search } from "../parts/filters.js"
import { OrdersTable } from "../parts/orders-table.js"
import { Pages, usePages } from "../parts/pages.js"
import { Empty, Shown } from "../parts/states.js"
import { orderLooks } from "../parts/status.js"
import { useTitle } from "../parts/title.js"
import { useAsked } from "../state/asked.js"
import { useOfferings } from "../state/overview.js"
import { place } from "../state/router.js"

const size = 50
const states = [
  ["open", "Open"],
  ["ended", "Ended"],
  ...Object.entries(orderLooks).map(([state, { word }]) => [state, word] as const)
] as const
const types = ["Create", "Update", "Terminate", "Restore"].map((type) => [type, type] as const)

export const Orders = () => {
  useTitle("Orders")
  const { search } = place.value
  const pages = usePages()
  const filters = {
    search: search.get("search") ?? "",
    state: search.get("state") ?? "",
    type: search.get("type") ?? "",
    offering: search.get("offering") ?? "",
    resource: search.get("resource") ?? ""
  }
  const asked = useAsked(
    "orders.list",
    { query: { ...filters, cursor: pages.cursor, limit: size } },
    ({ orders }) => orders.length > 0
  )
  const filtered = Object.values(filters).some((value) => value !== "")
  return (
    <>
      <header class="head">
        <h1>Orders</h1>
      </header>
      <search class="filters">
        <Search label="Find" placeholder="Name or uuid" />
        <Choice name="state" label="State" all="Any state" options={states} />
        <Choice name="type" label="Type" all="Any type" options={types} />
        <Choice name="offering" label="Offering" all="All offerings" options={useOfferings()} />
      </search>
      <section class="panel" aria-label="List of orders">
        <Shown asked={asked} what="orders" rows={10}>
          {({ rows, next, total }) =>
            rows.length === 0 ? (
              <Empty title={filtered ? "No order is like this" : "No order yet"}>
                {filtered
                  ? "Take a filter away to see more."
                  : "The agent looks into Waldur's queue. The first order will be here as soon as it is taken."}
              </Empty>
            ) : (
              <>
                <OrdersTable rows={rows} caption="Orders, the newest first" />
                <Pages page={pages} next={next} total={total} shown={rows.length} size={size} what="orders" />
              </>
            )
          }
        </Shown>
      </section>
    </>
  )
}

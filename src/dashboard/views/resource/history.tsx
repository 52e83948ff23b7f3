/** What was ordered, and what was done about the resource without an order. */
import type { ResourceDetail } from "../../../api/index.js"
import { OrdersTable } from "../../parts/orders-table.js"
import { Empty } from "../../parts/states.js"
import { At } from "../../parts/time.js"
import { link } from "../../state/router.js"

export const History = ({ resource }: { readonly resource: ResourceDetail }) => (
  <>
    <section class="panel" aria-labelledby="its-orders">
      <div class="panel-head">
        <h2 id="its-orders">Orders</h2>
        <a href={link("/orders", { resource: resource.resource })}>All of its orders</a>
      </div>
      {resource.orders.length === 0 ? (
        <Empty title="None that the journal knows">
          It was made before this agent, or its orders have been forgotten.
        </Empty>
      ) : (
        <OrdersTable rows={resource.orders} caption="Orders of this resource, the newest first" ofOne />
      )}
    </section>
    {resource.reconciliations.length === 0 ? null : (
      <section class="panel" aria-labelledby="put-right">
        <h2 id="put-right">Done without an order</h2>
        <ol class="lines">
          {resource.reconciliations.map(({ at, step, event, detail }) => (
            <li key={`${at} ${step} ${event}`}>
              <At at={at} /> <strong>{step}</strong> {event} <span class="muted">{detail}</span>
            </li>
          ))}
        </ol>
      </section>
    )}
  </>
)

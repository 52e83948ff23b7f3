/** One order, as it happens: what it is at, what comes next, and every step and call that led there. */
import type { OrderDetail } from "../../../api/index.js"
import { Actions } from "../../parts/acting.js"
import { count, number, plain } from "../../parts/format.js"
import { orderTitle } from "../../parts/orders-table.js"
import { Shown } from "../../parts/states.js"
import { orderLooks, Status } from "../../parts/status.js"
import { Ago, At, Took } from "../../parts/time.js"
import { useTitle } from "../../parts/title.js"
import { useAsked } from "../../state/asked.js"
import { link } from "../../state/router.js"
import { Calls } from "./calls.js"
import { Timeline } from "./timeline.js"

const Facts = ({ order }: { readonly order: OrderDetail }) => (
  <dl class="facts">
    <div>
      <dt>Resource</dt>
      <dd>
        <a href={link(`/resources/${order.resource}`)}>{order.name === "" ? order.resource : order.name}</a>
      </dd>
    </div>
    <div>
      <dt>Offering</dt>
      <dd>{order.offeringName}</dd>
    </div>
    {order.project === "" ? null : (
      <div>
        <dt>Project</dt>
        <dd>{order.project}</dd>
      </div>
    )}
    <div>
      <dt>Accepted</dt>
      <dd>
        <At at={order.accepted} />, <Ago at={order.accepted} />
      </dd>
    </div>
    <div>
      <dt>{order.ended === null ? "Takes so far" : "Took"}</dt>
      <dd>
        <Took from={order.accepted} to={order.ended} />
        {order.retries === 0 ? "" : `, ${count(order.retries, "retry", "retries")}`}
      </dd>
    </div>
    {order.deadline === null ? null : (
      <div>
        <dt>Given up</dt>
        <dd>
          <Ago at={order.deadline} />
        </dd>
      </div>
    )}
    {order.amounts.length === 0 ? null : (
      <div>
        <dt>Ordered</dt>
        <dd>{order.amounts.map(({ name, unit, amount }) => `${name} ${number(amount)} ${unit}`.trim()).join(", ")}</dd>
      </div>
    )}
    <div>
      <dt>Order</dt>
      <dd class="mono">{order.order}</dd>
    </div>
  </dl>
)

const Refusal = ({ refusal }: { readonly refusal: OrderDetail["refusal"] }) =>
  refusal === null ? null : (
    <div class="refusal">
      <p>
        The customer was told: <q>{refusal.customerMessage}</q>
      </p>
      {refusal.detail === "" ? null : <p class="small mono">{refusal.detail}</p>}
    </div>
  )

const LeftOver = ({ order }: { readonly order: OrderDetail }) =>
  order.leftovers.length === 0 ? null : (
    <section class="panel" aria-labelledby="left">
      <h2 id="left">Left over</h2>
      <ul class="lines">
        {order.leftovers.map(({ step, reason, since }) => (
          <li key={step}>
            <strong>{step}</strong> {reason}{" "}
            <span class="muted">
              since <At at={since} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )

const Shows = ({ order }: { readonly order: OrderDetail }) => {
  const title = orderTitle(order)
  const { word } = orderLooks[order.state]
  useTitle(`${word}: ${title}`)
  return (
    <>
      <header class="head">
        <div>
          <p class="muted small">
            <a href="#/orders">Orders</a>
          </p>
          <h1>{title}</h1>
        </div>
        <Actions kinds={order.actions} about={title} order={order.order} resource={order.resource} />
      </header>
      <div class={`next ${orderLooks[order.state].tone}`}>
        <Status look={orderLooks[order.state]} />
        <p>
          {order.next.what}
          {order.next.at === null ? null : (
            <>
              {" "}
              <strong>
                <Ago at={order.next.at} />
              </strong>
            </>
          )}
        </p>
        <Refusal refusal={order.refusal} />
      </div>
      <p class="heard" role="status">
        {word}. {order.next.what}
      </p>
      <Facts order={order} />
      <section class="panel" aria-labelledby="steps">
        <div class="panel-head">
          <h2 id="steps">Steps</h2>
          {order.earlierRounds === 0 ? null : (
            <p class="muted small">Taken up anew {count(order.earlierRounds, "time")}: this is the last round.</p>
          )}
        </div>
        <Timeline order={order} />
      </section>
      <LeftOver order={order} />
      <Calls order={order} />
      <section class="panel" aria-labelledby="marks">
        <h2 id="marks">The order as a whole</h2>
        <ol class="lines">
          {order.marks.map(({ at, event, text }) => (
            <li key={`${at} ${event}`}>
              <At at={at} /> <strong>{event}</strong> <span class="muted">{plain(text)}</span>
            </li>
          ))}
        </ol>
      </section>
    </>
  )
}

export const Order = ({ id }: { readonly id: string }) => {
  const uuid = id.replaceAll("-", "").toLowerCase()
  const asked = useAsked("orders.order", { path: { order: uuid } }, ({ orders }) =>
    orders.some(({ order }) => order === uuid)
  )
  return (
    <Shown asked={asked} what="the order" rows={10}>
      {(order) => <Shows order={order} />}
    </Shown>
  )
}

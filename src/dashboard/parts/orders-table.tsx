/** Orders as rows: in the list of all, and of one resource. */
import type { OrderRow } from "../../api/index.js"
import { link } from "../state/router.js"
import { short } from "./format.js"
import { orderLooks, Status } from "./status.js"
import { Ago, Took } from "./time.js"

export const orderTitle = ({ type, name, order }: Pick<OrderRow, "type" | "name" | "order">): string =>
  `${type ?? "Order"} ${name === "" ? short(order) : name}`

export const OrdersTable = ({
  rows,
  caption,
  ofOne = false
}: {
  readonly rows: ReadonlyArray<OrderRow>
  readonly caption: string
  /** All of one resource: its name need not stand in each row. */
  readonly ofOne?: boolean
}) => (
  <div class="scroll">
    <table>
      <caption class="heard">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Order</th>
          {ofOne ? null : (
            <th scope="col" class="wide">
              Offering
            </th>
          )}
          <th scope="col" class="wide">
            Last
          </th>
          <th scope="col" class="figure">
            Accepted
          </th>
          <th scope="col" class="figure wide">
            Took
          </th>
          <th scope="col" class="figure wide">
            Retries
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.order}>
            <td class="nowrap">
              <Status look={orderLooks[row.state]} />
            </td>
            <th scope="row">
              <a href={link(`/orders/${row.order}`)} title={row.order}>
                {ofOne ? (row.type ?? short(row.order)) : orderTitle(row)}
              </a>
              {row.last === "" ? null : <span class="narrow muted small clip">{row.last}</span>}
            </th>
            {ofOne ? null : <td class="wide muted">{row.offeringName}</td>}
            <td class="wide muted">
              <span class="clip" title={row.last}>
                {row.last}
              </span>
            </td>
            <td class="figure nowrap">
              <Ago at={row.accepted} />
            </td>
            <td class="figure wide">
              <Took from={row.accepted} to={row.ended} />
            </td>
            <td class="figure wide">{row.retries === 0 ? <span class="muted">0</span> : row.retries}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

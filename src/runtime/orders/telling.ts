/** What becomes of an order, for whoever looks on. */
import type { OrderJournal } from "../../core/index.js"
import { publish } from "../activity.js"
import type { Offering } from "../offerings/offering.js"

export const tell = (
  offering: Offering,
  about: Pick<OrderJournal, "order" | "resource">,
  event: string,
  detail?: string
) =>
  publish({
    _tag: "Order",
    order: about.order,
    resource: about.resource,
    offering: offering.id,
    event,
    ...(detail === undefined ? {} : { detail })
  })

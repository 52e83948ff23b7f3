/** What the simulated Waldur's broker has for an agent that hears of its orders. */
import type { Site } from "./site.js"
import { until } from "./waits.js"

/** The queue of the VDC offering's orders: ready, unacknowledged, consumers. */
export const queueOf = ({ marketplace, world }: Site) => {
  const queue = [...(marketplace.world.records.get("event-queues")?.values() ?? [])].find(
    ({ fields }) => fields.object_type === "order" && fields.offering_uuid === world.vdcOffering.uuid
  )
  const { queue_name: name, vhost } = queue?.fields ?? {}
  return marketplace.broker.counts(String(vhost), String(name))
}
export const listening = (site: Site) => until("a consumer of orders", () => queueOf(site)?.consumers === 1)

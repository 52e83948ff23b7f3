/** Where an offering's broker is, as its configuration says. */
import { Option } from "effect"
import type { BrokerPlace } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"

export const brokerPlace = ({ events: { host, path, port, tls } }: Pick<OfferingConfig, "events">): BrokerPlace => ({
  tls,
  host: Option.getOrUndefined(host),
  port: Option.getOrUndefined(port),
  path: Option.getOrUndefined(path)
})

/** What a backend does for an order of each type. */
import type { Effect } from "effect"
import type { HandlerServices, OrderRequest, Outcome, SiteError } from "../../core/index.js"
import type { Offering } from "../offerings/offering.js"
import { restore } from "./accepting/restore.js"

export const backendHandler = (
  offering: Offering,
  request: OrderRequest
): Effect.Effect<Outcome, SiteError, HandlerServices> => {
  const { backend } = offering
  switch (request._tag) {
    case "Create":
      return backend.create(request)
    case "Update":
      return backend.update(request)
    case "Terminate":
      return backend.terminate(request)
    case "Restore":
      return restore(offering, request)
  }
}

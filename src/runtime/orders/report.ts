/** What the marketplace is told of an order that was carried out: each call a step, so that none is forgotten after a crash. */
import { Effect, Redacted } from "effect"
import { amountsToWaldur, ensureDone, type OrderRequest, type Outcome } from "../../core/index.js"
import type { Offering } from "../offerings/offering.js"

/**
 * Tells Waldur the outcome, the state of the order last: `done` must not be seen before what belongs to it.
 *
 * Setting a value again does no harm. Secrets are issued inside the step that shows them: if it is not known whether Waldur has got
 * them, the next attempt makes new ones.
 */
export const report = (offering: Offering, request: OrderRequest, outcome: Outcome) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const components = offering.components.filter(
      (component) => component.accountingType !== "fixed" || offering.reportFixedLimits
    )
    const resource = request.resource.id
    const { backendId, amounts, metadata, endpoints, issueSecrets } = outcome
    if (backendId !== undefined) {
      yield* ensureDone("waldur: backend id", waldur.setBackendId(resource, backendId))
    }
    const limits = amounts === undefined ? {} : amountsToWaldur(components, amounts)
    if (Object.keys(limits).length > 0) {
      yield* ensureDone("waldur: limits", waldur.setLimits(resource, limits))
    }
    if (metadata !== undefined || issueSecrets !== undefined) {
      yield* ensureDone(
        "waldur: metadata",
        Effect.flatMap(issueSecrets ?? Effect.succeed({}), (secrets) =>
          waldur.setBackendMetadata(resource, { ...metadata, ...revealed(secrets) })
        )
      )
    }
    if (endpoints !== undefined && endpoints.length > 0) {
      yield* ensureDone("waldur: endpoints", waldur.setEndpoints(resource, endpoints))
    }
    yield* ensureDone("waldur: done", waldur.setStateDone(request.order))
  })

const revealed = (secrets: Readonly<Record<string, Redacted.Redacted>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, Redacted.value(secret)]))

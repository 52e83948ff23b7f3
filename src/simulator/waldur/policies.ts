/** What policies keep from being changed, and how Waldur says so (source: waldur-mastermind, policy/handlers.py, policy_actions.py and models.py, 2026). */
import { Either } from "effect"
import { invalid, type Outcome } from "./answers.js"
import { limitTypes } from "./limits.js"
import type { Amounts, JsonObject, Resource } from "./model.js"

/**
 * Once a project has cost more than its policy allows, and that is to block modifications, no resource of it is saved with any change, whoever asks and for
 * whatever: neither "done" nor "erred" of an order. When it was last looked at and what it has used may change.
 */
export const takesChange = ({ project }: Resource): Outcome<void> =>
  project.blocksModification === true
    ? invalid([
        `Modification of new resources in this project is not available due to a ProjectEstimatedCostPolicy for Project ${project.name}. UUID: ${project.uuid}. Limit cost: 100.`
      ])
    : Either.void

/**
 * Where an offering has a policy of periodic usage, limits that are billed as such stay as they are, and the answer is the usual one (marketplace/views.py,
 * `set_limits`): only an order changes them.
 */
export const limitsTaken = ({ limits, offering }: Resource, wanted: JsonObject): Amounts => {
  const taken: Amounts = { ...wanted }
  if (offering.hasPeriodicUsagePolicy !== true) return taken
  for (const type of limitTypes(offering))
    if (type in taken) {
      if (limits[type] === undefined || limits[type] === null) delete taken[type]
      else taken[type] = limits[type]
    }
  return taken
}

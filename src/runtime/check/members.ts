/** Whether Waldur keeps accounts for the members of an offering, where members are synchronised. */
import { Effect, Predicate } from "effect"
import type { SiteError } from "../../core/errors.js"
import type { Offering } from "../../waldur/api/index.js"
import type { WaldurService } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"
import { type Finding, ok, warning } from "./row.js"

const subject = "members"
const option = "service_provider_can_create_offering_user"

/** Without the option Waldur keeps none, says nothing of it, and members work all the same: with names that nobody is told. */
const noAccounts = `Waldur keeps no accounts for this offering: members are called in the cloud as they are in Waldur, but Waldur shows nobody the name of the account, and cannot be told that a name was taken. Set the offering's plugin option ${option} to true in Waldur, or leave it if that is enough.`

export const membersFindings = (
  { functions, id }: OfferingConfig,
  { pluginOptions }: Offering,
  service: WaldurService
): Effect.Effect<ReadonlyArray<Finding>> => {
  if (!functions.membership) return Effect.succeed([])
  return Effect.match(service.offeringUsers(id), {
    onFailure: (error: SiteError) => [
      warning(
        subject,
        `Waldur does not say which accounts there are, so members cannot be synchronised: ${error.message}`
      )
    ],
    onSuccess: ({ items }) => {
      if (items.length > 0) return [ok(subject, `Waldur keeps accounts for this offering: ${items.length}.`)]
      return Predicate.isRecord(pluginOptions) && pluginOptions[option] === true
        ? [
            ok(
              subject,
              "Waldur keeps accounts for this offering, and has none yet: it makes them when somebody is in a team."
            )
          ]
        : [warning(subject, noAccounts)]
    }
  })
}

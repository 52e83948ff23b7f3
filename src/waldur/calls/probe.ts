/** What `site-actors check` asks of Waldur: can these credentials do an agent's work with this offering? Nothing is changed. */
import { Effect, Option } from "effect"
import type { Offering, User } from "../api/index.js"
import type { WaldurError } from "../errors.js"
import type { Listed, ProbeResult } from "../shapes.js"
import type { Reads } from "./reads.js"

const result = <A>(
  what: string,
  effect: Effect.Effect<A, WaldurError>,
  judge: (found: A) => Omit<ProbeResult, "what">,
  explain: (error: WaldurError) => string = ({ message }) => message
): Effect.Effect<ProbeResult> =>
  effect.pipe(
    Effect.map((found) => ({ what, ...judge(found) })),
    Effect.catchAll((error) => Effect.succeed({ what, ok: false, detail: explain(error) }))
  )

/** Says itself what to do. */
const isPlain = (error: WaldurError): boolean =>
  error._tag === "WaldurUnauthorized" ||
  error._tag === "WaldurForbidden" ||
  (error._tag === "WaldurUnreachable" && error.advice !== "")

/** Of the first call: whoever answers it with anything but "no" may be another server. */
const askedAt =
  (apiUrl: string) =>
  (error: WaldurError): string =>
    isPlain(error)
      ? error.message
      : `${error.message} Asked at ${apiUrl}: correct waldur_api_url if that is not Waldur.`

const fine = (detail: string) => ({ ok: true, detail })

const listed = (noun: string) => (found: Listed<unknown>) => ({
  ok: found.malformed.length === 0,
  detail:
    found.malformed.length === 0
      ? `${found.items.length} ${noun}`
      : `${found.items.length} ${noun}, and ${found.malformed.length} that cannot be read`
})

/** The roles that matter here: on the offering, or on the organisation that provides it. */
const rolesOn = (user: User, offering: Offering): ReadonlyArray<string> => {
  const scopes = [Option.some(offering.uuid), offering.customerUuid].flatMap((scope) => Option.toArray(scope))
  return user.permissions
    .filter(({ scopeUuid }) => Option.exists(scopeUuid, (uuid) => scopes.includes(uuid)))
    .map(({ roleName }) => roleName)
}

/**
 * Of these types Waldur lets no agent mark an order as erred or take it up again: 405 (source: waldur-mastermind, marketplace/views.py). What a site
 * agent serves is "Marketplace.Slurm", whatever it is.
 */
const othersTypes: ReadonlySet<string> = new Set([
  "Marketplace.Basic",
  "Marketplace.Booking",
  "Marketplace.Script",
  "SlurmInvoices.SlurmPackage",
  "Support.OfferingTemplate",
  "Waldur.RemoteOffering"
])

export const makeProbe =
  (reads: Reads, apiUrl: string) =>
  (uuid: string): Effect.Effect<ReadonlyArray<ProbeResult>> =>
    Effect.gen(function* () {
      const me = yield* Effect.cached(reads.me)
      const offering = yield* Effect.cached(reads.offering(uuid))
      const identity = yield* result(
        "Waldur accepts the credentials",
        me,
        (user) => fine(`as ${user.username}`),
        askedAt(apiUrl)
      )
      // Without these there is one thing to say, not five.
      if (!identity.ok) return [identity]
      /** Of an offering that cannot be read there is no more to say. */
      const ofOffering = (effect: Effect.Effect<ProbeResult>): Effect.Effect<Option.Option<ProbeResult>> =>
        Effect.if(Effect.isSuccess(offering), {
          onTrue: () => Effect.asSome(effect),
          onFalse: () => Effect.succeedNone
        })
      const results = yield* Effect.all([
        Effect.succeed(identity),
        result("the server's version", reads.version, (version) =>
          fine(Option.getOrElse(version, () => "not shown to the agent's user"))
        ),
        result("the offering can be read", offering, ({ name, state, components }) => ({
          ok: state === "Active" || state === "Paused",
          detail: `"${name}" is ${state}, with ${components.map(({ type }) => type).join(", ") || "no components"}`
        })),
        ofOffering(
          result("the offering's type", offering, ({ type }) => ({
            ok: !othersTypes.has(type),
            detail: othersTypes.has(type)
              ? `${type}, whose orders no agent can end; set it to "Waldur site agent" (Marketplace.Slurm) in Waldur`
              : type || "not shown"
          }))
        ),
        ofOffering(
          result(
            // Recordings 045 and 077: an offering manager alone may read, but neither approve nor finish orders.
            "the user's role with the provider",
            Effect.all({ user: me, offering }),
            ({ user, offering: found }) => {
              const roles = rolesOn(user, found)
              const enough = roles.length === 0 || roles.some((role) => role !== "OFFERING.MANAGER")
              return {
                ok: enough,
                detail: enough
                  ? roles.join(", ") || "none directly; a staff user, or inherited"
                  : "only OFFERING.MANAGER, which can read orders but neither accept nor finish them; a role with the provider's organisation is needed"
              }
            }
          )
        ),
        result(
          "orders can be listed",
          reads.orders({ offering: uuid, states: ["pending-provider", "executing"] }),
          listed("open orders")
        ),
        result(
          "resources can be listed",
          reads.resources({ offering: uuid, states: ["OK", "Erred"] }),
          listed("resources")
        )
      ])
      return results.flatMap((one) => (Option.isOption(one) ? Option.toArray(one) : [one]))
    })

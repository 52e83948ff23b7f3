/** What `site-actors check` asks of Waldur: can these credentials do an agent's work with this offering? Nothing is changed. */
import { Effect, Option } from "effect"
import type { Offering, User } from "./api/index.js"
import type { WaldurError } from "./errors.js"
import type { Reads } from "./reads.js"
import type { Listed, ProbeResult } from "./shapes.js"

const result = <A>(
  what: string,
  effect: Effect.Effect<A, WaldurError>,
  judge: (found: A) => Omit<ProbeResult, "what">
): Effect.Effect<ProbeResult> =>
  effect.pipe(
    Effect.map((found) => ({ what, ...judge(found) })),
    Effect.catchAll((error) => Effect.succeed({ what, ok: false, detail: error.message }))
  )

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

export const makeProbe =
  (reads: Reads) =>
  (uuid: string): Effect.Effect<ReadonlyArray<ProbeResult>> =>
    Effect.gen(function* () {
      const me = yield* Effect.cached(reads.me)
      const offering = yield* Effect.cached(reads.offering(uuid))
      const identity = yield* result("Waldur accepts the credentials", me, (user) => fine(`as ${user.username}`))
      // Without these there is one thing to say, not five.
      if (!identity.ok) return [identity]
      return yield* Effect.all([
        Effect.succeed(identity),
        result("the server's version", reads.version, (version) =>
          fine(Option.getOrElse(version, () => "not shown to the agent's user"))
        ),
        result("the offering can be read", offering, ({ name, state, components }) => ({
          ok: state === "Active" || state === "Paused",
          detail: `"${name}" is ${state}, with ${components.map(({ type }) => type).join(", ") || "no components"}`
        })),
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
    })

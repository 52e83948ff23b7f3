/**
 * Asks Waldur for the queue of an offering and object type: identity, subscription, queue. Each step finds what an earlier start made, so
 * that a restart reads on in the same queue.
 */
import { Effect, Option, Redacted, Schema } from "effect"
import { OfferingFault } from "../../core/errors.js"
import { optionalText, optionalUuid, uuid, uuidOf } from "../api/lenient.js"
import type { Credentials } from "../auth.js"
import type { Call, WaldurClient } from "../client.js"
import { type WaldurError, WaldurMalformedAnswer } from "../errors.js"
import type { EventQueue, ObjectType } from "./types.js"

const Subscription = Schema.Struct({ uuid: uuid("uuid"), user: optionalUuid("user_uuid") })
const Queue = Schema.Struct({ name: optionalText("queue_name"), vhost: optionalText("vhost") })
const Me = Schema.Struct({ uuid: uuid("uuid"), token: optionalText("token") })

export type Registration = (
  offering: string,
  objectType: ObjectType
) => Effect.Effect<EventQueue, WaldurError | OfferingFault>

/** `identity`: the agent's in an offering (`identity.ts`). */
export const makeRegistration = (
  client: WaldurClient,
  credentials: Credentials,
  identity: (offering: string) => Effect.Effect<string, WaldurError>
): Effect.Effect<Registration> =>
  Effect.gen(function* () {
    const oneAtATime = yield* Effect.makeSemaphore(1)

    const ask = <A, I>(call: Call, schema: Schema.Schema<A, I>): Effect.Effect<A, WaldurError> =>
      Effect.flatMap(client.call(call), ({ json }) =>
        Effect.mapError(
          Schema.decodeUnknown(schema)(json),
          () => new WaldurMalformedAnswer({ call: `${call.method} ${call.path}`, reason: "not what was asked for" })
        )
      )

    const me = ask({ method: "GET", path: "users/me/" }, Me)

    /** The broker knows no OIDC: whoever comes by it needs the API token of the agent's user, which only that user is shown. */
    const passcode: Effect.Effect<Redacted.Redacted, WaldurError | OfferingFault> =
      credentials._tag === "Token"
        ? Effect.succeed(Redacted.make(Redacted.value(credentials.token).trim()))
        : Effect.flatMap(me, ({ token }) =>
            Option.match(token, {
              onSome: (value) => Effect.succeed(Redacted.make(value)),
              onNone: () =>
                new OfferingFault({
                  reason: "Waldur does not show the API token of the agent's user, which events need.",
                  hint: "Let the user have an API token, or set stomp_enabled to false."
                })
            })
          )

    return (offering, objectType) =>
      Effect.gen(function* () {
        const id = Option.getOrElse(uuidOf(offering), () => offering)
        const subscription = yield* Effect.flatMap(identity(id), (own) =>
          ask(
            {
              method: "POST",
              path: "marketplace-site-agent-identities/{uuid}/register_event_subscription/",
              uuid: own,
              body: { observable_object_type: objectType },
              repeat: true
            },
            Subscription
          )
        )
        const queue = yield* ask(
          {
            method: "POST",
            path: "event-subscriptions/{uuid}/create_queue/",
            uuid: subscription.uuid,
            body: { offering_uuid: id, object_type: objectType },
            repeat: true
          },
          Queue
        )
        const user = Option.isSome(subscription.user) ? subscription.user.value : (yield* me).uuid
        return {
          vhost: Option.getOrElse(queue.vhost, () => user),
          login: subscription.uuid,
          passcode: yield* passcode,
          name: Option.getOrElse(queue.name, () => `subscription_${subscription.uuid}_offering_${id}_${objectType}`)
        }
      }).pipe(oneAtATime.withPermits(1))
  })

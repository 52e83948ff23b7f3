/**
 * Asks Waldur for queues of an offering. Each step finds what an earlier start made, so that a restart reads on in the same queue.
 *
 * Newer servers have one queue for all types of events (`register_queue`), which they hold to whatever token the agent shows; older ones
 * one for each type: a subscription, and its queue. Newer ones call that deprecated, and keep it for a while.
 */
import { Effect, Option, Redacted, Schema } from "effect"
import { OfferingFault } from "../../core/errors.js"
import { optionalText, optionalUuid, uuid, uuidOf } from "../api/lenient.js"
import type { Call, WaldurClient } from "../client.js"
import { isMissing, type WaldurError, WaldurMalformedAnswer } from "../errors.js"
import type { Credentials } from "../http/auth.js"
import type { EventQueue, ObjectType } from "./types.js"

const Subscription = Schema.Struct({ uuid: uuid("uuid"), user: optionalUuid("user_uuid") })
const Queue = Schema.Struct({ name: optionalText("queue_name"), vhost: optionalText("vhost") })
const filled = <Key extends string>(key: Key) =>
  Schema.propertySignature(Schema.NonEmptyString).pipe(Schema.fromKey(key))
const OneQueue = Schema.Struct({
  login: filled("rmq_username"),
  name: filled("queue_name"),
  vhost: filled("vhost")
})
type OneQueue = typeof OneQueue.Type
const Me = Schema.Struct({ uuid: uuid("uuid"), token: optionalText("token") })

type Asked = Effect.Effect<EventQueue, WaldurError | OfferingFault>

/**
 * While Waldur cannot reach its broker's administration it answers each of these calls with 400, "Failed to create RabbitMQ user" and its like (source:
 * waldur-mastermind, logging/utils.py, `provision_consumer_queue`; logging/serializers.py): no word on what it knows.
 */
export const isBrokerAway = (error: WaldurError | OfferingFault): boolean =>
  error._tag === "WaldurInvalid" && error.messages.some((message) => /RabbitMQ/i.test(message))
export interface Registration {
  /**
   * `refused`: a login that the broker does not take, although Waldur had been asked for it again. Waldur gives a subscription its passcode when it is made, and never
   * another one (source: waldur-mastermind, logging/serializers.py, `EventSubscriptionSerializer`; marketplace_site_agent/views.py): after the API token has changed
   * it has to go, and is made anew.
   */
  readonly eventQueue: (offering: string, objectType: ObjectType, refused?: string) => Asked
  readonly oneEventQueue: (offering: string, objectTypes: ReadonlyArray<ObjectType>) => Asked
}

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

    const idOf = (offering: string) => Option.getOrElse(uuidOf(offering), () => offering)

    /** A server that does not know one of the types refuses all of them, and names it: it is asked again for the others. None would mean all. */
    const register = (own: string, objectTypes: ReadonlyArray<ObjectType>): Effect.Effect<OneQueue, WaldurError> =>
      ask(
        {
          method: "POST",
          path: "marketplace-site-agent-identities/{uuid}/register_queue/",
          uuid: own,
          body: { object_types: objectTypes },
          repeat: true
        },
        OneQueue
      ).pipe(
        Effect.catchTag("WaldurInvalid", (refusal) => {
          const known = objectTypes.filter((type) => !refusal.messages.some((message) => message.includes(`"${type}"`)))
          return known.length === objectTypes.length || known.length === 0 ? refusal : register(own, known)
        })
      )

    const oneEventQueue = (offering: string, objectTypes: ReadonlyArray<ObjectType>): Asked =>
      Effect.gen(function* () {
        const queue = yield* register(yield* identity(idOf(offering)), objectTypes)
        return { ...queue, passcode: yield* passcode }
      }).pipe(oneAtATime.withPermits(1))

    /** Another consumer of the same user may have been quicker: subscriptions are a user's, for all its offerings. */
    const removed = (subscription: string) =>
      client.call({ method: "DELETE", path: "event-subscriptions/{uuid}/", uuid: subscription, repeat: true }).pipe(
        Effect.asVoid,
        Effect.catchIf(isMissing, () => Effect.void)
      )

    const eventQueue = (offering: string, objectType: ObjectType, refused?: string): Asked =>
      Effect.gen(function* () {
        const id = idOf(offering)
        const own = yield* identity(id)
        const subscribed = ask(
          {
            method: "POST",
            path: "marketplace-site-agent-identities/{uuid}/register_event_subscription/",
            uuid: own,
            body: { observable_object_type: objectType },
            repeat: true
          },
          Subscription
        )
        const known = yield* subscribed
        const subscription = known.uuid === refused ? yield* Effect.zipRight(removed(known.uuid), subscribed) : known
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

    return { eventQueue, oneEventQueue }
  })

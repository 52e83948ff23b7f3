/** Event subscriptions, and their queues: what newer servers call deprecated, beside `register_queue`. */
import { Either } from "effect"
import { empty, invalid, json, notFound } from "../../answers.js"
import { openQueue, openSubscription } from "../../events.js"
import type { Json } from "../../model.js"
import { type Handler, lookUp, readObject } from "../../request.js"
import { recordsOf } from "../../world.js"
import { detailAllow, listAllow, type Route } from "../route.js"
import { foundIdentity, identities, keep, list, post, view } from "./records.js"

const subscriptions = "event-subscriptions"
const queues = "event-queues"

/** Source: waldur-mastermind, logging/enums.py; `offering_resources_sync` by marketplace_site_agent/tests/test_offering_resources_sync.py. */
const objectTypes: ReadonlyArray<Json | undefined> = [
  "order",
  "user_role",
  "resource",
  "offering_user",
  "importable_resources",
  "service_account",
  "course_account",
  "resource_periodic_limits",
  "offering_resources_sync"
]
export const isObjectType = (type: Json | undefined): boolean => objectTypes.includes(type)
export const notAChoice = (value: Json | undefined): string => `"${String(value)}" is not a valid choice.`

/**
 * A user has one of each type, for all offerings, with a login of the broker's, whose passcode is the API token of the time when it was made: one that is there
 * is given out as it is (source: waldur-mastermind, marketplace_site_agent/views.py, `register_event_subscription`).
 */
const register: Handler = (context) =>
  Either.gen(function* () {
    const { user, world } = context
    yield* foundIdentity(context)
    const { observable_object_type: type } = yield* readObject(context.request)
    if (type === undefined || !isObjectType(type)) return yield* invalid({ observable_object_type: [notAChoice(type)] })
    const known = [...recordsOf(world, subscriptions).values()].find(
      ({ fields }) => fields.user_uuid === user.uuid && fields.observable_object_type === type
    )
    if (known !== undefined && world.broker.mayEnter(known.uuid, user.uuid))
      return json(200, view(context, subscriptions, known))
    if (known !== undefined) recordsOf(world, subscriptions).delete(known.uuid)
    const made = keep(context, subscriptions, {
      user_uuid: user.uuid,
      observable_object_type: type,
      observable_objects: [{ object_type: type }]
    })
    openSubscription(world, user, made)
    return json(201, view(context, subscriptions, made))
  })

const owned: (context: Parameters<Handler>[0]) => ReturnType<typeof foundIdentity> = ({ params, user, world }) =>
  lookUp(
    recordsOf(world, subscriptions),
    params.uuid,
    ({ fields }) => user.isStaff || fields.user_uuid === user.uuid,
    notFound("EventSubscription")
  )

/** With its login and its queues; the virtual host goes with the user's last (source: waldur-mastermind, logging/views.py, `perform_destroy`). */
const remove: Handler = (context) =>
  Either.map(owned(context), (record) => {
    const { world } = context
    world.broker.deleteUser(record.uuid)
    const of = recordsOf(world, queues)
    for (const [uuid, { fields }] of of) {
      if (fields.subscription !== record.uuid) continue
      of.delete(uuid)
      world.broker.deleteQueue(String(fields.vhost), String(fields.queue_name))
    }
    recordsOf(world, subscriptions).delete(record.uuid)
    return empty(204)
  })

/** 201 for a new one, 200 for one that is there. */
const createQueue: Handler = (context) =>
  Either.gen(function* () {
    const { user, world } = context
    const subscription = yield* owned(context)
    const body = yield* readObject(context.request)
    if (!isObjectType(body.object_type)) return yield* invalid({ object_type: [notAChoice(body.object_type)] })
    const opened = openQueue(world, user, subscription, body)
    const known = [...recordsOf(world, queues).values()].find(({ fields }) => fields.queue_name === opened.queue_name)
    const record = known ?? keep(context, queues, { ...opened, subscription: subscription.uuid })
    return json(known === undefined ? 201 : 200, view(context, queues, record))
  })

export const subscribing: ReadonlyArray<Route> = [
  { path: subscriptions, allow: listAllow, methods: { GET: list(subscriptions) }, since: "published" },
  {
    path: `${subscriptions}/:uuid`,
    allow: detailAllow,
    methods: {
      GET: (context) => Either.map(owned(context), (record) => json(200, view(context, subscriptions, record))),
      DELETE: remove
    },
    since: "published"
  },
  post(`${identities}/:uuid/register_event_subscription`, register),
  post(`${subscriptions}/:uuid/create_queue`, createQueue)
]

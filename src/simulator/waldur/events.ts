/**
 * Events: the queues that a site agent asks for, and what the marketplace puts into them. The names and bodies are the published API's and
 * the Python agent's; no recorded server had them.
 */
import { readOnly } from "../stomp/index.js"
import type { Json, JsonObject, Offering, OfferingUser, Order, OrderState, Project, Resource, User } from "./model.js"
import { type Change, type PlainRecord, recordsOf, type World } from "./world.js"

const queueRecords = "event-queues"
export const oneQueueRecords = "event-consumers"

/** The broker's user of a subscription: its uuid, with the API token as passcode, in a virtual host of the owner's. */
export const openSubscription = ({ broker }: World, user: User, subscription: PlainRecord): void => {
  broker.addVhost(user.uuid)
  broker.addUser(subscription.uuid, user.token)
  broker.permit(subscription.uuid, user.uuid, readOnly)
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "")

/** What the record of a queue says beside what was sent. Makes the queue, unless it is there. */
export const openQueue = (
  { broker }: World,
  user: User,
  subscription: PlainRecord,
  { offering_uuid: offering, object_type: type }: JsonObject
): JsonObject => {
  const uuid = textOf(offering).replaceAll("-", "")
  const queue_name = `subscription_${subscription.uuid}_offering_${uuid}_${textOf(type)}`
  broker.declareQueue(user.uuid, queue_name)
  return { offering_uuid: uuid, object_type: textOf(type), queue_name, vhost: user.uuid }
}

/**
 * The one queue of an agent, for the types that it asked for: a login and a queue of its own, found again by its identity. None asked for: all.
 */
export const openOneQueue = (
  { broker }: World,
  user: User,
  identity: PlainRecord,
  newUuid: () => string,
  known: JsonObject | undefined
): JsonObject => {
  const fields = known ?? { rmq_username: newUuid(), queue_name: `consumer_${newUuid()}`, vhost: user.uuid }
  broker.addVhost(user.uuid)
  broker.addUser(textOf(fields.rmq_username), user.token)
  broker.permit(textOf(fields.rmq_username), user.uuid, readOnly)
  broker.declareQueue(user.uuid, textOf(fields.queue_name))
  return { ...fields, offering_uuid: textOf(identity.fields.offering).replaceAll("-", "") }
}

/** To every queue of the offering and type. Transient: a broker that restarts forgets them, the worse of the two cases. */
const publish = (world: World, offering: Offering, type: string, body: JsonObject): void => {
  for (const { fields } of recordsOf(world, oneQueueRecords).values()) {
    const { observable_object_types: types } = fields
    const wanted = !Array.isArray(types) || types.length === 0 || types.includes(type)
    if (fields.offering_uuid !== offering.uuid || !wanted) continue
    const said = JSON.stringify({ ...body, object_type: type, offering_uuid: offering.uuid })
    world.broker.publish(textOf(fields.vhost), textOf(fields.queue_name), said)
  }
  for (const { fields } of recordsOf(world, queueRecords).values()) {
    if (fields.offering_uuid !== offering.uuid || fields.object_type !== type) continue
    world.broker.publish(textOf(fields.vhost), textOf(fields.queue_name), JSON.stringify(body))
  }
}

const ofOrder = ({ uuid, state }: Order): JsonObject => ({ order_uuid: uuid, order_state: state })

/** What each was when it was last looked at for something to tell. */
const seen = new WeakMap<Order | Resource, string>()
const isNew = (what: Order | Resource, standing: string): boolean => {
  const before = seen.get(what)
  seen.set(what, standing)
  return before !== standing
}

const toldStates: ReadonlyArray<OrderState> = ["pending-consumer", "pending-provider", "done"]

/**
 * Of an order that somebody has to approve, or that is done: nothing is told of one that executes, or that was cancelled, rejected or has erred. Of a
 * resource that is paused, downscaled, or closed to its team, or is so no more: nothing of one that was made, imported, or changed its state (source:
 * waldur-mastermind, marketplace_site_agent/handlers.py).
 */
export const publishChange = (world: World, change: Change): void => {
  if (change._tag === "Order") {
    const { order } = change
    if (isNew(order, order.state) && toldStates.includes(order.state))
      publish(world, order.resource.offering, "order", ofOrder(order))
    return
  }
  const { resource } = change
  const { downscaled, paused, restrictMemberAccess } = resource
  const isFirst = !seen.has(resource)
  if (isNew(resource, JSON.stringify([downscaled, paused, restrictMemberAccess])) && !isFirst)
    publish(world, resource.offering, "resource", {
      resource_uuid: resource.uuid,
      resource_backend_id: resource.backendId,
      downscaled,
      paused,
      restrict_member_access: restrictMemberAccess
    })
}

/** Somebody's account gets a name, or another one; nothing is told of one that has none yet (source: as above). */
export const publishAccount = (world: World, { offering, state, user, username, uuid }: OfferingUser): void => {
  if (username === "") return
  publish(world, offering, "offering_user", {
    offering_user_uuid: uuid,
    user_uuid: user.uuid,
    username,
    state,
    action: "username_set"
  })
}

/** Somebody wants to see what could be imported. */
export const publishImportRequest = (world: World, request: PlainRecord): void => {
  const offering = world.offerings.get(textOf(request.fields.offering))
  if (offering !== undefined)
    publish(world, offering, "importable_resources", { backend_resource_request_uuid: request.uuid })
}

/** Staff has all of an offering's resources looked at. */
export const publishSync = (world: World, offering: Offering): void =>
  publish(world, offering, "offering_resources_sync", { offering_uuid: offering.uuid })

/** Somebody comes into a project, or leaves it: told to every offering that has resources there. */
export const publishRole = (
  world: World,
  user: User,
  project: Pick<Project, "uuid" | "name">,
  role: string,
  granted: boolean
): void => {
  const resources = [...world.resources.values()].filter((resource) => resource.project.uuid === project.uuid)
  for (const offering of new Set(resources.map((resource) => resource.offering))) {
    publish(world, offering, "user_role", {
      user_uuid: user.uuid,
      user_username: user.username,
      project_uuid: project.uuid,
      project_name: project.name,
      role_name: role,
      granted
    })
  }
}

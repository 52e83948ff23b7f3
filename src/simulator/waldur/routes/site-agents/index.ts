/**
 * What a site agent says of itself: identities, services, processors, event subscriptions, logs; and importable resources. Neither
 * recorded server knew these calls (recording 075), so they are answered plainly: what was sent, with a uuid. What the open-source server
 * refuses is refused.
 */
import { Either } from "effect"
import { invalid, json } from "../../answers.js"
import { oneQueueRecords, openOneQueue, openQueue, openSubscription } from "../../events.js"
import { isObject } from "../../limits.js"
import { filtered, pageOf } from "../../lists.js"
import type { JsonObject } from "../../model.js"
import { isProvider } from "../../permissions.js"
import { type Context, type Handler, readBody, readObject, text } from "../../request.js"
import { address, instant } from "../../views/parts.js"
import { newUuid, normaliseUuid, type PlainRecord, recordsOf } from "../../world.js"
import { listAllow, type Route } from "../route.js"
import { importing } from "./importing.js"
import {
  collection,
  found,
  identities,
  keep,
  list,
  merge,
  post,
  processors,
  services,
  textOf,
  view
} from "./records.js"

const logs = "marketplace-site-agent-logs"
const subscriptions = "event-subscriptions"

const sameName = (one: PlainRecord, body: JsonObject): boolean => textOf(one, "name") === body.name

const createIdentity: Handler = (context) =>
  Either.map(readObject(context.request), (body) =>
    json(201, view(context, identities, keep(context, identities, { ...body, created_by: context.user.uuid })))
  )

/** Makes a record of another kind under the one that the path names, or finds the one of the same name again. */
const register =
  (
    parent: string,
    model: string,
    kind: string,
    field: string,
    more: (context: Context, owner: PlainRecord, body: JsonObject) => JsonObject = () => ({})
  ): Handler =>
  (context) =>
    Either.gen(function* () {
      const owner = yield* found(context, parent, model)
      const body = yield* readObject(context.request)
      const fields: JsonObject = { ...body, [field]: owner.uuid, ...more(context, owner, body) }
      const same = [...recordsOf(context.world, kind).values()].find(
        (one) => textOf(one, field) === owner.uuid && JSON.stringify(one.fields) === JSON.stringify(fields)
      )
      return json(same === undefined ? 201 : 200, view(context, kind, same ?? keep(context, kind, fields)))
    })

/** Services and processors are found by their name, and take over what was sent. */
const registerNamed =
  (parent: string, model: string, kind: string, field: string, more: (context: Context) => JsonObject): Handler =>
  (context) =>
    Either.gen(function* () {
      const owner = yield* found(context, parent, model)
      const body = yield* readObject(context.request)
      if (text(body, "name") === undefined) return yield* invalid({ name: ["This field is required."] })
      const same = [...recordsOf(context.world, kind).values()].find(
        (one) => textOf(one, field) === owner.uuid && sameName(one, body)
      )
      const fields: JsonObject = { ...body, [field]: owner.uuid, ...more(context) }
      if (same !== undefined) merge(context, same, fields)
      return json(same === undefined ? 201 : 200, view(context, kind, same ?? keep(context, kind, fields)))
    })

/** `statistics` are replaced. */
const setStatistics: Handler = (context) =>
  Either.gen(function* () {
    const service = yield* found(context, services, "AgentService")
    const { statistics } = yield* readObject(context.request)
    if (statistics === undefined) return yield* invalid({ statistics: ["This field is required."] })
    merge(context, service, { statistics })
    return json(200, view(context, services, service))
  })

/** Whole batches are taken or refused. */
const takeLogs: Handler = (context) =>
  Either.gen(function* () {
    const body = yield* readBody(context.request)
    if (!Array.isArray(body)) return yield* invalid({ non_field_errors: ["Expected a list of items."] })
    const entries = body.filter(isObject)
    const faults = entries.map((entry) => logFault(context, entry))
    if (entries.length < body.length || faults.some((fault) => Object.keys(fault).length > 0)) {
      return yield* invalid(faults)
    }
    return json(
      201,
      entries.map((entry) => view(context, logs, keep(context, logs, entry)))
    )
  })

const logLevels = new Set(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
const logFault = ({ world }: Context, entry: JsonObject): JsonObject => {
  const identity = normaliseUuid(text(entry, "agent_identity_uuid") ?? "") ?? ""
  const missing = ["message", "module"].filter((name) => (text(entry, name) ?? "").trim() === "")
  return {
    ...(recordsOf(world, identities).has(identity) ? {} : { agent_identity_uuid: ["Object does not exist."] }),
    ...(logLevels.has(text(entry, "level") ?? "") ? {} : { level: [`"${entry.level}" is not a valid choice.`] }),
    ...(typeof entry.timestamp === "number" ? {} : { timestamp: ["A valid number is required."] }),
    ...Object.fromEntries(missing.map((name) => [name, ["This field may not be blank."]]))
  }
}

/** With a user of the broker, whose passcode is set anew each time. */
const registerSubscription: Handler = (context) =>
  Either.map(
    register(identities, "AgentIdentity", subscriptions, "identity", ({ user }) => ({ user_uuid: user.uuid }))(context),
    (answered) => {
      for (const record of recordsOf(context.world, subscriptions).values()) {
        if (record.fields.user_uuid === context.user.uuid) openSubscription(context.world, context.user, record)
      }
      return answered
    }
  )

/** 201 for a new one, 200 for one that is there; another user's is not taken over. */
const registerQueue: Handler = (context) =>
  Either.gen(function* () {
    const { user, world } = context
    const identity = yield* found(context, identities, "AgentIdentity")
    const { object_types: types = [] } = yield* readObject(context.request)
    const known = [...recordsOf(world, oneQueueRecords).values()].find(
      (one) => textOf(one, "identity") === identity.uuid
    )
    if (known !== undefined && textOf(known, "vhost") !== user.uuid) {
      return yield* Either.left(json(409, { detail: "Queue is already registered by user another." }))
    }
    const opened = openOneQueue(world, user, identity, () => newUuid(world), known?.fields)
    const fields: JsonObject = { ...opened, identity: identity.uuid, observable_object_types: types }
    if (known === undefined) keep(context, oneQueueRecords, fields)
    else known.fields = fields
    const shown = ["rmq_username", "queue_name", "vhost", "observable_object_types"]
    return json(known === undefined ? 201 : 200, Object.fromEntries(shown.map((name) => [name, fields[name] ?? null])))
  })

/** Whether an agent of the offering was heard from (recording 209). Both recorded servers have it. */
const integrationStatuses: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const visible = [...world.offerings.values()].filter(
      (offering) => offering.agentSeenAt !== null && isProvider(user, offering)
    )
    const kept = yield* filtered(request.query, visible, {
      offering_uuid: { _tag: "Uuid", of: ({ uuid }) => uuid }
    })
    return yield* pageOf(request, kept, (offering) => ({
      status: "Active",
      last_request_timestamp: instant(offering.agentSeenAt ?? 0),
      offering: address(request.origin, `marketplace-provider-offerings/${offering.uuid}`),
      url: address(request.origin, `marketplace-integration-statuses/${offering.integrationStatusUuid}`)
    }))
  })

export const siteAgentRoutes: ReadonlyArray<Route> = [
  { path: "marketplace-integration-statuses", allow: listAllow, methods: { GET: integrationStatuses } },
  ...collection(identities, "AgentIdentity", createIdentity),
  ...collection(services, "AgentService"),
  ...collection(processors, "AgentProcessor"),
  ...collection(subscriptions, "EventSubscription"),
  { path: logs, allow: listAllow, methods: { GET: list(logs), POST: takeLogs }, since: "published" },
  post(
    `${identities}/:uuid/register_service`,
    registerNamed(identities, "AgentIdentity", services, "identity", () => ({ state: "Active" }))
  ),
  post(`${identities}/:uuid/register_event_subscription`, registerSubscription),
  { ...post(`${identities}/:uuid/register_queue`, registerQueue), since: "one queue" },
  post(
    `${services}/:uuid/register_processor`,
    registerNamed(services, "AgentService", processors, "service", ({ world }) => ({ last_run: instant(world.now()) }))
  ),
  post(`${services}/:uuid/set_statistics`, setStatistics),
  post(
    `${subscriptions}/:uuid/create_queue`,
    register(subscriptions, "EventSubscription", "event-queues", "subscription", ({ world, user }, owner, body) =>
      openQueue(world, user, owner, body)
    )
  ),
  ...importing
]

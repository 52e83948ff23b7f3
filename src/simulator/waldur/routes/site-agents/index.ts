/**
 * What a site agent says of itself: identities, services, processors, event subscriptions, logs; and importable resources. Neither
 * recorded server knew these calls (recording 075), so they are answered plainly: what was sent, with a uuid. What the open-source server
 * refuses is refused.
 */
import { Either } from "effect"
import { ensure, forbidden, invalid, json, type Outcome } from "../../answers.js"
import { oneQueueRecords, openOneQueue } from "../../events.js"
import { isObject } from "../../limits.js"
import { filtered, pageOf } from "../../lists.js"
import type { JsonObject, Offering } from "../../model.js"
import { isProvider } from "../../permissions.js"
import { type Context, type Handler, readBody, readObject, text } from "../../request.js"
import { address, instant } from "../../views/parts.js"
import { newUuid, normaliseUuid, type PlainRecord, recordsOf } from "../../world.js"
import { listAllow, type Route } from "../route.js"
import { importing } from "./importing.js"
import {
  found,
  foundIdentity,
  foundService,
  identities,
  isManaged,
  keep,
  list,
  merge,
  one,
  post,
  processors,
  services,
  textOf,
  view
} from "./records.js"
import { isObjectType, notAChoice, subscribing } from "./subscriptions.js"

const logs = "marketplace-site-agent-logs"

const sameName = (one: PlainRecord, body: JsonObject): boolean => textOf(one, "name") === body.name

/** Name and offering are required, and what else was sent is taken over (source: waldur-mastermind, marketplace_site_agent/serializers.py, `AgentIdentitySerializer`). */
const identityIn = (context: Context): Outcome<{ readonly body: JsonObject; readonly offering: Offering }> =>
  Either.gen(function* () {
    const body = yield* readObject(context.request)
    const missing = ["name", "offering"].filter((name) => (text(body, name) ?? "") === "")
    if (missing.length > 0)
      return yield* invalid(Object.fromEntries(missing.map((name) => [name, ["This field is required."]])))
    const named = text(body, "offering") ?? ""
    const offering = context.world.offerings.get(normaliseUuid(named) ?? "")
    if (offering === undefined || !agentTypes.includes(offering.type))
      return yield* invalid({ offering: [`Object with uuid=${named} does not exist.`] })
    return { body, offering }
  })

const agentTypes: ReadonlyArray<string> = [
  "Marketplace.Slurm",
  "Marketplace.Script",
  "OpenStack.Tenant",
  "Marketplace.Basic"
]

const createIdentity: Handler = (context) =>
  Either.gen(function* () {
    const { body, offering } = yield* identityIn(context)
    yield* ensure(isProvider(context.user, offering), forbidden)
    const made = keep(context, identities, { ...body, created_by: context.user.uuid })
    return json(201, view(context, identities, made))
  })

/** Its offering stays what it was. */
const changeIdentity: Handler = (context) =>
  Either.gen(function* () {
    const identity = yield* foundIdentity(context)
    const { body, offering } = yield* identityIn(context)
    if (offering.uuid !== normaliseUuid(textOf(identity, "offering")))
      return yield* invalid({ offering: ["Offering cannot be changed after the agent identity is created."] })
    merge(context, identity, body)
    return json(200, view(context, identities, identity))
  })

/** Services and processors are found by their name, and take over what was sent. */
const registerNamed =
  (
    owned: (context: Context) => Outcome<PlainRecord>,
    kind: string,
    field: string,
    required: ReadonlyArray<string>,
    more: (context: Context) => JsonObject
  ): Handler =>
  (context) =>
    Either.gen(function* () {
      const owner = yield* owned(context)
      const body = yield* readObject(context.request)
      const missing = required.filter((name) => (text(body, name) ?? "") === "")
      if (missing.length > 0)
        return yield* invalid(Object.fromEntries(missing.map((name) => [name, ["This field is required."]])))
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
    const service = yield* foundService(context)
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

/** 201 for a new one, 200 for one that is there; another user's is not taken over. */
const registerQueue: Handler = (context) =>
  Either.gen(function* () {
    const { user, world } = context
    const identity = yield* foundIdentity(context)
    const { object_types: types = [] } = yield* readObject(context.request)
    const unknown = Array.isArray(types) ? types.findIndex((type) => !isObjectType(type)) : -1
    if (Array.isArray(types) && unknown >= 0)
      return yield* invalid({ object_types: { [unknown]: [notAChoice(types[unknown])] } })
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
  {
    path: identities,
    allow: listAllow,
    methods: { GET: list(identities, isManaged), POST: createIdentity },
    since: "published"
  },
  one(identities, foundIdentity, { PUT: changeIdentity }),
  { path: services, allow: listAllow, methods: { GET: list(services) }, since: "published" },
  one(services, foundService),
  { path: processors, allow: listAllow, methods: { GET: list(processors) }, since: "published" },
  one(processors, (context) => found(context, processors, "AgentProcessor")),
  { path: logs, allow: listAllow, methods: { GET: list(logs), POST: takeLogs }, since: "published" },
  post(
    `${identities}/:uuid/register_service`,
    registerNamed(foundIdentity, services, "identity", ["name"], () => ({ state: "Active" }))
  ),
  { ...post(`${identities}/:uuid/register_queue`, registerQueue), since: "one queue" },
  post(
    `${services}/:uuid/register_processor`,
    registerNamed(foundService, processors, "service", ["name", "backend_type"], ({ world }) => ({
      last_run: instant(world.now())
    }))
  ),
  post(`${services}/:uuid/set_statistics`, setStatistics),
  ...subscribing,
  ...importing
]

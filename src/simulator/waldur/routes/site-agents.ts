/**
 * What a site agent says of itself: identities, services, processors, event subscriptions, logs; and importable resources. Neither
 * recorded server knew these calls (recording 075), so they are answered plainly: what was sent, with a uuid. What the open-source server
 * refuses is refused.
 */
import { Either } from "effect"
import { empty, forbidden, invalid, json, notFound, type Outcome } from "../answers.js"
import { oneQueueRecords, openOneQueue, openQueue, openSubscription } from "../events.js"
import { isObject, parseLimits } from "../limits.js"
import { filtered, pageOf } from "../lists.js"
import type { JsonObject } from "../model.js"
import { importResource } from "../orders.js"
import { isProvider } from "../permissions.js"
import { type Context, type Handler, lookUp, readBody, readObject, text } from "../request.js"
import { address, instant } from "../views/parts.js"
import { resourceView } from "../views/resources.js"
import { newUuid, normaliseUuid, type PlainRecord, recordsOf } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route } from "./route.js"

const identities = "marketplace-site-agent-identities"
const services = "marketplace-site-agent-services"
const processors = "marketplace-site-agent-processors"
const logs = "marketplace-site-agent-logs"
const subscriptions = "event-subscriptions"
const requests = "backend-resource-requests"

/** What the published API has of every record. */
const plain = ({ request }: Context, kind: string, record: PlainRecord): JsonObject => ({
  url: address(request.origin, `${kind}/${record.uuid}`),
  uuid: record.uuid,
  created: instant(record.created),
  modified: instant(record.modified),
  ...record.fields
})

/** The records of one kind that name this one as what they belong to, without what they have beneath. */
const beneath = (context: Context, kind: string, field: string, { uuid }: PlainRecord): ReadonlyArray<JsonObject> =>
  [...recordsOf(context.world, kind).values()]
    .filter((record) => textOf(record, field) === uuid)
    .map((record) => plain(context, kind, record))

const nameOf = ({ world }: Context, kind: string, uuid: string): string => {
  const record = recordsOf(world, kind).get(uuid)
  return record === undefined ? "" : textOf(record, "name")
}

/** With what the published API (`AgentIdentity`, `AgentService`, `AgentProcessor`) requires beside: clients made from it read no answer without. */
const view = (context: Context, kind: string, record: PlainRecord): JsonObject => {
  const shown = plain(context, kind, record)
  switch (kind) {
    case identities:
      return { ...shown, services: beneath(context, services, "identity", record) }
    case services:
      return {
        ...shown,
        identity_name: nameOf(context, identities, textOf(record, "identity")),
        processors: beneath(context, processors, "service", record)
      }
    case processors:
      return { ...shown, service_name: nameOf(context, services, textOf(record, "service")) }
    default:
      return shown
  }
}

/** Takes over what was sent. */
const merge = ({ world }: Context, record: PlainRecord, fields: JsonObject): void => {
  record.fields = { ...record.fields, ...fields }
  record.modified = world.now()
}

const keep = ({ world }: Context, kind: string, fields: JsonObject): PlainRecord => {
  const now = world.now()
  const record = { uuid: newUuid(world), created: now, modified: now, fields }
  recordsOf(world, kind).set(record.uuid, record)
  return record
}

const found = ({ world, params }: Context, kind: string, model: string): Outcome<PlainRecord> =>
  lookUp(recordsOf(world, kind), params.uuid, () => true, notFound(model))

const textOf = (record: PlainRecord, name: string): string => {
  const value = record.fields[name]
  return typeof value === "string" ? value : ""
}

const sameName = (one: PlainRecord, body: JsonObject): boolean => textOf(one, "name") === body.name

const list =
  (kind: string): Handler =>
  (context) =>
    Either.gen(function* () {
      const { world, request } = context
      const kept = yield* filtered(request.query, recordsOf(world, kind).values(), {
        offering_uuid: { _tag: "Text", of: (record) => textOf(record, "offering") },
        name: { _tag: "Text", of: (record) => textOf(record, "name") },
        state: { _tag: "Text", of: (record) => textOf(record, "state") }
      })
      return yield* pageOf(request, kept, (record) => view(context, kind, record))
    })

const create =
  (kind: string): Handler =>
  (context) =>
    Either.map(readObject(context.request), (body) => json(201, view(context, kind, keep(context, kind, body))))

const createIdentity: Handler = (context) =>
  Either.map(readObject(context.request), (body) =>
    json(201, view(context, identities, keep(context, identities, { ...body, created_by: context.user.uuid })))
  )

/** What could be imported, and as whose: name, offering and project are required. */
const offerResource: Handler = (context) =>
  Either.gen(function* () {
    const body = yield* readObject(context.request)
    const missing = ["name", "offering", "project"].filter((name) => (text(body, name) ?? "") === "")
    if (missing.length > 0) {
      return yield* invalid(Object.fromEntries(missing.map((name) => [name, ["This field is required."]])))
    }
    const { project = "" } = { project: text(body, "project") }
    if (!context.world.projects.has(normaliseUuid(project) ?? "")) {
      return yield* invalid({ project: [`Object with uuid=${project} does not exist.`] })
    }
    return json(201, view(context, "backend-resources", keep(context, "backend-resources", body)))
  })

/**
 * By staff only: the object becomes a resource that is OK, with the `limits` of its metadata, and gets a Create order that is done; the object
 * on offer is deleted. By the open-source server's `import_resource`.
 */
const importOffered: Handler = (context) =>
  Either.gen(function* () {
    const { request, user, world } = context
    if (!user.isStaff) return yield* forbidden
    const body = yield* readObject(request)
    const record = yield* found(context, "backend-resources", "BackendResource")
    const offering = world.offerings.get(normaliseUuid(textOf(record, "offering")) ?? "")
    const project = world.projects.get(normaliseUuid(textOf(record, "project")) ?? "")
    if (offering === undefined || project === undefined) return yield* notFound("BackendResource")
    const plan = offering.plans.find(({ uuid }) => uuid === normaliseUuid(text(body, "plan") ?? "")) ?? null
    if (plan === null) return yield* invalid({ plan: ["Plan is required when importing resources."] })
    const backendId = textOf(record, "backend_id")
    const same = [...world.resources.values()].some(
      (resource) => resource.offering === offering && resource.backendId === backendId && resource.state === "OK"
    )
    if (same) return yield* invalid(["Resource has been imported already."])
    const { backend_metadata: metadata } = record.fields
    const limits = isObject(metadata) && isObject(metadata.limits) ? yield* parseLimits(metadata.limits, null) : {}
    const name = textOf(record, "name")
    const resource = importResource(world, user, { offering, project, plan, name, attributes: {}, limits, backendId })
    recordsOf(world, "backend-resources").delete(record.uuid)
    return json(201, resourceView(world, request.origin, resource))
  })

const read =
  (kind: string, model: string): Handler =>
  (context) =>
    Either.map(found(context, kind, model), (record) => json(200, view(context, kind, record)))

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

/** Merges what was sent into the record. */
const change =
  (kind: string, model: string, fixed: JsonObject = {}): Handler =>
  (context) =>
    Either.gen(function* () {
      const record = yield* found(context, kind, model)
      merge(context, record, { ...(yield* readObject(context.request)), ...fixed })
      return json(200, view(context, kind, record))
    })

const remove =
  (kind: string, model: string): Handler =>
  (context) =>
    Either.map(found(context, kind, model), (record) => {
      recordsOf(context.world, kind).delete(record.uuid)
      return empty(204)
    })

const collection = (kind: string, model: string, add = create(kind)): ReadonlyArray<Route> => [
  { path: kind, allow: listAllow, methods: { GET: list(kind), POST: add }, since: "published" },
  {
    path: `${kind}/:uuid`,
    allow: detailAllow,
    methods: {
      GET: read(kind, model),
      PATCH: change(kind, model),
      PUT: change(kind, model),
      DELETE: remove(kind, model)
    },
    since: "published"
  }
]

const post = (path: string, handler: Handler): Route => ({
  path,
  allow: actionAllow,
  methods: { POST: handler },
  since: "published"
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
  ...collection("backend-resources", "BackendResource", offerResource),
  post("backend-resources/:uuid/import_resource", importOffered),
  ...collection(requests, "BackendResourceRequest"),
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
  post(`${requests}/:uuid/start_processing`, change(requests, "BackendResourceRequest", { state: "Processing" })),
  post(`${requests}/:uuid/set_done`, change(requests, "BackendResourceRequest", { state: "Done" })),
  post(`${requests}/:uuid/set_erred`, change(requests, "BackendResourceRequest", { state: "Erred" }))
]

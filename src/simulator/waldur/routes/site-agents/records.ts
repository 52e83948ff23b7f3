/** What is kept as it was sent, with a uuid: read, changed and deleted one like the other. */
import { Either } from "effect"
import { empty, ensure, json, notFound, type Outcome } from "../../answers.js"
import { filtered, pageOf } from "../../lists.js"
import type { JsonObject } from "../../model.js"
import { isProvider } from "../../permissions.js"
import { type Context, type Handler, lookUp } from "../../request.js"
import { address, instant } from "../../views/parts.js"
import { newUuid, normaliseUuid, type PlainRecord, recordsOf } from "../../world.js"
import { actionAllow, detailAllow, listAllow, type Route } from "../route.js"

export const identities = "marketplace-site-agent-identities"
export const services = "marketplace-site-agent-services"
export const processors = "marketplace-site-agent-processors"

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
export const view = (context: Context, kind: string, record: PlainRecord): JsonObject => {
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
export const merge = ({ world }: Context, record: PlainRecord, fields: JsonObject): void => {
  record.fields = { ...record.fields, ...fields }
  record.modified = world.now()
}

export const keep = ({ world }: Context, kind: string, fields: JsonObject): PlainRecord => {
  const now = world.now()
  const record = { uuid: newUuid(world), created: now, modified: now, fields }
  recordsOf(world, kind).set(record.uuid, record)
  return record
}

export const found = ({ world, params }: Context, kind: string, model: string): Outcome<PlainRecord> =>
  lookUp(recordsOf(world, kind), params.uuid, () => true, notFound(model))

export const textOf = (record: PlainRecord, name: string): string => {
  const value = record.fields[name]
  return typeof value === "string" ? value : ""
}

export const list =
  (kind: string, isShown: (context: Context, record: PlainRecord) => boolean = () => true): Handler =>
  (context) =>
    Either.gen(function* () {
      const { world, request } = context
      const shown = [...recordsOf(world, kind).values()].filter((record) => isShown(context, record))
      const kept = yield* filtered(request.query, shown, {
        offering_uuid: { _tag: "Text", of: (record) => textOf(record, "offering") },
        name: { _tag: "Text", of: (record) => textOf(record, "name") },
        state: { _tag: "Text", of: (record) => textOf(record, "state") }
      })
      return yield* pageOf(request, kept, (record) => view(context, kind, record))
    })

/** Of whoever has a role on its offering, or on who provides that; others are not shown it (source: waldur-mastermind, marketplace_site_agent/views.py). */
export const foundIdentity = (context: Context): Outcome<PlainRecord> =>
  Either.gen(function* () {
    const identity = yield* found(context, identities, "AgentIdentity")
    yield* ensure(isManaged(context, identity), notFound("AgentIdentity"))
    return identity
  })

export const isManaged = ({ user, world }: Context, identity: PlainRecord): boolean => {
  const offering = world.offerings.get(normaliseUuid(textOf(identity, "offering")) ?? "")
  return offering !== undefined && isProvider(user, offering)
}

export const foundService = (context: Context): Outcome<PlainRecord> =>
  Either.gen(function* () {
    const service = yield* found(context, services, "AgentService")
    const identity = recordsOf(context.world, identities).get(textOf(service, "identity"))
    yield* ensure(identity !== undefined && isManaged(context, identity), notFound("AgentService"))
    return service
  })

/** One record, which may be read and deleted; PATCH is none of its methods. */
export const one = (
  kind: string,
  owned: (context: Context) => Outcome<PlainRecord>,
  more: Route["methods"] = {}
): Route => ({
  path: `${kind}/:uuid`,
  allow: detailAllow,
  methods: {
    GET: (context) => Either.map(owned(context), (record) => json(200, view(context, kind, record))),
    DELETE: (context) =>
      Either.map(owned(context), (record) => {
        recordsOf(context.world, kind).delete(record.uuid)
        return empty(204)
      }),
    ...more
  },
  since: "published"
})

/** What is kept as it was sent, and deleted; PUT and PATCH are none of its methods. */
export const readable = (kind: string, model: string, add: Handler): ReadonlyArray<Route> => [
  { path: kind, allow: listAllow, methods: { GET: list(kind), POST: add }, since: "published" },
  one(kind, (context) => found(context, kind, model))
]

export const post = (path: string, handler: Handler): Route => ({
  path,
  allow: actionAllow,
  methods: { POST: handler },
  since: "published"
})

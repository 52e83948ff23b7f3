/** What is kept as it was sent, with a uuid: read, changed and deleted one like the other. */
import { Either } from "effect"
import { empty, json, notFound, type Outcome } from "../../answers.js"
import { filtered, pageOf } from "../../lists.js"
import type { JsonObject } from "../../model.js"
import { type Context, type Handler, lookUp, readObject } from "../../request.js"
import { address, instant } from "../../views/parts.js"
import { newUuid, type PlainRecord, recordsOf } from "../../world.js"
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

const read =
  (kind: string, model: string): Handler =>
  (context) =>
    Either.map(found(context, kind, model), (record) => json(200, view(context, kind, record)))

/** Merges what was sent into the record. */
export const change =
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

export const collection = (kind: string, model: string, add = create(kind)): ReadonlyArray<Route> => [
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

export const post = (path: string, handler: Handler): Route => ({
  path,
  allow: actionAllow,
  methods: { POST: handler },
  since: "published"
})

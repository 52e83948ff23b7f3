/** One resource: what journal and last look know of it, and a live look at it in the backend. */
import { SqlClient } from "@effect/sql"
import { Clock, Duration, Effect, Option, Schema } from "effect"
import type { LiveLook, Part, Quota, Reconciliation, ResourceDetail } from "../../api/index.js"
import {
  type Amounts,
  type KnownResource,
  type Observation,
  partKey,
  ResourceId,
  type ResourcePart,
  type SiteError,
  toWaldur,
  type Usage,
  wholeOrder
} from "../../core/index.js"
import type { Config } from "../config/index.js"
import { unavailable } from "../database/sql.js"
import { storyOf, textOf } from "../journal/history.js"
import { sinceAccepted } from "../journal/journal.js"
import * as Store from "../observation/store.js"
import type { Offering } from "../offerings/offering.js"
import { recordedIn } from "../offerings/recorded.js"
import { Accepted } from "../orders/accepting/request.js"
import { namesOf, openOffering } from "./facts.js"
import { orderList, orderRow } from "./orders.js"
import { resourceRow } from "./resources.js"

const isResourceId = Schema.is(ResourceId)
const shown = 50

const differencesOf = (resource: ResourceId) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<ResourceDetail["differencesFound"][number]>`
      SELECT kind, subject, expected, found, sentence, policy, since, outcome FROM difference
      WHERE resource_id = ${resource} ORDER BY since, kind, subject`
  }).pipe(unavailable)

const reconciliationsOf = (resource: ResourceId) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{
      readonly at: number
      readonly step: string
      readonly event: string
      readonly data: string | null
    }>`
      SELECT at, step, event, data FROM reconciliation WHERE resource_id = ${resource} ORDER BY id DESC LIMIT ${shown}`
    return rows.map(
      ({ data, ...row }): Reconciliation => ({ ...row, detail: data === null ? "" : textOf(JSON.parse(data)) })
    )
  }).pipe(unavailable)

/** The last order that made the resource what it is, and what it wrote down. */
const madeBy = (resource: ResourceId) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* unavailable(sql<{ readonly order: string; readonly type: string }>`
      SELECT order_id AS "order", type FROM known_order
      WHERE resource_id = ${resource} AND state <> 'erred' ORDER BY seq DESC LIMIT 20`)
    const [latest] = rows
    const created = rows.find(({ type }) => type === "Create")
    return {
      latest: latest === undefined ? [] : sinceAccepted(yield* storyOf(latest.order)),
      created: created === undefined ? [] : sinceAccepted(yield* storyOf(created.order))
    }
  })

type Story = Effect.Effect.Success<ReturnType<typeof madeBy>>["latest"]

/** What its steps made and gave a number: "network" made 12. */
const partsIn = (story: Story): ReadonlyArray<ResourcePart> =>
  story.flatMap(({ data, event, step }) =>
    (event === "finished" || event === "adopted") && typeof data === "number"
      ? [
          {
            kind: step.toLowerCase().replace("tenant ", "").replace("router vm", "vm"),
            id: String(data),
            name: "",
            state: "",
            detail: ""
          }
        ]
      : []
  )

const orderedIn = (story: Story): Amounts => {
  const accepted = story.find(({ event, step }) => step === wholeOrder && event === "accepted")
  const request = Option.getOrUndefined(Schema.decodeUnknownOption(Accepted)(accepted?.data))?.request
  return request !== undefined && "amounts" in request ? request.amounts : {}
}

/** Parts with what differs about them: a difference names its part first ("network 12", "VM 7 of router 3"). */
const withDrift = (
  parts: ReadonlyArray<ResourcePart>,
  differences: ResourceDetail["differencesFound"]
): ReadonlyArray<Part> =>
  parts.map(({ healthy, parent, ...part }) => {
    const key = partKey(part)
    const isAbout = (subject: string) => `${subject.toLowerCase()} `.startsWith(`${key} `)
    return {
      ...part,
      key,
      healthy: healthy ?? null,
      parent: parent ?? null,
      drift: differences.filter(({ subject }) => isAbout(subject)).map(({ sentence }) => sentence)
    }
  })

const quotasOf = (offering: Offering | undefined, limits: Amounts, used: Amounts): ReadonlyArray<Quota> =>
  (offering?.components ?? []).flatMap((component): ReadonlyArray<Quota> => {
    const { measuredUnit: unit, name, type } = component
    const inUnits = (amount: number | undefined) =>
      amount === undefined || !Number.isFinite(amount) ? null : toWaldur(component, amount)
    return limits[type] === undefined && used[type] === undefined
      ? []
      : [{ component: type, name: name || type, unit, limit: inUnits(limits[type]), used: inUnits(used[type]) }]
  })

/** `undefined`: nobody knows it. */
export const resourceDetail = (config: Config, resource: string) =>
  Effect.gen(function* () {
    const names = namesOf(config)
    const row = yield* resourceRow(names, resource)
    if (row === undefined || !isResourceId(resource)) return undefined
    const offering = yield* openOffering(row.offering)
    const differencesFound = yield* differencesOf(resource)
    const observed = Option.getOrUndefined(yield* Store.one(resource))
    const { created, latest } = yield* madeBy(resource)
    const { rows: orders } = yield* orderList(names, { resource, limit: shown })
    const [last] = orders
    const detail: ResourceDetail = {
      ...row,
      now: yield* Clock.currentTimeMillis,
      project: last === undefined ? "" : ((yield* orderRow(names, last.order))?.project ?? ""),
      parts: withDrift(partsIn(created), differencesFound),
      quotas: quotasOf(offering, orderedIn(latest), {}),
      differencesFound,
      facts: Object.fromEntries(Object.entries(observed?.facts ?? {}).map(([key, value]) => [key, textOf(value)])),
      orders,
      reconciliations: yield* reconciliationsOf(resource),
      actions: [
        ...(orders.some(({ state }) => state === "quarantined") ? (["release"] as const) : []),
        ...(row.life === "ended" ? [] : (["reconcile"] as const))
      ]
    }
    return detail
  })

const patience = Duration.seconds(10)
const waldurTakes = Duration.seconds(2)

const nothing = (outcome: LiveLook["outcome"], reason: string) => ({
  outcome,
  reason,
  state: "",
  healthy: null,
  parts: [],
  quotas: []
})

/** As Waldur says now; where that takes long or does not come, by what the last look knew of it. */
const soughtOf = (offering: Offering, resource: ResourceId) =>
  Effect.gen(function* () {
    const said = Effect.map(
      offering.waldur.resource(resource),
      ({ backendId, backendMetadata }): KnownResource => ({
        id: resource,
        backendId: Option.getOrElse(backendId, () => ""),
        recorded: recordedIn(backendMetadata)
      })
    )
    const observed = yield* Store.one(resource)
    return yield* Option.match(observed, {
      onSome: ({ backendId }) =>
        Effect.orElseSucceed(Effect.timeout(said, waldurTakes), (): KnownResource => ({ id: resource, backendId })),
      onNone: () => said
    })
  })

const lookAt = (offering: Offering, resource: ResourceId) =>
  Effect.gen(function* () {
    const sought = yield* soughtOf(offering, resource)
    const { backend } = offering
    const [[observation], [usage], parts, differences] = yield* Effect.all(
      [
        backend.observe([sought]),
        Effect.flatMap(offering.pluginOptions, (options) => backend.usage([sought], options)),
        backend.parts?.(sought) ?? Effect.succeed<ReadonlyArray<ResourcePart>>([]),
        differencesOf(resource)
      ],
      { concurrency: "unbounded" }
    )
    return resultOf(offering, observation, usage, withDrift(parts, differences))
  })

const resultOf = (
  offering: Offering,
  observation: Observation | undefined,
  usage: Usage | undefined,
  parts: ReadonlyArray<Part>
) => {
  switch (observation?._tag) {
    case undefined:
    case "Missing":
      return nothing("missing", "Neither its backend id nor its owner tag leads to anything in the cloud.")
    case "Foreign":
      return nothing("foreign", `Its backend id leads to ${observation.object}, which belongs to ${observation.owner}.`)
    case "Present":
      return {
        outcome: "looked" as const,
        reason: usage?.problem ?? "",
        state: observation.state,
        healthy: observation.healthy,
        parts,
        quotas: quotasOf(offering, observation.amounts, usage?.amounts ?? {})
      }
  }
}

const sayNo = (error: SiteError) => nothing("refused", error.message)

/** `undefined`: nobody knows it. Else whatever could be learnt within ten seconds. */
export const liveLook = (config: Config, resource: string) =>
  Effect.gen(function* () {
    const row = yield* resourceRow(namesOf(config), resource)
    if (row === undefined || !isResourceId(resource)) return undefined
    const began = yield* Clock.currentTimeMillis
    const offering = yield* openOffering(row.offering)
    const found =
      offering === undefined
        ? nothing("not open", "Its offering is not open: see the overview.")
        : yield* lookAt(offering, resource).pipe(
            Effect.catchAll((error) => Effect.succeed(sayNo(error))),
            Effect.timeoutTo({
              duration: patience,
              onSuccess: (looked) => looked,
              onTimeout: () =>
                nothing("no answer", `There was no answer within ${Duration.toSeconds(patience)} seconds.`)
            })
          )
    const at = yield* Clock.currentTimeMillis
    const look: LiveLook = { at, ms: at - began, ...found }
    return look
  })

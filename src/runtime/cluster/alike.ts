/**
 * Whether all processes have the same offerings, with the same settings. Nothing works without that: what only some have is placed at the others too,
 * where nobody does it, and what differs is done in one way or the other. Each notes in the address book what it has, compares, and says so.
 *
 * What is noted of a setting is a mark of its value, and nothing of those that hold secrets.
 */
import { createHash } from "node:crypto"
import { SqlClient } from "@effect/sql"
import { type Duration, Effect, Layer, Option, Redacted, Ref, Schema } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import type { ClusterSettings } from "../config/cluster.js"
import type { OfferingConfig } from "../config/index.js"
import { unavailable } from "../database/sql.js"
import { named } from "../journal/present.js"
import { databaseNowLess } from "../journal/tables/cluster.js"
import { Others } from "../placement/index.js"
import { alikeRound } from "../schedules.js"
import { Reached } from "./reach.js"
import { Member } from "./storage.js"

const Marks = Schema.Record({ key: Schema.String, value: Schema.String })
const Offerings = Schema.Record({ key: Schema.String, value: Schema.Struct({ name: Schema.String, settings: Marks }) })
type Offerings = typeof Offerings.Type
/** `instance`: the start that has noted it. An earlier version that has the address now leaves it as it was. */
const Noted = Schema.parseJson(Schema.Struct({ instance: Schema.String, offerings: Offerings }))

export interface Other {
  /** "host:pid at address" */
  readonly who: string
  readonly offerings: Offerings
}

const mayHoldSecret = /passw|secret|token|credential|proxy|key|auth|header/i

/** Redacted values print themselves as that, whatever they are. */
const markOf = (value: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("hex")
    .slice(0, 8)

const marked = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([key, value]) => value !== undefined && !mayHoldSecret.test(key))
      .map(([key, value]) => [key, markOf(value)])
  )

const AnyRecord = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const settingsOf = (offering: OfferingConfig) => {
  // By the plugin's own schema, which says what in them is a secret.
  const decoded = Schema.decodeUnknownOption(offering.plugin.settings)(Redacted.value(offering.backendSettings))
  const backend = Option.getOrElse(Option.flatMap(decoded, Schema.decodeUnknownOption(AnyRecord)), () => ({}))
  const own = {
    waldur_api_url: offering.waldur.apiUrl,
    backend_type: offering.plugin.type,
    backend_components: offering.components,
    order_deadlines: offering.orderDeadlines,
    drift: offering.drift,
    omit_anomalous_usage: offering.omitAnomalousUsage,
    "what is done for it": offering.functions
  }
  return {
    ...marked(own),
    ...Object.fromEntries(Object.entries(marked(backend)).map(([key, mark]) => [`backend_settings.${key}`, mark]))
  }
}

export const offeringsOf = (offerings: ReadonlyArray<OfferingConfig>): Offerings =>
  Object.fromEntries(
    offerings.map((offering) => [offering.id, { name: offering.name, settings: settingsOf(offering) }])
  )

/** What differs, in sentences. */
export const differences = (own: Offerings, { offerings, who }: Other): ReadonlyArray<string> => [
  ...Object.entries(own).flatMap(([id, { name, settings }]) => {
    const there = offerings[id]
    if (there === undefined) return [`Offering ${JSON.stringify(name)} (${id}) is not in the configuration of ${who}.`]
    const keys = [...new Set([...Object.keys(settings), ...Object.keys(there.settings)])]
    const differing = keys.filter((key) => settings[key] !== there.settings[key]).toSorted()
    return differing.length === 0
      ? []
      : [`Offering ${JSON.stringify(name)} (${id}) has other settings at ${who}: ${differing.join(", ")}.`]
  }),
  ...Object.entries(offerings).flatMap(([id, { name }]) =>
    own[id] === undefined
      ? [`Offering ${JSON.stringify(name)} (${id}) of ${who} is not in the configuration of this process.`]
      : []
  )
]

const toDo =
  "Give all processes the same file, but for cluster.host and cluster.port: orders of an offering that one of them does not have may wait without end."

export const others = ({ takeover }: Pick<ClusterSettings, "takeover">) =>
  Layer.effect(
    Others,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { instance, superseded } = yield* Member
      const reached = yield* Reached
      const all = notedByOthers(sql, instance, takeover)
      return {
        offerings: Effect.map(all, (others) => others.flatMap(({ offerings }) => Object.keys(offerings))),
        keepAlike: (offerings) => keepAlike(sql, instance, all, offeringsOf(offerings)),
        reach: Ref.get(reached),
        superseded
      }
    })
  )

/** What those have noted that are there. */
const notedByOthers = (
  sql: SqlClient.SqlClient,
  instance: string,
  takeover: Duration.Duration
): Effect.Effect<ReadonlyArray<Other>, JournalUnavailable> =>
  Effect.gen(function* () {
    const rows = yield* sql<{
      readonly owner: string
      readonly address: string
      readonly instance: string
      readonly settings: string
    }>`
      SELECT owner, address, instance, settings FROM cluster_runner
      WHERE settings IS NOT NULL AND instance <> ${instance} AND seen > ${databaseNowLess(sql, takeover)}
      ORDER BY machine`
    return rows.flatMap((row): ReadonlyArray<Other> => {
      const noted = Schema.decodeOption(Noted)(row.settings)
      return Option.isSome(noted) && noted.value.instance === row.instance
        ? [{ who: named(row), offerings: noted.value.offerings }]
        : []
    })
  }).pipe(unavailable)

const keepAlike = (
  sql: SqlClient.SqlClient,
  instance: string,
  all: Effect.Effect<ReadonlyArray<Other>, JournalUnavailable>,
  own: Offerings
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const note = Schema.encodeSync(Noted)({ instance, offerings: own })
    let said = ""
    const round = Effect.gen(function* () {
      yield* unavailable(sql`
        UPDATE cluster_runner SET settings = ${note}
        WHERE instance = ${instance} AND (settings IS NULL OR settings <> ${note})`)
      const found = (yield* all).flatMap((other) => differences(own, other)).join(" ")
      if (found !== said) {
        yield* found === ""
          ? Effect.logInfo("All processes have the same offerings and settings again")
          : Effect.logWarning(`${found} ${toDo}`)
      }
      said = found
    })
    return round.pipe(
      Effect.catchAll((error) => Effect.logDebug(`What other processes have is not known: ${error.message}`)),
      Effect.repeat(alikeRound),
      Effect.asVoid
    )
  })

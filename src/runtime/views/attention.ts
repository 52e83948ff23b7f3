/** What somebody should look at: what is wrong, where, since when, and what to do. The worst first, of those the oldest. */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import type { OfferingState, Server, Trouble } from "../../api/index.js"
import { countOf, type JournalUnavailable } from "../../core/index.js"
import type { Quarantined } from "../actors/quarantine.js"
import { unavailable } from "../database/sql.js"
import { type CutOff, toOpen } from "../journal/present.js"
import { type Absent, absentOfferings, sentenceOf, toDo } from "../observation/absent.js"

export interface OfferingTrouble {
  readonly uuid: string
  readonly name: string
  readonly state: OfferingState
  readonly since: number | null
  readonly reasons: ReadonlyArray<string>
  readonly ready: boolean
}

/** An order whose last attempt broke off this long ago, in ms, and that has not gone on since is worth a look. */
const longWait = 600_000

const todoOf: Readonly<Record<OfferingState, string>> = {
  ok: "",
  slow: "Nothing, unless it lasts: it is tried again by itself.",
  waits: "Bring the server back, or mend the way to it. Orders wait meanwhile and go on by themselves.",
  stopped: "Mend the configuration or the rights that the reason names. It goes on by itself within a minute.",
  closed: "Mend what the reason names. It is tried again every minute.",
  paused: "Resume the offering when what it was paused for is over."
}

const ofOffering = ({ name, ready, reasons, since, state, uuid }: OfferingTrouble): ReadonlyArray<Trouble> => {
  const where = { kind: "offering" as const, id: uuid, name }
  if (state === "ok" && ready) return []
  if (state === "slow" && ready) return []
  return [
    {
      severity: state === "paused" ? ("warning" as const) : ("critical" as const),
      what: `${name}: ${reasons.join(" ")}`,
      where,
      since,
      todo:
        state === "ok" || state === "slow" ? "See docs/operations.md for the reason; the log says more." : todoOf[state]
    }
  ]
}

const ofQuarantine = ({ order, reason, resource, since }: Quarantined): Trouble => ({
  severity: "critical",
  what: `A bug stopped order ${order}: ${(reason.split("\n")[0] ?? "").slice(0, 300)}`,
  where: { kind: "order", id: order, name: resource },
  since,
  todo: "Report the bug with the log. Release the resource to try again; all other resources go on meanwhile."
})

/** Out of the journal: what is left over, what waits long, what has vanished from the cloud. */
const ofJournal = (now: number): Effect.Effect<ReadonlyArray<Trouble>, JournalUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [leftovers] = yield* sql<{ readonly count: number; readonly since: number | null }>`
      SELECT count(*) AS count, min(at) AS since FROM leftover`
    const [missing] = yield* sql<{ readonly count: number; readonly since: number | null }>`
      SELECT count(*) AS count, min(since) AS since FROM difference WHERE kind = 'missing'`
    const [differing] = yield* sql<{ readonly count: number; readonly since: number | null }>`
      SELECT count(DISTINCT resource_id) AS count, min(since) AS since FROM difference WHERE kind <> 'missing'`
    const waiting = yield* sql<{
      readonly order: string
      readonly name: string
      readonly last: string
      readonly lastAt: number
    }>`
      SELECT order_id AS "order", name, last, last_at AS "lastAt" FROM known_order
      WHERE state = 'waits' AND accepted < ${now - longWait} ORDER BY accepted LIMIT 20`
    const list = (kind: "leftovers" | "differences", name: string) => ({ kind, id: "", name })
    return [
      ...(leftovers === undefined || leftovers.count === 0
        ? []
        : [
            {
              severity: "warning" as const,
              what: `${countOf(leftovers.count, "thing")} of failed orders could not be removed from the cloud.`,
              where: list("leftovers", "Leftovers"),
              since: leftovers.since,
              todo: "Remove what holds it, as its reason says: it is tried again every ten minutes."
            }
          ]),
      ...(missing === undefined || missing.count === 0
        ? []
        : [
            {
              severity: "critical" as const,
              what: `${countOf(missing.count, "resource has", "resources have")} vanished from the cloud.`,
              where: list("differences", "Differences"),
              since: missing.since,
              todo: "Find out who removed it. End it in Waldur, or bring it back."
            }
          ]),
      ...(differing === undefined || differing.count === 0
        ? []
        : [
            {
              severity: "warning" as const,
              what: `${countOf(differing.count, "resource differs", "resources differ")} from what Waldur says.`,
              where: list("differences", "Differences"),
              since: differing.since,
              todo: "Look what differs, and put it right, or let the agent do it (drift in the configuration)."
            }
          ]),
      ...waiting.map(
        (one): Trouble => ({
          severity: "warning",
          what: `The order of ${one.name} does not get on: ${one.last}`,
          where: { kind: "order", id: one.order, name: one.name },
          since: one.lastAt,
          todo: "Mend what the reason names: it is tried again by itself. Or cancel it."
        })
      )
    ]
  }).pipe(unavailable)

/** Away since the first of the offerings that wait for it began to. */
const awaySince = (names: ReadonlyArray<string>, offerings: ReadonlyArray<OfferingTrouble>): number | null => {
  const since = offerings.flatMap((one) =>
    names.includes(one.name) && one.state === "waits" && one.since !== null ? [one.since] : []
  )
  return since.length === 0 ? null : Math.min(...since)
}

const ofServer = (
  { breaker, offerings, reason, system, url }: Server,
  about: ReadonlyArray<OfferingTrouble>
): ReadonlyArray<Trouble> =>
  breaker === "closed"
    ? []
    : [
        {
          severity: "critical",
          what: `${url} (${system}) is away: ${reason}`,
          where: { kind: "server", id: url, name: url },
          since: awaySince(offerings, about),
          todo: `Bring it back, or mend the way to it. Orders of ${offerings.join(", ")} wait and go on by themselves.`
        }
      ]

const rank = { critical: 0, warning: 1 } as const

const ofAbsent = (absent: Absent): Trouble => ({
  severity: "critical",
  what: sentenceOf(absent),
  where: { kind: absent.orders.length > 0 ? "orders" : "leftovers", id: "", name: absent.offering },
  since: absent.since,
  todo: toDo
})

const ofCutOff = ({ from, sentence, since }: CutOff): Trouble => ({
  severity: "warning",
  what: sentence,
  where: { kind: "process", id: "", name: from },
  since: since ?? null,
  todo: toOpen
})

export const troublesOf = (facts: {
  readonly offerings: ReadonlyArray<OfferingTrouble>
  readonly servers: ReadonlyArray<Server>
  readonly quarantined: ReadonlyArray<Quarantined>
  readonly cutOffs: ReadonlyArray<CutOff>
  readonly now: number
}) =>
  Effect.zipWith(
    ofJournal(facts.now),
    absentOfferings(facts.offerings.map(({ uuid }) => uuid)),
    (found, absent): ReadonlyArray<Trouble> =>
      [
        ...absent.map(ofAbsent),
        // An offering that waits for a server is told of once, by that server.
        ...facts.servers.flatMap((server) => ofServer(server, facts.offerings)),
        ...facts.offerings.filter(({ state }) => state !== "waits").flatMap(ofOffering),
        ...facts.quarantined.map(ofQuarantine),
        ...facts.cutOffs.map(ofCutOff),
        ...found
      ].toSorted((one, other) => rank[one.severity] - rank[other.severity] || (one.since ?? 0) - (other.since ?? 0))
  )

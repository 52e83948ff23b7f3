/** Whether an offering is ready, and every reason why not. No clock and no services here: facts in, answer out. */
import type { OfferingReadiness, ReadinessPart } from "../../api/index.js"
import { countOf } from "../../core/index.js"
import type { ConsumerStatus } from "../../waldur/index.js"
import type { Away } from "../journal/health.js"
import type { RivalSeen, Status } from "./health.js"
import { sentenceOf } from "./pausings.js"
import type { Standing } from "./standing.js"

export interface Facts {
  readonly uuid: string
  readonly name: string
  readonly backendType: string
  readonly waldurUrl: string
  /** `undefined`: the offering is not open. */
  readonly health:
    | {
        readonly status: Status
        readonly away: ReadonlyMap<string, string>
        readonly rivals?: ReadonlyMap<string, RivalSeen>
      }
    | undefined
  readonly standing: Pick<Standing, "closed" | "since" | "passes">
  readonly wantsOrders: boolean
  readonly wantsEvents: boolean
  readonly consumers: ReadonlyArray<ConsumerStatus>
  /** Why the journal cannot be written; `undefined`: it can. */
  readonly journal?: Away | undefined
  /** By an operator; `undefined`: it is not paused. */
  readonly paused?: { readonly who: string; readonly reason: string; readonly since: number } | undefined
  /** ms within which a look at the queue is due. */
  readonly passDue: number
}

/** ms that events may be away before the offering counts as not ready: a broker's restart is no news. */
export const eventsGrace = 30_000

/** The same of the journal: a database that is started again, or whose standby takes over. */
export const journalGrace = 30_000

const iso = (at: number): string => new Date(at).toISOString()
const seconds = (ms: number): number => Math.round(ms / 1000)

const down = (reason: string): ReadinessPart => ({ status: "down", reason })
const ok: ReadinessPart = { status: "ok" }

const eventsPart = (status: ConsumerStatus): ReadinessPart => {
  if (!status.supported) return { status: "off", reason: status.reason }
  if (status.connectedSince !== undefined) return { status: "ok", since: iso(status.connectedSince) }
  return { ...down(status.reason), ...(status.downSince === undefined ? {} : { since: iso(status.downSince) }) }
}

const eventsOf = (status: ConsumerStatus): OfferingReadiness["events"][number] => ({
  ...eventsPart(status),
  objectType: status.objectType,
  reconnects: status.reconnects,
  events: status.events,
  unreadable: status.unreadable,
  held: status.held,
  ...(status.lastEvent === undefined ? {} : { lastEvent: iso(status.lastEvent) })
})

/** What a client says of its server may name the address: where it stands already, that is once too often. */
export const withoutAddress = (url: string, reason: string): string => reason.replaceAll(` on ${url}`, "")

const ofJournal = (
  { journal }: Facts,
  now: number
): { readonly grave: boolean; readonly said: ReadonlyArray<string> } =>
  journal === undefined
    ? { grave: false, said: [] }
    : {
        grave: now - journal.since > journalGrace,
        said: [`The journal cannot be written for ${seconds(now - journal.since)} s: ${journal.reason}`]
      }

/** Of several orders that show it, one is as good as all. */
const ofRivals = (rivals: ReadonlyMap<string, RivalSeen>): ReadonlyArray<string> => {
  const all = [...rivals.values()].toSorted((one, other) => Number(other.waits) - Number(one.waits))
  const [first] = all
  if (first === undefined) return []
  const waiting = all.filter(({ waits }) => waits).length
  return [
    `Another agent is at work on this offering${waiting === 0 ? "" : `, and ${countOf(waiting, "order waits", "orders wait")} for it`}. ${first.reason}`
  ]
}

/** One reason for each thing that is wrong, as far as it makes the offering not ready. */
const faults = (facts: Facts, now: number): ReadonlyArray<string> => {
  const { consumers, health, standing } = facts
  if (health === undefined) return [`Not open: ${standing.closed ?? "it is being opened."}`]
  const stopped = health.status._tag === "Stopped" ? [`Stopped: ${health.status.reason}`] : []
  const away = [...health.away].map(([url, reason]) => `${url} is away: ${withoutAddress(url, reason)}`)
  const lost = consumers
    .filter(({ downSince, supported }) => supported && downSince !== undefined && now - downSince > eventsGrace)
    .map(({ downSince, objectType, reason }) => {
      const since = downSince === undefined ? "" : `for ${seconds(now - downSince)} s`
      return `No events (${objectType}) ${since}: ${reason}`
    })
  const missing =
    facts.wantsEvents && consumers.length === 0 && now - standing.since > eventsGrace
      ? ["No events: they could not be set up, see the log."]
      : []
  const last = standing.passes.orders ?? standing.since
  const late =
    facts.wantsOrders && now - last > facts.passDue
      ? [`The last complete look at Waldur's queue was ${seconds(now - last)} s ago.`]
      : []
  return [...stopped, ...ofRivals(health.rivals ?? new Map()), ...away, ...lost, ...missing, ...late]
}

const partsOf = ({
  health,
  standing,
  waldurUrl
}: Facts): { readonly waldur: ReadinessPart; readonly backend: ReadinessPart } => {
  if (health === undefined) {
    const unknown = down(standing.closed ?? "The offering is being opened.")
    return { waldur: unknown, backend: unknown }
  }
  const atWaldur = health.away.get(waldurUrl)
  const elsewhere = [...health.away]
    .filter(([url]) => url !== waldurUrl)
    .map(([url, reason]) => `${url}: ${withoutAddress(url, reason)}`)
  return {
    waldur: atWaldur === undefined ? ok : down(atWaldur),
    backend: elsewhere.length === 0 ? ok : down(elsewhere.join(" "))
  }
}

export const readinessOf = (facts: Facts, now: number): OfferingReadiness => {
  const { waldur, backend } = partsOf(facts)
  const wrong = faults(facts, now)
  const status = facts.health?.status
  const slow = status?._tag === "Degraded" && facts.health?.away.size === 0 ? [status.reason] : []
  const paused = facts.paused === undefined ? [] : [sentenceOf(facts.paused)]
  const journal = ofJournal(facts, now)
  const last = facts.standing.passes.orders
  return {
    uuid: facts.uuid,
    name: facts.name,
    ready: wrong.length === 0 && !journal.grave,
    reasons: [...journal.said, ...wrong, ...paused, ...slow],
    waldur,
    backend: { ...backend, type: facts.backendType },
    events: facts.consumers.map(eventsOf),
    ...(last === undefined ? {} : { lastPass: iso(last) })
  }
}

/**
 * Compares a recorded answer with a simulated one.
 *
 * Everything has to be equal: status, headers that carry meaning, keys present and absent, values, texts, numbers, the order of
 * lists. Normalised are only: the server's address; instants (any instant for an instant); uuids, through a table that is learnt
 * from the answers and has to stay one to one.
 *
 * One weakening: in `creation_order`, the fields of the order's progress are not compared. The recorded servers read it through a
 * cache of each worker process, so that the same request, asked twice in a row, showed `pending-consumer` and then `executing`
 * (recordings 056 and 057 of the 2024 server). That the fields which are there in any state are there, and equal, is compared.
 */
import { isRecord, type Recording, type Value } from "./waldur-recordings.js"

/** Recorded uuid -> simulated uuid, and back. */
export interface Correspondence {
  readonly forth: Map<string, string>
  readonly back: Map<string, string>
}

export const emptyCorrespondence = (): Correspondence => ({ forth: new Map(), back: new Map() })

export interface SimulatedAnswer {
  readonly status: number
  readonly headers: { readonly get: (name: string) => string | null }
  readonly text: string
}

const comparedHeaders = ["Content-Type", "Allow", "WWW-Authenticate", "X-Result-Count", "Link", "Location"]

const uuids = /\b[0-9a-f]{32}\b/g
const instants = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

const progressFields = new Set([
  "state",
  "modified",
  "resource_uuid",
  "resource_type",
  "error_message",
  "consumer_reviewed_by",
  "consumer_reviewed_by_full_name",
  "consumer_reviewed_at",
  "provider_reviewed_by",
  "provider_reviewed_by_full_name",
  "provider_reviewed_at",
  "old_cost_estimate",
  "backend_id"
])

const withoutProgress = (value: Value): Value =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).filter(([name]) => !progressFields.has(name))) : value

export const originOf = (address: string): string => new URL(address).origin

/** A recorded text as the simulated server would say it, as far as the table knows. */
export const translate = (text: string, known: Correspondence): string =>
  text.replace(uuids, (uuid) => known.forth.get(uuid) ?? uuid)

export const translateValue = (value: Value, known: Correspondence, from: string, to: string): Value => {
  if (typeof value === "string") return translate(value.replaceAll(from, to), known)
  if (typeof value !== "object" || value === null) return value
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, translateValue(one, known, from, to)]))
  return value.map((one) => translateValue(one, known, from, to))
}

/** What differs, one line each; nothing if they match. Learns new pairs of uuids on the way. */
export const differences = (
  recording: Recording,
  simulated: SimulatedAnswer,
  known: Correspondence,
  origin: string
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const recordedOrigin = originOf(recording.request.url)
  const differ = (where: string, recorded: unknown, here: unknown) => {
    found.push(`${where}: recorded ${JSON.stringify(recorded)}, simulated ${JSON.stringify(here)}`)
  }

  const texts = (where: string, recorded: string, here: string): void => {
    if (instants.test(recorded) && instants.test(here)) return
    const expected = recorded.match(uuids) ?? []
    const given = here.match(uuids) ?? []
    for (const [index, uuid] of expected.entries()) {
      const counterpart = given[index]
      if (counterpart === undefined || known.forth.has(uuid) || known.back.has(counterpart)) continue
      known.forth.set(uuid, counterpart)
      known.back.set(counterpart, uuid)
    }
    if (translate(recorded.replaceAll(recordedOrigin, origin), known) !== here) differ(where, recorded, here)
  }

  const values = (where: string, recorded: Value | undefined, here: Value | undefined): void => {
    if (recorded === undefined || here === undefined) differ(where, recorded ?? "absent", here ?? "absent")
    else if (typeof recorded === "string" && typeof here === "string") texts(where, recorded, here)
    else if (isRecord(recorded) && isRecord(here)) {
      const weak = where.endsWith(".creation_order")
      const one = weak ? withoutProgress(recorded) : recorded
      const other = weak ? withoutProgress(here) : here
      if (!isRecord(one) || !isRecord(other)) return
      for (const name of new Set([...Object.keys(one), ...Object.keys(other)]))
        values(`${where}.${name}`, one[name], other[name])
    } else if (Array.isArray(recorded) && Array.isArray(here)) {
      if (recorded.length !== here.length) differ(`${where}.length`, recorded.length, here.length)
      else for (const [index, one] of recorded.entries()) values(`${where}[${index}]`, one, here[index])
    } else if (recorded !== here) differ(where, recorded, here)
  }

  if (recording.response.status !== simulated.status) differ("status", recording.response.status, simulated.status)
  if (recording.response.json !== null) values("body", recording.response.json, parsed(simulated.text))
  else if ((recording.response.text ?? "") !== simulated.text)
    differ("text", recording.response.text, simulated.text.slice(0, 200))
  for (const name of comparedHeaders) {
    const recorded = recording.response.headers[name]
    const here = simulated.headers.get(name)
    if (recorded === undefined || here === null) {
      if ((recorded ?? null) !== here) differ(`header ${name}`, recorded ?? "absent", here ?? "absent")
    } else texts(`header ${name}`, recorded, here)
  }
  return found
}

const parsed = (text: string): Value | undefined => {
  try {
    const value: Value = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

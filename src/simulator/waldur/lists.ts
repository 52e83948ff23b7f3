/**
 * Lists: filters, order, sparse fields, and pages. `page_size` is 10 by default and 300 at most, and nonsense means the default;
 * a page past the end is 404; `X-Result-Count` and `Link` say how many there are and where the others stand (recordings 198 to
 * 206).
 */
import { Either } from "effect"
import { invalid, json, type Outcome, refused } from "./answers.js"
import type { Json, JsonObject } from "./model.js"
import type { ApiRequest } from "./request.js"
import { normaliseUuid } from "./world.js"

const defaultPageSize = 10
const largestPageSize = 300

/** The query with keys in alphabetical order, as the server writes its links. */
const linkTo = ({ origin, path, query }: ApiRequest, page: number): string => {
  const pairs = [...query.entries()].filter(([name]) => name !== "page")
  if (page > 1) pairs.push(["page", String(page)])
  pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
  const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString()
  return `${origin}${path}${search === "" ? "" : `?${search}`}`
}

const pageSizeOf = (query: URLSearchParams): number => {
  const wanted = query.get("page_size") ?? ""
  const size = /^\d+$/.test(wanted) ? Number(wanted) : 0
  return size > 0 ? Math.min(size, largestPageSize) : defaultPageSize
}

export const pageOf = <A>(request: ApiRequest, items: ReadonlyArray<A>, view: (item: A) => JsonObject): Outcome => {
  const size = pageSizeOf(request.query)
  const last = Math.max(1, Math.ceil(items.length / size))
  const asked = request.query.get("page") ?? "1"
  const page = asked === "last" ? last : /^\d+$/.test(asked) ? Number(asked) : 0
  if (page < 1 || page > last) return refused(404, { detail: "Invalid page." })
  const link = (to: number, relation: string) => `<${linkTo(request, to)}>; rel="${relation}"`
  const links = [
    link(1, "first"),
    ...(page > 1 ? [link(page - 1, "prev")] : []),
    ...(page < last ? [link(page + 1, "next")] : []),
    link(last, "last")
  ]
  const wanted = wantedBy(request.query)
  const shown = items.slice((page - 1) * size, page * size).map((item) => only(wanted, view(item)))
  return Either.right(json(200, shown, { "X-Result-Count": String(items.length), Link: links.join(", ") }))
}

/** The fields that `field=` asks for; undefined: all. */
const wantedBy = (query: URLSearchParams): ReadonlySet<string> | undefined =>
  query.has("field") ? new Set(query.getAll("field")) : undefined

const only = (wanted: ReadonlySet<string> | undefined, view: JsonObject): JsonObject => {
  if (wanted === undefined) return view
  const shown: { [name: string]: Json | undefined } = {}
  for (const name of Object.keys(view)) if (wanted.has(name)) shown[name] = view[name]
  return shown
}

/** Only the fields that `field=` asks for, if any. */
export const sparse = (query: URLSearchParams, view: JsonObject): JsonObject => only(wantedBy(query), view)

export type Filter<A> =
  | { readonly _tag: "Uuid"; readonly of: (item: A) => string | null }
  | { readonly _tag: "Choice"; readonly choices: ReadonlyArray<string>; readonly of: (item: A) => string }
  | { readonly _tag: "Text"; readonly of: (item: A) => string }
  /** Not before this instant. */
  | { readonly _tag: "Since"; readonly of: (item: A) => number }

/**
 * A filter that the list does not know is ignored, a value that cannot be is 400 (recordings 036 and 037). In one pass, as a list of ten thousand is
 * read in a hundred pages.
 */
export const filtered = <A>(
  query: URLSearchParams,
  items: Iterable<A>,
  filters: { readonly [name: string]: Filter<A> }
): Outcome<ReadonlyArray<A>> => {
  const errors: { [name: string]: Json } = {}
  const conditions: Array<(item: A) => boolean> = []
  for (const [name, filter] of Object.entries(filters)) {
    const values = query.getAll(name).filter((value) => value !== "")
    if (values.length === 0) continue
    if (filter._tag === "Uuid") {
      const uuids = values.map(normaliseUuid)
      if (uuids.includes(null)) errors[name] = ["Enter a valid UUID."]
      conditions.push((item) => uuids.includes(filter.of(item)))
    } else if (filter._tag === "Choice") {
      const unknown = values.find((value) => !filter.choices.includes(value))
      if (unknown !== undefined)
        errors[name] = [`Select a valid choice. ${unknown} is not one of the available choices.`]
      conditions.push((item) => values.includes(filter.of(item)))
    } else if (filter._tag === "Since") {
      const since = Date.parse(values[0] ?? "")
      if (Number.isNaN(since)) errors[name] = ["Enter a valid date/time."]
      conditions.push((item) => filter.of(item) >= since)
    } else conditions.push((item) => values.includes(filter.of(item)))
  }
  if (Object.keys(errors).length > 0) return invalid(errors)
  const kept: Array<A> = []
  for (const item of items) if (conditions.every((fulfilled) => fulfilled(item))) kept.push(item)
  return Either.right(kept)
}

/** `o=created` or `o=-created`; anything else leaves the order in which things were made. */
export const ordered = <A extends { readonly created: number }>(
  query: URLSearchParams,
  items: ReadonlyArray<A>
): ReadonlyArray<A> => {
  const wanted = query.get("o")
  if (wanted !== "-created") return items
  return [...items].reverse()
}

/** A request as the rules see it, and how its parts are read. */
import { Either } from "effect"
import { json, type Outcome, refused } from "./answers.js"
import { isObject } from "./limits.js"
import type { Json, JsonObject, User } from "./model.js"
import { normaliseUuid, type World } from "./world.js"

export interface ApiRequest {
  readonly method: string
  /** Path without the query, `/api/marketplace-orders/`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
  /** Scheme, host and port under which the client found the server: addresses in answers begin with it. */
  readonly origin: string
}

export interface Context {
  readonly world: World
  readonly user: User
  readonly request: ApiRequest
  readonly params: { readonly [name: string]: string | undefined }
}

export type Handler = (context: Context) => Outcome

/** Parses the body once it is needed: an unknown media type is 415, broken JSON 400 (recordings 022 and 023). */
export const readBody = ({ headers, body }: ApiRequest): Outcome<Json> => {
  const mediaType = (headers["content-type"] ?? "application/json").split(";")[0]?.trim() ?? ""
  if (body === "") return Either.right({})
  if (mediaType === "application/x-www-form-urlencoded")
    return Either.right(Object.fromEntries(new URLSearchParams(body)))
  if (mediaType !== "application/json")
    return refused(415, { detail: `Unsupported media type "${mediaType}" in request.` })
  return Either.mapLeft(
    Either.try((): Json => JSON.parse(body)),
    () => json(400, { detail: `JSON parse error - ${pythonComplaint(body)}` })
  )
}

/** The beginning of what Python's parser says; further positions are not imitated. */
const pythonComplaint = (text: string): string =>
  /^\s*\{\s*[^"}\s]/.test(text)
    ? "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    : "Expecting value: line 1 column 1 (char 0)"

export const readObject = (request: ApiRequest): Outcome<JsonObject> =>
  Either.flatMap(readBody(request), (body) =>
    isObject(body)
      ? Either.right(body)
      : refused(400, {
          non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`]
        })
  )

export const pythonType = (value: Json): string => {
  if (value === null) return "NoneType"
  if (Array.isArray(value)) return "list"
  if (typeof value === "string") return "str"
  if (typeof value === "boolean") return "bool"
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float"
  return "dict"
}

export const text = (body: JsonObject, name: string): string | undefined => {
  const value = body[name]
  return typeof value === "string" ? value : undefined
}

/** Looks the record up that a path or a filter names; `find` answers `undefined` for what the caller may not see. */
export const lookUp = <A>(
  records: ReadonlyMap<string, A>,
  uuid: string | undefined,
  visible: (record: A) => boolean,
  missing: Outcome<never>
): Outcome<A> => {
  const record = records.get(normaliseUuid(uuid ?? "") ?? "")
  return record === undefined || !visible(record) ? missing : Either.right(record)
}

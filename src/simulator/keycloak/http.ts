/** Requests and answers, with the headers that Keycloak 26.7.3 sends in each case. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** `http://127.0.0.1:8080`, as the client named it. */
  readonly origin: string
}

export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const always = {
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Robots-Tag": "none"
}
const framed = { ...always, "X-Frame-Options": "SAMEORIGIN" }
const plainJson = { "Content-Type": "application/json" }
const uncached = { "Cache-Control": "no-cache" }
/** Of the endpoints that hand out secrets. */
export const unstored = { "Cache-Control": "no-store", Pragma: "no-cache" }

/** Characters outside the basic plane leave Keycloak as escapes (recording 184). */
const written = (value: Json): string =>
  JSON.stringify(value).replace(
    /[\ud800-\udfff]/g,
    (half) => `\\u${half.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`
  )

/** What the admin API shows. */
export const shown = (value: Json): Answer => ({
  status: 200,
  headers: { ...framed, ...uncached, "Content-Type": "application/json;charset=UTF-8" },
  text: written(value)
})

export const json = (status: number, value: Json, more: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { ...framed, ...plainJson, ...more },
  text: written(value)
})

export const created = (location: string): Answer => ({
  status: 201,
  headers: { ...framed, Location: location },
  text: ""
})
/** The one creation that also shows what was made (recording 079). */
export const createdShown = (location: string, value: Json): Answer =>
  json(201, value, { ...uncached, Location: location })

/** 204 in its four dresses: after a PUT or POST, about memberships, after a deletion, after a move under a parent. */
export const done: Answer = { status: 204, headers: framed, text: "" }
export const doneUncached: Answer = { status: 204, headers: { ...always, ...uncached }, text: "" }
export const deleted: Answer = { status: 204, headers: always, text: "" }
export const moved: Answer = { status: 204, headers: { ...framed, ...uncached, ...plainJson }, text: "" }
export const loggedOut: Answer = {
  status: 204,
  headers: {
    ...framed,
    ...uncached,
    "Content-Security-Policy": "frame-src 'self'; frame-ancestors 'self'; object-src 'none';"
  },
  text: ""
}

/** Userinfo refuses with a header and no body (recordings 174, 279, 280). */
export const challenge = (status: number, realm: string, error: string, description: string): Answer => ({
  status,
  headers: {
    ...always,
    ...unstored,
    "Content-Type": "text/plain;charset=utf-8",
    "WWW-Authenticate": `Bearer realm="${realm}", error="${error}", error_description="${description}"`
  },
  text: ""
})

/** Thrown by whatever cannot go on; the answer is sent as it is. */
export class Refusal extends Error {
  constructor(readonly answer: Answer) {
    super(answer.text)
  }
}
export const refusal = (status: number, value: JsonObject): Refusal => new Refusal(json(status, value))

export const unauthorized = refusal(401, { error: "HTTP 401 Unauthorized" })
export const forbidden = refusal(403, { error: "HTTP 403 Forbidden" })
export const noSuchPath = refusal(404, { error: "HTTP 404 Not Found" })
export const wrongMethod = refusal(405, { error: "HTTP 405 Method Not Allowed" })
export const unknownError = refusal(500, {
  error: "unknown_error",
  error_description: "For more on this error consult the server log."
})
/** A refusal by Keycloak's own rules. */
export const invalid = (message: string): Refusal => refusal(400, { errorMessage: message })
export const conflict = (message: string): Refusal => refusal(409, { errorMessage: message })
/** Of the token endpoint. */
export const oauthError = (status: number, error: string, description: string): Answer =>
  json(status, { error, error_description: description }, unstored)

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The body as JSON: 415 for another content type, 400 for what is none. */
export const readJson = ({ headers, body }: Request): unknown => {
  if (!(headers["content-type"] ?? "").startsWith("application/json")) {
    throw refusal(415, { error: "The content-type header value did not match the value in @Consumes" })
  }
  try {
    return JSON.parse(body)
  } catch {
    throw refusal(400, { error: "invalid_request", error_description: "Cannot parse the JSON" })
  }
}

/** An object of which only these fields are known (recording 049). */
export const readFields = (
  request: Request,
  name: string,
  known: ReadonlySet<string>
): Readonly<Record<string, unknown>> => {
  const value = readJson(request)
  if (!isObject(value)) throw refusal(400, { error: "invalid_request", error_description: "Cannot parse the JSON" })
  const unknown = Object.keys(value).find((field) => !known.has(field))
  if (unknown === undefined) return value
  const after = request.body.indexOf(JSON.stringify(unknown)) + JSON.stringify(unknown).length
  const column = after + (/^\s*:\s*[^,}\s]*/.exec(request.body.slice(after))?.[0].length ?? 0) + 1
  throw refusal(400, {
    error: `Invalid json representation for ${name}. Unrecognized field "${unknown}" at line 1 column ${column}.`
  })
}

/** A whole number of the query; what is none is as unknown as a path (recording 071). */
export const numberOf = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name)
  if (text === null || text === "") return undefined
  if (!/^-?\d+$/.test(text)) throw noSuchPath
  return Number(text)
}
export const flagOf = (query: URLSearchParams, name: string, otherwise: boolean): boolean => {
  const text = query.get(name)
  return text === null || text === "" ? otherwise : text === "true"
}

/** A page by `first` and `max`; negative is no limit. `otherwise`: the limit where neither is given. */
export const paged = <A>(items: ReadonlyArray<A>, query: URLSearchParams, otherwise = -1): ReadonlyArray<A> => {
  const [first, max] = [numberOf(query, "first"), numberOf(query, "max")]
  const from = Math.max(first ?? 0, 0)
  const limit = max ?? (first === undefined ? otherwise : -1)
  return limit < 0 ? items.slice(from) : items.slice(from, from + limit)
}

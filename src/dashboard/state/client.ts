/**
 * Questions to the agent, typed by its own `HttpApi` (`src/api`): names, answers and request bodies are the server's, at no byte of the
 * page's weight. The agent encodes every answer with the schema that these types come from, and page and agent are one package: so an
 * answer is not decoded a second time (docs/decisions). What may differ is the version; `live.ts` watches that.
 */
import type { HttpApi, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
import type { Action, api } from "../../api/index.js"

type GroupsOf<Api> = Api extends HttpApi.HttpApi<infer _Id, infer Groups, infer _E, infer _R> ? Groups : never
type Groups = GroupsOf<typeof api>
type Answers = {
  [Group in Groups as HttpApiGroup.HttpApiGroup.Name<Group>]: {
    [Endpoint in HttpApiGroup.HttpApiGroup.Endpoints<Group> as HttpApiEndpoint.HttpApiEndpoint.Name<Endpoint>]: HttpApiEndpoint.HttpApiEndpoint.Success<Endpoint>
  }
}
/** "orders.list" -> what it answers. */
type Flat = {
  [Group in keyof Answers & string]: {
    [Name in keyof Answers[Group] & string as `${Group}.${Name}`]: Answers[Group][Name]
  }
}[keyof Answers & string]
type Together<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never
type All = Together<Flat>

/** Where each question goes. A test holds this table to the `HttpApi`. */
export const routes = {
  "session.current": "GET /api/session",
  "session.signIn": "POST /api/session",
  "session.signOut": "DELETE /api/session",
  "overview.overview": "GET /api/overview",
  "overview.series": "GET /api/series",
  "orders.list": "GET /api/orders",
  "orders.order": "GET /api/orders/:order",
  "resources.list": "GET /api/resources",
  "resources.resource": "GET /api/resources/:resource",
  "resources.look": "GET /api/resources/:resource/look",
  "troubles.leftovers": "GET /api/leftovers",
  "troubles.quarantine": "GET /api/quarantine",
  "troubles.differences": "GET /api/differences",
  "troubles.orphans": "GET /api/orphans",
  "actions.preview": "POST /api/actions/preview",
  "actions.perform": "POST /api/actions",
  "actions.audit": "GET /api/audit"
} as const satisfies Partial<Record<keyof All, string>>
export type Question = keyof typeof routes
export type Answer<Q extends Question> = All[Q]

interface Bodies {
  readonly "session.signIn": { readonly token: string }
  readonly "actions.preview": typeof Action.Encoded
  readonly "actions.perform": typeof Action.Encoded
}

export interface Request<Q extends Question> {
  readonly path?: Readonly<Record<string, string>>
  /** What is empty is left out. */
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: Q extends keyof Bodies ? Bodies[Q] : never
}

/** `offline`: the agent does not answer. Every other one is the `_tag` that it answered with. */
export interface Failure {
  readonly tag: string
  /** One sentence. */
  readonly message: string
}
export type Result<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly failure: Failure }

export const livePath = "/api/live"
/** Relative to the page, so that a reverse proxy may put both under any path. */
export const addressOf = (path: string): string => new URL(`.${path}`, document.baseURI).href

const failed = (tag: string, message: string): Result<never> => ({ ok: false, failure: { tag, message } })

/** Aborting is the asker's business: what it gets then is never shown. */
export const ask = async <Q extends Question>(
  question: Q,
  request: Request<Q> = {},
  signal?: AbortSignal
): Promise<Result<Answer<Q>>> => {
  const [method = "GET", template = ""] = routes[question].split(" ")
  const path = template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(request.path?.[name] ?? ""))
  const url = new URL(addressOf(path))
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== "") url.searchParams.set(name, `${value}`)
  try {
    const response = await fetch(url, {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(method === "GET" ? {} : { "x-site-actors": "page" }),
        ...(request.body === undefined ? {} : { "content-type": "application/json" })
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(signal === undefined ? {} : { signal })
    })
    const answer = await response.json().catch(() => undefined)
    if (response.ok && answer !== undefined) return { ok: true, value: answer }
    // Of the agent's own refusals, or of whatever stands before it.
    return failed(answer?._tag ?? "HttpError", answer?.message ?? `The agent answered ${response.status}.`)
  } catch {
    return failed("offline", "The agent does not answer.")
  }
}

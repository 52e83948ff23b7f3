/** Questions to the agent, and what comes of them: never an exception, always a result. */
import type { Action } from "../../api/index.js"
import { type Answer, type Question, routes } from "./routes.js"

export type { Answer, Question } from "./routes.js"

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

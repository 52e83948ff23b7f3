/**
 * What a request is answered with, and the refusals in Waldur's words. A rule answers `Either<Answer, Answer>`: right what was
 * asked for, left the refusal.
 */
import { Either } from "effect"
import type { Json, JsonObject } from "./model.js"

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** Absent: an empty body, as many of Waldur's actions answer. */
  readonly body?: { readonly json: Json } | { readonly html: string }
}

export type Outcome<A = Answer> = Either.Either<A, Answer>

export const json = (status: number, value: Json, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "Content-Type": "application/json", ...headers },
  body: { json: value }
})

export const empty = (status: number): Answer => ({ status, headers: {} })

export const ok = (value: Json): Outcome => Either.right(json(200, value))

const page = (title: string, text: string): string =>
  `\n<!doctype html>\n<html lang="en">\n<head>\n  <title>${title}</title>\n</head>\n<body>\n  <h1>${title}</h1><p>${text}</p>\n</body>\n</html>\n`

const html = (status: number, title: string, text: string): Answer => ({
  status,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  body: { html: page(title, text) }
})

/** No such path. Recording 071 of the 2024 server. */
export const noSuchPath = html(404, "Not Found", "The requested resource was not found on this server.")

/** The server's own crash: a missing required field (059, 126), a `KeyError`. */
export const serverError = html(500, "Server Error (500)", "")

export const refused = (status: number, value: Json): Outcome<never> => Either.left(json(status, value))

const detail = (status: number, text: string): Outcome<never> => refused(status, { detail: text })

export const invalid = (errors: JsonObject | ReadonlyArray<Json>): Outcome<never> => refused(400, errors)

export const notFound = (model: "Order" | "Resource" | "Offering" | "Plan" | string): Outcome<never> =>
  detail(404, `No ${model} matches the given query.`)

export const forbidden: Outcome<never> = detail(403, "You do not have permission to perform this action.")

export const wrongState = (valid: ReadonlyArray<string>): Outcome<never> =>
  detail(409, `Valid states for operation: ${valid.join(", ")}.`)

export const conflict = (text: string): Outcome<never> => detail(409, text)

export const methodNotAllowed = (method: string): Answer => json(405, { detail: `Method "${method}" not allowed.` })

export const unauthorised = (text: string): Answer => json(401, { detail: text }, { "WWW-Authenticate": "Token" })

export const ensure = (condition: boolean, refusal: Outcome<never>): Outcome<void> =>
  condition ? Either.void : refusal

/** What the groups share: ids, times, pages, and the ways in which a call is refused. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Schema } from "effect"

/** Waldur's uuids: 32 hexadecimal digits, lower case, no dashes. Dashes and upper case are taken as well. */
export const Uuid = Schema.transform(Schema.String, Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/)), {
  strict: true,
  decode: (text) => text.replaceAll("-", "").toLowerCase(),
  encode: (uuid) => uuid
}).annotations({ identifier: "Uuid", description: "A uuid of Waldur: 32 hexadecimal digits, dashes or not." })

/** Milliseconds since 1970. */
export const Millis = Schema.Number.annotations({ description: "Milliseconds since 1970." })
/** A length of time in milliseconds. */
export const Length = Schema.Number.annotations({ description: "A length of time in milliseconds." })

/** As many as fit on a screen or two; the server gives no more. */
export const largestPage = 200

const whole = Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, largestPage))

/**
 * How a list is asked for: `limit` rows (50 if absent) after `cursor`, which is the `next` of the page before. A page never shows a row
 * twice and leaves none out, also when rows come and go in between.
 */
export const pageParams = {
  cursor: Schema.optional(Schema.String.pipe(Schema.maxLength(1_000))),
  limit: Schema.optional(whole)
}

/** Looks for this: the beginning of a uuid, or a part of a name, upper or lower case. */
export const search = Schema.optional(Schema.String.pipe(Schema.maxLength(200)))

/** A page of a list. `total`: of all that match, on all pages. */
export const pageOf = <A, I, R>(row: Schema.Schema<A, I, R>) =>
  Schema.Struct({
    rows: Schema.Array(row),
    /** Ask for it with `cursor`. `null`: this is the last page. */
    next: Schema.NullOr(Schema.String),
    total: Schema.Int
  })

const message = { message: Schema.String }

/** 400: one sentence about what is wrong with the request, and what to do. */
export class Refused extends Schema.TaggedError<Refused>()(
  "Refused",
  message,
  HttpApiSchema.annotations({ status: 400 })
) {}

/** 401: sign in first. */
export class SignInFirst extends Schema.TaggedError<SignInFirst>()(
  "SignInFirst",
  message,
  HttpApiSchema.annotations({ status: 401 })
) {}

/** 403: signed in, and not allowed. */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()(
  "NotAllowed",
  message,
  HttpApiSchema.annotations({ status: 403 })
) {}

/** 404: neither the journal nor the last look knows it. */
export class Unknown extends Schema.TaggedError<Unknown>()(
  "Unknown",
  message,
  HttpApiSchema.annotations({ status: 404 })
) {}

/** 429: too many tries; `seconds` until the next one is taken. */
export class TooMany extends Schema.TaggedError<TooMany>()(
  "TooMany",
  { ...message, seconds: Schema.Number },
  HttpApiSchema.annotations({ status: 429 })
) {}

/** 503: the journal cannot be read now, or as many watch already as may. It may pass. */
export class Unavailable extends Schema.TaggedError<Unavailable>()(
  "Unavailable",
  message,
  HttpApiSchema.annotations({ status: 503 })
) {}

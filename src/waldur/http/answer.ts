/** From an HTTP answer to a value or an error: which status means what, and how Waldur's many shapes of complaint become sentences. */
import { Clock, Duration, Effect, Option, Predicate } from "effect"
import {
  WaldurConflict,
  type WaldurError,
  WaldurForbidden,
  WaldurInvalid,
  WaldurMalformedAnswer,
  WaldurNotFound,
  WaldurRateLimited,
  WaldurRedirected,
  WaldurRefusedCall,
  WaldurServerError,
  WaldurUnauthorized
} from "../errors.js"

/** An answer as it came in. */
export interface RawAnswer {
  readonly status: number
  readonly header: (name: string) => Option.Option<string>
  readonly body: string
}

/** A success. `json` is null if the body was empty. */
export interface Answer {
  readonly status: number
  readonly header: (name: string) => Option.Option<string>
  readonly json: unknown
  /** Of the body, in characters. */
  readonly length: number
}

export interface Asked {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE"
  /** "POST marketplace-orders/{uuid}/set_state_done/" */
  readonly call: string
  /** Strikes the agent's own secrets out of a text. */
  readonly strike: (text: string) => string
}

const longestExcerpt = 300

/** A piece of a body for a log: no markup, no control characters, no secrets, short. */
export const excerptOf = (body: string, strike: (text: string) => string): string => {
  // Struck out before it is cut to what is shown: half a secret would no longer be recognised.
  const plain = strike(body.slice(0, longestComplaint))
    .slice(0, 8_000)
    .replace(/<(script|style)\b[^>]*>[^<]*/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\p{C}+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
  return plain.length > longestExcerpt ? `${plain.slice(0, longestExcerpt - 3)}...` : plain
}

/** Keys that say nothing about which field is meant. */
const anonymousKeys = new Set(["detail", "non_field_errors", "message"])

/** `{"limits": {"cpu": ["A valid integer is required."]}}` to "limits.cpu: A valid integer is required." (recordings 012 to 021, 066, 089). */
export const messagesOf = (json: unknown, prefix = "", depth = 0): ReadonlyArray<string> => {
  if (json === null || json === undefined || depth > 6) return []
  if (Array.isArray(json)) return json.slice(0, 20).flatMap((item) => messagesOf(item, prefix, depth + 1))
  if (typeof json === "object") {
    return Object.entries(json)
      .slice(0, 20)
      .flatMap(([key, value]) => {
        const name = anonymousKeys.has(key) ? prefix : prefix === "" ? key : `${prefix}.${key}`
        return messagesOf(value, name, depth + 1)
      })
  }
  return [prefix === "" ? String(json) : `${prefix}: ${String(json)}`]
}

const parse = (body: string): Option.Option<unknown> =>
  Option.liftThrowable((text: string): unknown => JSON.parse(text))(body)

/** An order's attributes have 32 at most (`runtime/orders/accepting/keepable.ts`). */
const deepestNesting = 64

/** Reading JSON takes no stack, but saying what is wrong with it does: beyond some thousand levels that ended the process. */
const isTooDeep = (json: unknown, levels = deepestNesting): boolean => {
  if (Array.isArray(json)) return levels === 0 || json.some((part) => isTooDeep(part, levels - 1))
  if (!Predicate.isRecord(json)) return false
  if (levels === 0) return true
  // Without a list of what is in each: with one, a long list took as long as to parse it.
  for (const key in json) if (isTooDeep(json[key], levels - 1)) return true
  return false
}

/** A complaint is short. What is longer is not taken apart: it was made to keep us busy. */
const longestComplaint = 262_144
const parseComplaint = (body: string): Option.Option<unknown> =>
  body.length > longestComplaint ? Option.none() : parse(body)

const retryAfter = (answer: RawAnswer): Effect.Effect<Option.Option<Duration.Duration>> =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    Option.flatMap(answer.header("retry-after"), (value) => {
      const milliseconds = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
      return Number.isFinite(milliseconds) ? Option.some(Duration.millis(Math.max(0, milliseconds))) : Option.none()
    })
  )

/** What a 4xx says: its messages, or an excerpt of whatever it is. */
const complaint = (answer: RawAnswer, asked: Asked): ReadonlyArray<string> => {
  const clean = (text: string) => excerptOf(text, asked.strike)
  const messages = Option.match(parseComplaint(answer.body), { onNone: () => [], onSome: (json) => messagesOf(json) })
  const said = messages.length > 0 ? messages : [answer.body]
  return said
    .slice(0, 20)
    .map(clean)
    .filter((message) => message !== "")
}

/** A 400 whose reason does not lie in what was sent, or of which the customer can be told more. Without `disposition`: it is the order's fault all the same. */
interface Refusal extends Partial<Pick<WaldurInvalid, "advice" | "customer" | "disposition">> {
  readonly says: RegExp
}

/** Source: waldur-mastermind, each in its place. */
const refusals: ReadonlyArray<Refusal> = [
  // To every call that changes a resource of an offering whose state is Unavailable (marketplace/views.py).
  { says: /^offering is unavailable\.?$/i, disposition: "stop-offering" },
  // Of such a customer no order is approved, nor rejected (structure/utils.py, `check_customer_blocked_or_archived`). Its staff may open it again.
  {
    says: /^(blocked|archived) organization is not available\.?$/i,
    disposition: "retry",
    advice:
      "It goes on by itself when it does: have the organization opened again in Waldur, or the order removed there by its staff."
  },
  // Once a project has cost more than its policy allows, no resource of it is saved with a change, and with that no order ends (policy/policy_actions.py,
  // `block_modification_of_existing_resources`; the class of a policy's name is in some versions of the sentence).
  {
    says: /^modification of (new|existing) resources in this project is not available due to a /i,
    disposition: "retry",
    advice:
      "A policy of the customer's project or organization in Waldur blocks modifications, and with them what is to be said of orders in work. It goes on by itself when it does not any more, as with the next month or a higher limit."
  },
  // A component was taken away or renamed since the agent has read them (marketplace/views.py, `set_limits`).
  {
    says: /^limits: unknown component types/i,
    disposition: "stop-offering",
    advice: "The offering's components have changed in Waldur: put the same ones into the file, and restart the agent."
  },
  // What the provider wants of its resources' ids (marketplace/utils.py, `validate_backend_id`).
  {
    says: /^backend_id: invalid format\./i,
    disposition: "stop-offering",
    advice: "Change the offering's rules for backend ids in Waldur, so that they allow those of this backend."
  },
  {
    says: /^backend_id: this backend_id is already in use\.?$/i,
    customer:
      "The provider's rules in the marketplace do not allow the id that this resource was given: order again, or ask the provider.",
    advice:
      "Another resource has it: have the offering's rules for backend ids in Waldur ask for unique ones within the offering alone."
  }
]

const invalid = ({ call, method }: Asked, messages: ReadonlyArray<string>): WaldurInvalid => {
  const { advice, customer, disposition } = refusals.find(({ says }) => messages.some((one) => says.test(one))) ?? {}
  return new WaldurInvalid({
    call,
    messages,
    disposition: disposition ?? (method === "GET" ? "stop-offering" : "fail-order"),
    ...(advice === undefined ? {} : { advice }),
    ...(customer === undefined ? {} : { customer })
  })
}

const failure = (answer: RawAnswer, asked: Asked): Effect.Effect<never, WaldurError> => {
  const { call } = asked
  const { status } = answer
  const messages = complaint(answer, asked)
  const detail = messages.join("; ") || `status ${status}`
  if (status >= 300 && status < 400) {
    const location = excerptOf(
      Option.getOrElse(answer.header("location"), () => ""),
      asked.strike
    )
    return new WaldurRedirected({ call, status, location })
  }
  switch (status) {
    case 400:
      return invalid(asked, messages)
    case 401:
      return new WaldurUnauthorized({ call, detail })
    case 403:
      return new WaldurForbidden({ call, detail })
    case 404:
      return new WaldurNotFound({
        call,
        detail,
        unknownAddress: Option.isNone(parseComplaint(answer.body)),
        disposition: "retry"
      })
    case 409:
      return new WaldurConflict({ call, detail })
    case 429:
      return Effect.flatMap(retryAfter(answer), (after) => new WaldurRateLimited({ call, retryAfter: after }))
    // A proxy's words for "too early" and "too slow": they pass.
    case 408:
    case 425:
      return new WaldurServerError({ call, status, excerpt: detail })
    default:
      return status >= 500
        ? new WaldurServerError({ call, status, excerpt: excerptOf(answer.body, asked.strike) })
        : new WaldurRefusedCall({ call, status, detail })
  }
}

/**
 * A 2xx with a JSON body or an empty one, or an error. A success that is neither (a portal's or a maintenance page with status 200)
 * must not pass for one, least of all for a write.
 */
export const interpret = (answer: RawAnswer, asked: Asked): Effect.Effect<Answer, WaldurError> => {
  if (answer.status < 200 || answer.status >= 300) return failure(answer, asked)
  const { status, header } = answer
  if (answer.body.trim() === "") return Effect.succeed({ status, header, json: null, length: 0 })
  return Option.match(parse(answer.body), {
    onNone: () =>
      new WaldurMalformedAnswer({
        call: asked.call,
        reason: `not JSON but "${excerptOf(answer.body, asked.strike).slice(0, 80)}"`
      }),
    onSome: (json) =>
      isTooDeep(json)
        ? new WaldurMalformedAnswer({ call: asked.call, reason: `nested deeper than ${deepestNesting} levels` })
        : Effect.succeed({ status, header, json, length: answer.body.length })
  })
}

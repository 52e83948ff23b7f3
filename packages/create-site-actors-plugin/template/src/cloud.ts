/** The cloud's API: calls, and what follows from their failures. Replace by your cloud's own. */
import { Effect, Redacted, Schema } from "effect"
import { codeOf, NotYet, OfferingFault, OrderRefused, type SiteError } from "site-actors/plugin"

export const Settings = Schema.Struct({
  /** `https://cloud.example.com` */
  url: Schema.String.pipe(Schema.pattern(/^https?:\/\//)),
  token: Schema.Redacted(Schema.NonEmptyString)
})
export type Settings = typeof Settings.Type

const Bucket = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  tag: Schema.String,
  quotaMegabytes: Schema.Number
})
export type Bucket = typeof Bucket.Type

export const connect = ({ token, url }: Settings) => {
  const send = <A, I>(
    answer: Schema.Schema<A, I>,
    method: string,
    path: string,
    body?: unknown
  ): Effect.Effect<A, SiteError> =>
    Effect.gen(function* () {
      const response = yield* Effect.tryPromise({
        try: (signal) =>
          fetch(`${url}${path}`, {
            method,
            signal,
            headers: { authorization: `Bearer ${Redacted.value(token)}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          }),
        // The network, a restart: it passes. Never the error's own text, which may quote a header.
        catch: (error) => new NotYet({ reason: `${method} ${path}: ${codeOf(error)}` })
      })
      const { status } = response
      if (status === 401 || status === 403)
        return yield* new OfferingFault({
          reason: "The cloud does not know the plugin's token.",
          hint: "Set backend_settings.token."
        })
      if (status >= 500) return yield* new NotYet({ reason: `${method} ${path}: ${status}` })
      if (status === 409)
        return yield* new OrderRefused({
          customerMessage: "There is a bucket of this name already: choose another name and order again."
        })
      if (status >= 400)
        return yield* new OrderRefused({
          customerMessage: "The cloud refused the order.",
          detail: `${method} ${path}: ${status}`
        })
      const json = yield* Effect.tryPromise({
        try: () => response.json(),
        catch: () => new NotYet({ reason: `${method} ${path}: an answer that breaks off` })
      })
      return yield* Effect.mapError(
        Schema.decodeUnknown(answer)(json),
        (error) => new NotYet({ reason: `${method} ${path}: ${error.message}` })
      )
    })
  const list = send(Schema.Array(Bucket), "GET", "/buckets")
  return {
    list,
    /** By the tag, which only the plugin writes; never by the name, which is a label. */
    ownedBy: (resource: string) => Effect.map(list, (all) => all.find(({ tag }) => tag === resource)),
    create: (name: string, tag: string) => send(Bucket, "POST", "/buckets", { name, tag }),
    setQuota: (id: string, quotaMegabytes: number) => send(Bucket, "PATCH", `/buckets/${id}`, { quotaMegabytes }),
    /** Content if it is gone already. */
    remove: (id: string) =>
      Effect.flatMap(list, (all) =>
        all.some((bucket) => bucket.id === id) ? Effect.asVoid(send(Bucket, "DELETE", `/buckets/${id}`)) : Effect.void
      )
  }
}

/** The cloud's API: calls that begin a job, and the wait for its end. */
import { Effect, Schedule, Schema } from "effect"
import { aside, codeOf, NotYet, OrderRefused, type SiteError, upToSteadily } from "site-actors/plugin"

export const Settings = Schema.Struct({ url: Schema.String.pipe(Schema.pattern(/^https?:\/\//)) })

export const Machine = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  tag: Schema.String,
  cores: Schema.Number,
  state: Schema.Literal("building", "running", "failed"),
  job: Schema.String
})
export type Machine = typeof Machine.Type

/** What was begun: on which machine, by which job. */
export const Begun = Schema.Struct({ id: Schema.String, job: Schema.String })
export type Begun = typeof Begun.Type

/** Fast at first and slowing down; after half an hour something is wrong. */
const looks = Schedule.exponential("10 millis", 1.5).pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  upToSteadily("30 minutes")
)

export const connect = ({ url }: typeof Settings.Type) => {
  /** The answer, or `undefined` where there is no such thing. */
  const send = <A, I>(schema: Schema.Schema<A, I>, method: string, path: string, body?: unknown) =>
    Effect.gen(function* () {
      const call = `${method} ${path}`
      const [status, json] = yield* Effect.tryPromise({
        try: async (signal): Promise<readonly [number, unknown]> => {
          const response = await fetch(`${url}${path}`, {
            method,
            signal,
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          })
          return [response.status, await response.json()]
        },
        catch: (error) => new NotYet({ reason: `${call}: ${codeOf(error)}` })
      })
      if (status === 404) return undefined
      // Another job is at work on it, perhaps one that an earlier attempt began: the order comes back when it is over.
      if (status === 423 || status >= 500) return yield* new NotYet({ reason: `${call}: ${status}` })
      if (status >= 400)
        return yield* new OrderRefused({
          customerMessage: "The cloud refused the order.",
          detail: `${call}: ${status}`
        })
      return yield* Effect.mapError(
        Schema.decodeUnknown(schema)(json),
        ({ message }) => new NotYet({ reason: `${call}: ${message}` })
      )
    })
  const list = Effect.map(send(Schema.Array(Machine), "GET", "/machines"), (all) => all ?? [])
  /** Completes when the job is over, however it ended; at once if it is forgotten. What came of it is for the machine to say. */
  const over = (job: string): Effect.Effect<void, SiteError> =>
    send(Schema.Struct({ state: Schema.String }), "GET", `/jobs/${encodeURIComponent(job)}`).pipe(
      Effect.filterOrFail(
        (found) => found?.state !== "running",
        () => new NotYet({ reason: `Job ${job} is at work.` })
      ),
      Effect.retry(looks),
      Effect.asVoid,
      aside
    )
  return {
    list,
    over,
    get: (id: string) => Effect.map(list, (all) => all.find((machine) => machine.id === id) ?? null),
    ownedBy: (resource: string) => Effect.map(list, (all) => all.find(({ tag }) => tag === resource) ?? null),
    build: (wanted: { readonly name: string; readonly tag: string; readonly cores: number }) =>
      Effect.flatMap(send(Begun, "POST", "/machines", wanted), (begun) =>
        begun === undefined ? new NotYet({ reason: "POST /machines: 404" }) : Effect.succeed(begun)
      ),
    /** To the job's end. */
    resize: (id: string, cores: number) =>
      Effect.flatMap(send(Begun, "PATCH", `/machines/${id}`, { cores }), (begun) =>
        begun === undefined
          ? new OrderRefused({ customerMessage: "The machine does not exist any more: ask the provider." })
          : over(begun.job)
      ),
    /** To the job's end; content if it is gone already. */
    remove: (id: string) =>
      Effect.flatMap(send(Begun, "DELETE", `/machines/${id}`), (begun) =>
        begun === undefined ? Effect.void : over(begun.job)
      )
  }
}

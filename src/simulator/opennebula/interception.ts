/** What a test may do to calls on their way: lose them, delay them, answer them badly. */
import { Data, type Effect } from "effect"

/** `before`: the front-end never sees the call. `after`: it is carried out, and then the answer suffers. */
export type Disturbance =
  | { readonly _tag: "Drop"; readonly when: "before" | "after" }
  | { readonly _tag: "Delay"; readonly when: "before" | "after"; readonly millis: number }
  /** Goes on when this completes. */
  | { readonly _tag: "Hold"; readonly when: "before" | "after"; readonly until: Effect.Effect<void> }
  | { readonly _tag: "HttpError"; readonly when: "before" | "after"; readonly status: number }
  | { readonly _tag: "Garbage"; readonly when: "before" | "after"; readonly body: string }

/** A call as an interceptor or the log sees it: no session, and passwords blotted out. */
export interface CallSeen {
  readonly method: string
  readonly params: ReadonlyArray<unknown>
}

export type Interceptor = (call: CallSeen) => Disturbance | undefined

/** The connection broke: the client cannot know whether the call was carried out. */
export class ConnectionDropped extends Data.TaggedError("ConnectionDropped")<{ readonly method: string }> {}

/** Positions (after the session) that hold a secret. */
const secretPositions: Readonly<Record<string, number>> = {
  "one.user.allocate": 1,
  "one.user.passwd": 1,
  "one.user.chauth": 2,
  "one.user.login": 1
}

export const blotSecrets = (method: string, params: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const secret = secretPositions[method]
  return params.map((param, at) => (at === secret ? "<secret>" : param))
}

/** What is shown: asked for when a view opens, and again when something about it changes. */
import { type Signal, signal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import type { Changed } from "../../api/index.js"
import { type Answer, ask, type Failure, type Question, type Request } from "./client.js"
import { onChange } from "./live.js"
import { askSession } from "./session.js"

export interface Asked<A> {
  /** The last answer, also to an earlier page or filter while the new one is on its way. `undefined`: none yet. */
  readonly value: A | undefined
  /** Why the last question was not answered. */
  readonly failure: Failure | undefined
  readonly again: () => void
}

/** At most that often, however much happens, in ms. */
const pause = 400

/** Failures that end by themselves, and nobody tells when: asked again after so many ms. */
const passing: ReadonlySet<string> = new Set(["offline", "Unavailable", "HttpError"])
const mended = 3000

type Concerns = (change: Changed) => boolean

export interface Asker<Q extends Question> {
  readonly answer: Signal<Answer<Q> | undefined>
  readonly failure: Signal<Failure | undefined>
  /** Asks now, and at every change that concerns it, until it is ended. One question at a time. */
  readonly begin: (request: Request<Q>, concerns: () => Concerns) => () => void
  readonly again: () => void
}

export const makeAsker = <Q extends Question>(question: Q): Asker<Q> => {
  const answer = signal<Answer<Q> | undefined>(undefined)
  const failure = signal<Failure | undefined>(undefined)
  let look: () => void = () => undefined

  const begin = (request: Request<Q>, concerns: () => Concerns) => {
    const stop = new AbortController()
    let busy = false
    let wanted = false
    const once = async () => {
      busy = true
      wanted = false
      const result = await ask(question, request, stop.signal)
      if (stop.signal.aborted) return
      if (result.ok) answer.value = result.value
      failure.value = result.ok ? undefined : result.failure
      if (!result.ok && result.failure.tag === "SignInFirst") void askSession()
      if (!result.ok && passing.has(result.failure.tag)) setTimeout(() => look(), mended)
      setTimeout(() => {
        busy = false
        if (wanted && !stop.signal.aborted) void once()
      }, pause)
    }
    look = () => {
      if (busy) wanted = true
      else void once()
    }
    look()
    const off = onChange((change) => {
      if (change === "all" || concerns()(change)) look()
    })
    return () => {
      off()
      stop.abort()
      look = () => undefined
    }
  }
  return { answer, failure, begin, again: () => look() }
}

/** `request` is compared by its text, so it may be made anew with every rendering. */
export const useAsked = <Q extends Question>(
  question: Q,
  request: Request<Q>,
  concerns: Concerns
): Asked<Answer<Q>> => {
  const asker = useMemo(() => makeAsker(question), [question])
  const concern = useRef(concerns)
  concern.current = concerns
  useEffect(() => asker.begin(request, () => concern.current), [asker, JSON.stringify(request)])
  return { value: asker.answer.value, failure: asker.failure.value, again: asker.again }
}

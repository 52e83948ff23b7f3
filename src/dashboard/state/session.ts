/** Who looks, and what they may. Nothing else is asked before this is known. */
import { computed, signal } from "@preact/signals"
import type { Session } from "../../api/index.js"
import { ask, type Failure, type Result } from "./client.js"

/** `undefined`: not asked yet. */
export const session = signal<Session | undefined>(undefined)
/** Why it could not be asked. */
export const sessionFailure = signal<Failure | undefined>(undefined)

export const mayOperate = computed(() => session.value?.visitor?.role === "operator")

const settle = (answer: Result<Session>): Result<Session> => {
  if (answer.ok) {
    const known = session.peek()
    // The files of this page belong to the agent that was here before: those of the new one are one look away.
    if (known !== undefined && known.version !== answer.value.version) location.reload()
    session.value = answer.value
    sessionFailure.value = undefined
  } else {
    sessionFailure.value = answer.failure
  }
  return answer
}

export const askSession = async (): Promise<void> => {
  settle(await ask("session.current"))
}
export const signIn = async (token: string): Promise<Result<Session>> => {
  const answer = await ask("session.signIn", { body: { token } })
  return answer.ok ? settle(answer) : answer
}
export const signOut = async (): Promise<void> => {
  settle(await ask("session.signOut"))
}

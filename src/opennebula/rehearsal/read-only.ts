import { Effect } from "effect"
import type { OpenNebulaClient } from "../client.js"
import { isLook } from "../wire/looks.js"

/** The net under a rehearsal: a call that would change something and that `rehearsed` does not know is a bug, and is not sent. */
export const readOnly = (client: OpenNebulaClient): OpenNebulaClient => ({
  ...client,
  call: (method, params, answer) =>
    isLook(method)
      ? client.call(method, params, answer)
      : Effect.dieMessage(`A rehearsal was about to call ${method}: it must be told in rehearsed.ts instead.`)
})

import { Effect } from "effect"
import type { OpenNebulaClient } from "../client.js"

/** `one.vm.info`, `one.vmpool.infoset`, `one.vmpool.accounting`, `one.system.version`, ...: OpenNebula 7.4's calls that only look. */
const looks = /^one\.(\w+\.(info\w*|accounting|showback|monitoring)|system\.(version|config))$/

/** The net under a rehearsal: a call that would change something and that `rehearsed` does not know is a bug, and is not sent. */
export const readOnly = (client: OpenNebulaClient): OpenNebulaClient => ({
  ...client,
  call: (method, params, answer) =>
    looks.test(method)
      ? client.call(method, params, answer)
      : Effect.dieMessage(`A rehearsal was about to call ${method}: it must be told in rehearsed.ts instead.`)
})

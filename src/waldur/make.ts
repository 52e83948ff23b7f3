/** `makeWaldur`: the service from its options. */
import { Effect, type Scope } from "effect"
import type { OfferingFault } from "../core/errors.js"
import { makeAgentCalls } from "./calls/identity.js"
import { makeImports } from "./calls/imports.js"
import { makeProbe } from "./calls/probe.js"
import { makeReads } from "./calls/reads.js"
import { makeTransitions } from "./calls/transitions.js"
import { makeWrites } from "./calls/writes.js"
import { type ClientOptions, makeClient } from "./client.js"
import { makeRegistration } from "./events/registration.js"
import type { WaldurService } from "./service.js"

export interface WaldurOptions extends ClientOptions {
  /** Items on a page. Default 300, Waldur's most: a list of 10,000 is 34 calls. */
  readonly pageSize?: number
}

/** One server, one set of credentials. Fails only for options that cannot work (a URL that is none, an unreadable CA file). */
export const makeWaldur = (options: WaldurOptions): Effect.Effect<WaldurService, OfferingFault, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* makeClient(options)
    const reads = yield* makeReads(client, Math.min(300, Math.max(1, options.pageSize ?? 300)))
    const transitions = makeTransitions(client, reads)
    const writes = yield* makeWrites(client, reads)
    // What the agent says of itself waits for no order, and an order not for it.
    const { breaker: __, ...aside } = options
    const agent = yield* makeAgentCalls(yield* makeClient({ ...aside, concurrency: 2 }))
    const queues = yield* makeRegistration(client, options.credentials, agent.identity)
    const { list: _, ...shown } = reads
    return {
      apiUrl: client.apiUrl,
      ...shown,
      ...transitions,
      ...writes,
      ...queues,
      agent: agent.calls,
      imports: makeImports(client, reads),
      probe: makeProbe(reads, client.apiUrl)
    }
  })

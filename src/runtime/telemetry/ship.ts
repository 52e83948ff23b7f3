/** Sends the lines of the log that are about an offering to its Waldur, in batches, again and again. */
import { Clock, Effect, Ref } from "effect"
import { countOf } from "../../core/index.js"
import type { WaldurError, WaldurService } from "../../waldur/index.js"
import { aboutSending, type Line, type LineStore } from "./lines.js"

/** As the Python agent's. */
const batch = 100
/** At the end of the agent, what is left gets this long. */
export const lastWords = "5 seconds"

export interface Shipping {
  readonly waldur: Pick<WaldurService, "agent">
  readonly lines: LineStore
  /** Which lines are this offering's to send. */
  readonly isOurs: (line: Line) => boolean
  /** The agent's identity in the offering; `unsupported`: Waldur knows no agents; undefined: not known yet. */
  readonly identity: Ref.Ref<string | undefined>
}

/** Everything that there is. What cannot be sent stays for the next time, as far as there is room. */
export const shipAll = (shipping: Shipping, wasTold: Ref.Ref<string>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { identity, isOurs, lines, waldur } = shipping
    const own = yield* Ref.get(identity)
    if (own === undefined) return
    for (let found = lines.oldest(isOurs, batch); found.length > 0; found = lines.oldest(isOurs, batch)) {
      const written = yield* waldur.agent.ship(own, found).pipe(
        // Taken for good or refused for good: neither comes again.
        Effect.catchTag("WaldurInvalid", (error) =>
          Effect.as(
            said(wasTold, `Waldur refused ${countOf(found.length, "line")} of the log: ${error.message}`),
            "refused" as const
          )
        )
      )
      lines.remove(found)
      if (written === "written") yield* Ref.set(wasTold, "")
      // The identity may be gone: the next round looks for it again.
      if (written === "refused") return yield* Ref.set(identity, undefined)
    }
    const dropped = lines.takeDropped()
    if (dropped === 0) return
    const message = `${dropped} older lines of the log were dropped before Waldur took them: there was no room to keep them.`
    yield* Effect.logWarning(message)
    yield* waldur.agent.ship(own, [
      { at: yield* Clock.currentTimeMillis, level: "WARNING", message, module: "site-actors" }
    ])
  }).pipe(
    Effect.catchAll((error: WaldurError) => said(wasTold, `Lines of the log wait for Waldur: ${error.message}`)),
    Effect.catchAllDefect((defect) => said(wasTold, `A bug in the sending of log lines: ${String(defect)}`)),
    Effect.annotateLogs(aboutSending)
  )

/** Once, and again only when it is something else. */
const said = (wasTold: Ref.Ref<string>, what: string): Effect.Effect<void> =>
  Effect.flatMap(Ref.getAndSet(wasTold, what), (before) =>
    before === what ? Effect.logDebug(what) : Effect.logWarning(what)
  )

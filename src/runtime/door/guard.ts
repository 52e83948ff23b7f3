/**
 * Around a plugin: a bug in it stops its own offerings, or only what asked it, and nothing else.
 *
 * Handlers are not in here: what a bug in one of them leads to is the actor's business, which quarantines that resource. Rounds (usage,
 * observation, members) log a bug and come round again.
 */
import { Cause, Data, Effect } from "effect"
import { type Backend, OfferingFault, type Plugin, type SiteError } from "../../core/index.js"

/** A question that a plugin answered with a bug. Asked again, it may do better; until then what it was asked for is not known. */
export class PluginBug extends Data.TaggedError("PluginBug")<{
  readonly plugin: string
  readonly asked: string
  readonly reason: string
}> {
  readonly disposition = "retry" as const
  override get message(): string {
    return `The plugin ${this.plugin} has a bug in \`${this.asked}\`: ${this.reason}`
  }
}

const firstLine = (defect: unknown): string => (String(defect).split("\n")[0] ?? "").slice(0, 300)

/** Handlers and questions without which a backend is none. */
const needed = ["create", "update", "terminate", "usage", "observe"] as const

/** The version of the package `effect` that made it. */
const versionOf = (made: Effect.Effect<unknown, unknown, unknown>): string => made[Effect.EffectTypeId]._V
const ownVersion = versionOf(Effect.void)

/** Given by JavaScript, where no compiler has looked. */
const missing = (backend: Backend<unknown>): ReadonlyArray<string> => [
  ...needed.filter((name) => typeof backend[name] !== "function"),
  ...(["ping", "check"] as const).filter((name) => !Effect.isEffect(backend[name]))
]

export const guarded = (plugin: Plugin): Plugin => {
  const bug = (asked: string) => (defect: unknown) =>
    Effect.zipRight(
      Effect.logError(`The plugin ${plugin.type} has a bug in \`${asked}\``, Cause.die(defect)),
      new PluginBug({ plugin: plugin.type, asked, reason: firstLine(defect) })
    )
  const asking = <A>(asked: string, effect: () => Effect.Effect<A, SiteError>): Effect.Effect<A, SiteError> =>
    Effect.catchAllDefect(Effect.suspend(effect), bug(asked))
  return {
    contract: plugin.contract,
    type: plugin.type,
    answersTo: plugin.answersTo,
    quantities: plugin.quantities,
    settings: plugin.settings,
    rehearses: plugin.rehearses,
    open: (context, memoMap) =>
      Effect.gen(function* () {
        const backend = yield* Effect.suspend(() => plugin.open(context, memoMap)).pipe(
          Effect.catchAllDefect((defect) =>
            Effect.zipRight(
              Effect.logError(`The plugin ${plugin.type} has a bug in \`open\``, Cause.die(defect)),
              new OfferingFault({
                reason: `The plugin ${plugin.type} has a bug in \`open\`: ${firstLine(defect)}`,
                hint: "The log has where. Other offerings go on; this one is tried again."
              })
            )
          )
        )
        const lacks = missing(backend)
        if (lacks.length > 0) {
          return yield* new OfferingFault({
            reason: `The plugin ${plugin.type} opened without ${lacks.map((name) => `\`${name}\``).join(", ")}.`,
            hint: "`open` gives a Backend: docs/write-a-backend.md has what belongs to one."
          })
        }
        const theirs = versionOf(backend.ping)
        if (theirs !== ownVersion) {
          yield* Effect.logWarning(
            `The plugin ${plugin.type} runs on effect ${theirs} of its own, and this agent on ${ownVersion}. Install effect@${ownVersion} beside it, and certainly before you look for a bug in it`
          )
        }
        const { parts, waitsFor } = backend
        return {
          ...backend,
          ping: asking("ping", () => backend.ping),
          check: backend.check.pipe(
            Effect.catchAllDefect((defect) =>
              Effect.succeed([
                { subject: plugin.type, status: "failed" as const, detail: `A bug in \`check\`: ${firstLine(defect)}` }
              ])
            )
          ),
          ...(waitsFor === undefined
            ? {}
            : {
                // Without an answer the order's handler is run, which is what it is instead of.
                waitsFor: (noted) =>
                  Effect.catchAll(
                    asking("waitsFor", () => waitsFor(noted)),
                    () => Effect.succeedNone
                  )
              }),
          ...(parts === undefined ? {} : { parts: (resource) => asking("parts", () => parts(resource)) })
        }
      })
  }
}

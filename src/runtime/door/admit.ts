/** Whether something is a plugin that this agent can work with. Looks at it as at anything from outside: nothing is taken for granted. */
import { Either, Option, Schema } from "effect"
import { contractVersion, type Plugin, printable } from "../../core/index.js"
import { guarded } from "./guard.js"

/** Why not. `what` goes on after the plugin's name in the file: "exports no plugin". */
export interface Refusal {
  readonly what: string
  readonly hint: string
}

/** Also the longest: it is written into every line of a table. */
const typeName = /^[a-z][a-z0-9-]{1,39}$/

const has = <K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> =>
  typeof value === "object" && value !== null && key in value

/** In the order in which it is best mended. */
const faultOf = (candidate: unknown): Option.Option<Refusal> => {
  const fault = (what: string, hint: string) => Option.some({ what, hint })
  if (!has(candidate, "contract") || !has(candidate, "type")) {
    return fault(
      "exports no plugin",
      // What `tsc` makes of `export default` where no package.json says otherwise.
      has(candidate, "default")
        ? 'It is compiled to CommonJS: write "type": "module" into the package.json beside it, and compile it anew.'
        : "A plugin's module has what `defineBackend` gives as its default export: `export default defineBackend({ ... })`."
    )
  }
  if (candidate.contract !== contractVersion) {
    const theirs = printable(String(candidate.contract))
    return fault(
      `is written for version ${theirs} of the plugin contract, and this agent has version ${contractVersion}`,
      Number(candidate.contract) > contractVersion
        ? "Upgrade site-actors, or take an older version of the plugin."
        : "Take a newer version of the plugin; CHANGELOG.md says what changed in the contract."
    )
  }
  if (typeof candidate.type !== "string" || !typeName.test(candidate.type)) {
    return fault(
      `calls itself ${JSON.stringify(printable(String(candidate.type)))}, which cannot stand in backend_type`,
      "Its `type` has 2 to 40 lower case letters, digits and dashes, and begins with a letter."
    )
  }
  if (!has(candidate, "settings") || !Schema.isSchema(candidate.settings)) {
    return fault("has settings that are no schema", "Its `settings` is a Schema of the package effect, version 3.")
  }
  if (
    !has(candidate, "open") ||
    typeof candidate.open !== "function" ||
    !has(candidate, "answersTo") ||
    typeof candidate.answersTo !== "function" ||
    !has(candidate, "rehearses") ||
    typeof candidate.rehearses !== "boolean"
  ) {
    return fault(
      "has not the shape of a plugin",
      "Make it with `defineBackend` of site-actors/plugin, which says at compile time what is missing."
    )
  }
  return Option.none()
}

const isPlugin = (candidate: unknown): candidate is Plugin => Option.isNone(faultOf(candidate))

/** The plugin, guarded. `known`: those that are in already; two of one name could not be told apart in the file. */
export const admit = (candidate: unknown, known: ReadonlyArray<Plugin>): Either.Either<Plugin, Refusal> => {
  if (!isPlugin(candidate)) {
    return Either.left(Option.getOrElse(faultOf(candidate), () => ({ what: "is no plugin", hint: "" })))
  }
  if (known.some(({ type }) => type === candidate.type)) {
    return Either.left({
      what: `is called ${candidate.type}, as a plugin that is loaded already`,
      hint: `Remove one of the two, or give the plugin another \`type\`. Loaded: ${known.map(({ type }) => type).join(", ")}.`
    })
  }
  return Either.right(guarded(candidate))
}

/** The plugins that the configuration names: found, imported, and let in or not. */
import { dirname } from "node:path"
import { pathToFileURL } from "node:url"
import { Duration, Effect, Either, Layer, Option, Schema } from "effect"
import { defineBackend, OfferingFault, type Plugin, printable } from "../../core/index.js"
import { admit, type Refusal } from "./admit.js"
import { findModule } from "./find.js"

export interface LoadedPlugins {
  /** All that may be named by `backend_type`: those that were there, and those that came in. */
  readonly plugins: ReadonlyArray<Plugin>
  /** By their place in the list: what is wrong with the file, or with what it names. */
  readonly refused: ReadonlyArray<Refusal & { readonly at: number }>
  /** By their place in the list: what broke while it was imported. Offerings that nobody else serves wait for them. */
  readonly broken: ReadonlyArray<{ readonly at: number; readonly name: string; readonly reason: string }>
}

/** `own`: those of this build. `configuration`: the path of the file that has the list. */
export const loadPlugins = (
  names: ReadonlyArray<string>,
  configuration: string,
  own: ReadonlyArray<unknown>
): Effect.Effect<LoadedPlugins> =>
  Effect.gen(function* () {
    const plugins: Array<Plugin> = []
    for (const candidate of own) plugins.push(Either.getOrThrowWith(admit(candidate, plugins), bugOfThisBuild))
    const refused: Array<Refusal & { readonly at: number }> = []
    const broken: Array<LoadedPlugins["broken"][number]> = []
    for (const [at, name] of names.entries()) {
      const file = yield* findModule(name, dirname(configuration))
      if (Option.isNone(file)) {
        refused.push({ at, ...notFound(name, dirname(configuration)) })
        continue
      }
      const looked = yield* Effect.either(
        // What a module exports may be anything, also something that breaks when it is touched.
        Effect.flatMap(importModule(file.value), (module) =>
          Effect.try({
            try: () => {
              for (const candidate of candidatesOf(module)) {
                const admitted = admit(candidate, plugins)
                if (Either.isRight(admitted)) plugins.push(admitted.right)
                else refused.push({ at, ...admitted.left })
              }
            },
            catch: firstLine
          })
        )
      )
      if (Either.isLeft(looked)) broken.push({ at, name, reason: looked.left })
    }
    return { plugins: broken.length === 0 ? plugins : [...plugins, absent(broken)], refused, broken }
  })

const bugOfThisBuild = ({ what, hint }: Refusal) => new Error(`A plugin of this build ${what}. ${hint}`)

const notFound = (name: string, folder: string): Refusal => ({
  what: `names a module that is not there: ${JSON.stringify(printable(name))}`,
  hint: /^\.{0,2}\//.test(name)
    ? `A path begins at the configuration's folder, ${folder}. Plugins in TypeScript are named by what they are compiled to.`
    : `Install it where the configuration is (npm install ${printable(name)} in ${folder}), or name it by its path: "./my-backend.js".`
})

/** A module may have one plugin, or a list of them. */
const candidatesOf = (module: unknown): ReadonlyArray<unknown> => {
  const exported = typeof module === "object" && module !== null && "default" in module ? module.default : undefined
  return Array.isArray(exported) ? exported : [exported]
}

const firstLine = (error: unknown): string => (String(error).split("\n")[0] ?? "").slice(0, 300)

/** A module may wait for something at its top. An agent that serves ten offerings does not wait for the eleventh for ever. */
const patience = Duration.seconds(30)

const importModule = (file: string): Effect.Effect<unknown, string> =>
  Effect.tryPromise({
    try: (): Promise<unknown> => import(/* @vite-ignore */ pathToFileURL(file).href),
    catch: firstLine
  }).pipe(
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () => `it had not ended after ${Duration.toSeconds(patience)} s: something at its top waits`
    })
  )

/**
 * Stands in for what could not be imported: it is not known which `backend_type` that would have served, so it answers to every one that
 * nobody else does, and opens none.
 */
const absent = (broken: LoadedPlugins["broken"]): Plugin =>
  defineBackend({
    contract: 1,
    type: "not-loaded",
    answersTo: () => true,
    settings: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
    attributes: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
    shared: Layer.empty,
    open: ({ name }) =>
      new OfferingFault({
        reason: `The offering "${name}" has no plugin: ${broken.map((one) => `${one.name} broke while it was loaded (${one.reason})`).join(", ")}.`,
        hint: "Mend the plugin and restart the agent; orders wait until then. Or is its backend_type misspelt?"
      })
  })

/**
 * Where a plugin's module is: a path, seen from the configuration's folder, or a package, looked for from there upwards and then beside
 * this agent. Node's own resolution can do the former only for CommonJS, so the few rules that matter are here.
 */
import { readFile, stat } from "node:fs/promises"
import { dirname, join, parse, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Option, Schema } from "effect"

const Manifest = Schema.parseJson(
  Schema.Struct({
    main: Schema.optional(Schema.String),
    exports: Schema.optional(Schema.Unknown)
  })
)

const isPath = (name: string): boolean => /^\.{0,2}\//.test(name)

const isFile = (path: string): Effect.Effect<boolean> =>
  Effect.map(
    Effect.option(Effect.tryPromise(() => stat(path))),
    Option.exists((found) => found.isFile())
  )

const upwards = (folder: string): ReadonlyArray<string> =>
  folder === parse(folder).root ? [folder] : [folder, ...upwards(dirname(folder))]

/** What `exports` leads to under the conditions of an ES module in Node. */
const target = (exports: unknown): string | undefined => {
  if (typeof exports === "string") return exports
  if (typeof exports !== "object" || exports === null) return undefined
  const [, chosen] =
    Object.entries(exports).find(([condition]) => ["node", "import", "default"].includes(condition)) ?? []
  return target(chosen)
}

const entryOf = (manifest: typeof Manifest.Type, subpath: string): string | undefined => {
  const { exports, main } = manifest
  if (exports === undefined) return subpath === "." ? (main ?? "index.js") : subpath
  const bySubpath =
    typeof exports === "object" && exports !== null && Object.keys(exports).some((key) => key.startsWith("."))
  if (!bySubpath) return subpath === "." ? target(exports) : undefined
  const [, chosen] = Object.entries(Object(exports)).find(([key]) => key === subpath) ?? []
  return target(chosen)
}

const inPackage = (name: string, folders: ReadonlyArray<string>): Effect.Effect<Option.Option<string>> =>
  Effect.gen(function* () {
    const parts = name.split("/")
    const length = name.startsWith("@") ? 2 : 1
    const subpath = [".", ...parts.slice(length)].join("/")
    for (const folder of folders) {
      const root = join(folder, "node_modules", ...parts.slice(0, length))
      const text = yield* Effect.option(Effect.tryPromise(() => readFile(join(root, "package.json"), "utf8")))
      const manifest = Option.flatMap(text, Schema.decodeUnknownOption(Manifest))
      if (Option.isNone(manifest)) continue
      const entry = entryOf(manifest.value, subpath)
      const file = entry === undefined ? undefined : join(root, entry)
      return file !== undefined && (yield* isFile(file)) ? Option.some(file) : Option.none()
    }
    return Option.none()
  })

/** The file of the module; none: there is none such. `folder`: the configuration's. */
export const findModule = (name: string, folder: string): Effect.Effect<Option.Option<string>> => {
  const from = resolve(folder)
  if (isPath(name)) {
    const file = resolve(from, name)
    return Effect.map(isFile(file), (found) => (found ? Option.some(file) : Option.none()))
  }
  return inPackage(name, [...upwards(from), ...upwards(dirname(fileURLToPath(import.meta.url)))])
}

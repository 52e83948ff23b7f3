/** Which plugin an offering asks for, and whether its `backend_settings` fit it. */
import { Either, Redacted } from "effect"
import type { Plugin } from "../../core/backend.js"
import { printable } from "../../core/components.js"
import { closest } from "./closest.js"
import { type Gathered, gathered } from "./gathered.js"
import { withoutEffect } from "./keys.js"
import { type Path, type Problem, pathText } from "./problem.js"
import { read, type Source } from "./read.js"

export type Settings = Readonly<Record<string, unknown>>
export const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The plugin of a `backend_type`. The Python agent takes it in any case, and so do we. */
export const findPlugin = (
  plugins: ReadonlyArray<Plugin>,
  backendType: string,
  settings: Settings
): Plugin | undefined => {
  const type = backendType.trim().toLowerCase()
  return plugins.find((plugin) => plugin.type === type) ?? plugins.find((plugin) => plugin.answersTo(type, settings))
}

export const choosePlugin = (
  source: Source,
  plugins: ReadonlyArray<Plugin>,
  backendType: string,
  settings: Settings,
  at: Path
): Gathered<Plugin> => {
  const plugin = findPlugin(plugins, backendType, settings)
  if (plugin !== undefined) return gathered(plugin)
  const type = backendType.trim().toLowerCase()
  const known = plugins.map((candidate) => candidate.type).toSorted()
  const family = known.filter((candidate) => candidate.startsWith(`${type}-`))
  if (family.length > 0 && "resource_type" in settings) {
    const path = [...at, "backend_settings", "resource_type"]
    return gathered<Plugin>(undefined, [
      {
        path: pathText(path),
        position: source.file.position(path, "value"),
        what: `names no resource type of the backend ${printable(type)}`,
        hint: `Known here: ${family.map((name) => name.slice(type.length + 1)).join(", ")}.`
      }
    ])
  }
  const path = [...at, "backend_type"]
  // Names that several plugins share, such as the Python agent's `opennebula`.
  const shared = known
    .map((name) => name.replace(/-[^-]*$/, ""))
    .filter((name) => plugins.some((candidate) => candidate.answersTo(name, {})))
  const near = closest(type, [...known, ...shared])
  return gathered<Plugin>(undefined, [
    {
      path: pathText(path),
      position: source.file.position(path, "value"),
      what: `names a backend that is not known: ${JSON.stringify(printable(backendType))}`,
      hint: `${near === undefined ? "" : `Did you mean ${near}? `}Known backends: ${known.join(", ")}.`
    }
  ])
}

/** `backend_settings`, checked by the plugin's own schema, ready for `Plugin.open`. */
export const readSettings = (
  source: Source,
  plugin: Plugin,
  settings: Settings,
  at: Path
): Gathered<Redacted.Redacted<Settings>> => {
  const path = [...at, "backend_settings"]
  const first = read(source, plugin.settings, settings, path)
  const ignored = Either.isRight(first)
    ? []
    : Object.keys(settings).filter(
        (key) => withoutEffect.has(key) && first.left.some((problem) => isUnknown(problem, pathText([...path, key])))
      )
  const kept = Object.fromEntries(Object.entries(settings).filter(([key]) => !ignored.includes(key)))
  const result = ignored.length === 0 ? first : read(source, plugin.settings, kept, path)
  const notices = ignored.map((key) => ({
    path: pathText([...path, key]),
    position: source.file.position([...path, key], "key"),
    what: "has no effect here",
    hint: "The Python agent knew it; it can be removed."
  }))
  return Either.match(result, {
    onLeft: (problems) => gathered<Redacted.Redacted<Settings>>(undefined, problems, notices),
    onRight: ({ encoded }) => gathered(Redacted.make(isSettings(encoded) ? encoded : {}), [], notices)
  })
}

const isUnknown = (problem: Problem, path: string): boolean =>
  problem.path === path && problem.what === "is not a known key"

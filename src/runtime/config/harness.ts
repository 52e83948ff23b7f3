/**
 * For the tests beside: a file's text, an environment and secret files in, a configuration or its problems out. No
 * disk.
 */
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { ConfigProvider, Effect, Either, Layer, Schema } from "effect"
import { defineBackend, type Plugin } from "../../core/backend.js"
import { OfferingFault } from "../../core/errors.js"
import { loadConfig } from "./load.js"
import type { Config } from "./model.js"
import { placed } from "./problem.js"

/** A plugin with a setting of every kind. */
export const plugin = (
  type: string,
  answersTo?: (type: string, settings: Readonly<Record<string, unknown>>) => boolean
) =>
  defineBackend({
    contract: 1,
    type,
    ...(answersTo === undefined ? {} : { answersTo }),
    settings: Schema.Struct({
      api_url: Schema.String.pipe(
        Schema.filter((text) => /^https?:/.test(text) || "Expected a URL that begins with http:// or https://")
      ),
      credentials: Schema.Redacted(
        Schema.String.pipe(
          Schema.filter((text) => /^[^:]+:.+$/.test(text), { message: () => 'Expected "user:password"' })
        )
      ),
      zone_id: Schema.optionalWith(Schema.Int, { default: () => 0 }),
      cluster_ids: Schema.optional(Schema.Array(Schema.Int)),
      resource_type: Schema.optional(Schema.Literal("vdc", "vm")),
      pin: Schema.optional(
        Schema.Redacted(
          Schema.String.pipe(
            Schema.filter((text) => text.length < 5, { message: (issue) => `${issue.actual} is too long` })
          )
        )
      ),
      keycloak: Schema.optional(Schema.Struct({ keycloak_url: Schema.String, keycloak_password: Schema.String }))
    }),
    attributes: Schema.Struct({}),
    shared: Layer.empty,
    open: () => new OfferingFault({ reason: "This plugin", hint: "only has settings." })
  })

export const plugins: ReadonlyArray<Plugin> = [
  plugin("opennebula-vdc", (type, settings) => type === "opennebula" && (settings.resource_type ?? "vdc") === "vdc"),
  plugin("opennebula-vm", (type, settings) => type === "opennebula" && settings.resource_type === "vm")
]

/** A plugin's own settings, without the plugin: nothing is opened here. */
export const settingsOnly = <A, I>(type: string, kind: string, settings: Schema.Schema<A, I>) =>
  defineBackend({
    contract: 1,
    type,
    answersTo: (name, given) => name === "opennebula" && (given.resource_type ?? "vdc") === kind,
    settings,
    attributes: Schema.Struct({}),
    shared: Layer.empty,
    open: () => new OfferingFault({ reason: "Not here.", hint: "" })
  })

export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>
  /** Absolute path -> text. The configuration is /etc/site-actors/config.yaml. */
  readonly files?: Readonly<Record<string, string>>
  readonly plugins?: ReadonlyArray<Plugin>
}

const home = "/etc/site-actors/config.yaml"

const run = (text: string, surroundings: Surroundings) => {
  const files: Readonly<Record<string, string>> = { [home]: text, ...surroundings.files }
  const readFileString = (path: string) => {
    const found = files[path]
    return found === undefined
      ? Effect.fail(new SystemError({ reason: "NotFound", module: "FileSystem", method: "readFileString" }))
      : Effect.succeed(found)
  }
  return loadConfig(home, surroundings.plugins ?? plugins).pipe(
    Effect.provide(FileSystem.layerNoop({ readFileString })),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(surroundings.environment ?? {})))),
    Effect.either,
    Effect.runPromise
  )
}

/** The configuration of a file that is right. */
export const accepted = async (text: string, surroundings: Surroundings = {}): Promise<Config> =>
  Either.getOrThrowWith(await run(text, surroundings), (error) => error)

/** Everything that is wrong with a file, as "line:column: sentence". Empty if nothing is. */
export const refused = async (text: string, surroundings: Surroundings = {}): Promise<ReadonlyArray<string>> =>
  Either.match(await run(text, surroundings), {
    onLeft: (error) => error.problems.map((problem) => placed("", problem).replace(/^:/, "").trim()),
    onRight: () => []
  })

/** What is odd about a file that is right. */
export const noticed = async (text: string, surroundings: Surroundings = {}): Promise<ReadonlyArray<string>> =>
  (await accepted(text, surroundings)).notices.map((notice) => placed("", notice).replace(/^:/, ""))

export const uuid = "c6c4f7b2a1d84e0f9a3b5c7d9e1f2a3b"

/** A right file; `change` replaces, line by line, what a test is about. Line 1 is "offerings:". */
export const file = (change: (lines: ReadonlyArray<string>) => ReadonlyArray<string> = (lines) => lines): string =>
  change([
    "offerings:",
    "  - name: Private cloud",
    "    waldur_api_url: https://waldur.example.com/api/",
    "    waldur_api_token: 0123456789abcdef",
    `    waldur_offering_uuid: ${uuid}`,
    "    backend_type: opennebula",
    "    order_processing_backend: opennebula",
    "    backend_settings:",
    "      api_url: http://one.example.com:2633/RPC2",
    "      credentials: oneadmin:swordfish"
  ]).join("\n")

/** The right file with the line that holds `key` written anew, or without it. */
export const withLine = (key: string, line?: string): string =>
  file((lines) => lines.flatMap((old) => (old.includes(`${key}:`) ? (line === undefined ? [] : [line]) : [old])))

/** The right file with more lines at its end. */
export const withMore = (...more: ReadonlyArray<string>): string => file((lines) => [...lines, ...more])

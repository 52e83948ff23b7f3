/** From a path to a configuration, or to everything that is wrong with the file. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { Duration, Effect, Option, Redacted } from "effect"
import type { Plugin } from "../../core/backend.js"
import { printable } from "../../core/components.js"
import { type LoadedPlugins, loadPlugins } from "../door/index.js"
import { databaseOf } from "./database.js"
import { textOfFile } from "./file-text.js"
import { fromEither } from "./gathered.js"
import { RootKeys } from "./keys.js"
import type { Config } from "./model.js"
import { readOffering } from "./offering.js"
import { fillIn, unreadable } from "./outside.js"
import { ConfigInvalid, inOrder, type Problem, pathText } from "./problem.js"
import { read, type Source } from "./read.js"
import { levelOf, uuidOf } from "./values.js"
import { parseYaml } from "./yaml-file.js"

/**
 * Reads and checks the file. Fails with every error at once. `plugins`: those of this build; the file may name others.
 *
 * Environment variables come from the `ConfigProvider`, which by default is the process's environment.
 */
export const loadConfig = (
  path: string,
  plugins: ReadonlyArray<Plugin>
): Effect.Effect<Config, ConfigInvalid, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { from, text } = yield* Effect.mapError(textOfFile(path), (error) => invalid(path, [unreadable(error)]))
    const foreign = otherEncoding(text)
    if (foreign !== undefined) return yield* invalid(path, [foreign])
    const file = parseYaml(text)
    if (file.broken.length > 0) return yield* invalid(path, file.broken)
    const outside = yield* fillIn(file, from)
    const values = file.values()
    if ("problem" in values) return yield* invalid(path, [values.problem])
    if (values.value === null || values.value === undefined) {
      return yield* invalid(path, [{ path: "", what: "is empty", hint: "It needs at least a list of offerings." }])
    }
    const source = { file, outside }
    const loaded = yield* loadPlugins(pluginsIn(values.value), from, plugins)
    const { config, problems } = assemble(path, source, loaded, values.value)
    const all = [...file.duplicates, ...outside.problems, ...refusedPlugins(source, loaded), ...problems]
    if (config === undefined || all.length > 0) return yield* invalid(path, all)
    const database = yield* Effect.mapError(config.database, (problem) => invalid(path, [problem]))
    if (Option.isSome(config.cluster) && Option.isNone(database)) return yield* invalid(path, [clusterOfFile(file)])
    return { ...config, database }
  })

/** What stands for a byte that is no UTF-8, or NUL, as in UTF-16: half a password would be sent, and nobody could tell why it is refused. */
const otherEncoding = (text: string): Problem | undefined => {
  const at = text.search(/[\uFFFD\0]/)
  if (at < 0) return undefined
  const before = text.slice(0, at).split("\n")
  return {
    path: "",
    position: { line: before.length, column: (before.at(-1) ?? "").length + 1 },
    what: "is not in UTF-8: there is a character here that cannot be read",
    hint: "Save it as UTF-8."
  }
}

/** A journal in a file belongs to one process. */
const clusterOfFile = (file: Source["file"]): Problem => ({
  path: "cluster",
  position: file.position(["cluster"], "key"),
  what: "needs a database that several processes can share",
  hint: "Set database: postgres://..., or leave cluster out."
})

const invalid = (file: string, problems: ReadonlyArray<Problem>): ConfigInvalid =>
  new ConfigInvalid({ file, problems: inOrder(problems) })

/** All that the file says; where the journal is may be for the environment to say. */
interface Assembled extends Omit<Config, "database"> {
  readonly database: ReturnType<typeof databaseOf>
}

const assemble = (
  path: string,
  source: Source,
  loaded: LoadedPlugins,
  raw: unknown
): { readonly config: Assembled | undefined; readonly problems: ReadonlyArray<Problem> } => {
  const root = fromEither(read(source, RootKeys, raw, []))
  const entries = offeringsIn(raw)
  const keys = root.value?.decoded
  const proxy = keys?.global_proxy
  const parts = entries.map((entry, index) =>
    readOffering(source, loaded.plugins, entry, ["offerings", index], {
      proxy: isFilled(proxy) ? proxy : undefined,
      exposesErrorDetails: keys?.expose_backend_error_details ?? false
    })
  )
  const problems = [...root.problems, ...parts.flatMap((part) => part.problems), ...twice(source, entries)]
  const offerings = parts.flatMap((part) => (part.value === undefined ? [] : [part.value]))
  if (keys === undefined || offerings.length < entries.length) return { config: undefined, problems }
  const shipping = keys.log_shipping
  const config: Assembled = {
    file: path,
    offerings,
    dataDir: Option.fromNullable(keys.data_dir),
    database: databaseOf(Option.fromNullable(keys.database), keys.database_connections),
    cluster: Option.map(Option.fromNullable(keys.cluster), ({ host, listen, port, takeover }) => ({
      host,
      port,
      listen: listen === "" ? host : listen,
      takeover: Duration.seconds(takeover)
    })),
    pollInterval: Duration.seconds(keys.poll_interval),
    eventsPollInterval: Duration.seconds(Math.max(keys.poll_interval, keys.events_poll_interval)),
    http: {
      host: keys.http.host,
      port: keys.http.port === false ? Option.none() : Option.some(keys.http.port)
    },
    page: {
      enabled: keys.page.enabled,
      signIn: keys.page.sign_in,
      hosts: keys.page.hosts.map((host) => host.toLowerCase()),
      trustedHeader: Option.liftPredicate(keys.page.trusted_header.toLowerCase(), (name) => name !== ""),
      trustedProxies: keys.page.trusted_proxies,
      operators: keys.page.operators,
      sessionLength: Duration.hours(keys.page.session_hours)
    },
    observationInterval: Duration.seconds(keys.observation_interval),
    reportInterval: Duration.seconds(keys.report_interval),
    membershipSyncInterval: Duration.seconds(keys.membership_sync_interval),
    journalRetention: Duration.days(keys.journal_retention_days),
    timezone: keys.timezone,
    reportingPeriods: keys.reporting_periods,
    logLevel: levelOf(keys.log_level),
    logLevels: Object.fromEntries(
      Object.entries(keys.log_levels).map(([part, level]) => [part, levelOf(level ?? keys.log_level)])
    ),
    logFormat: keys.log_format,
    logFile: keys.log_file,
    sentryDsn: Option.filter(Option.fromNullable(keys.sentry_dsn), isFilled),
    agentIdentity: keys.agent_identity,
    logShipping: {
      enabled: shipping.enabled,
      interval: Duration.seconds(shipping.ship_interval_seconds),
      bufferMegabytes: shipping.buffer_size_mb,
      level: levelOf(shipping.log_level)
    },
    notices: inOrder([
      ...rootNotices(source, keys),
      ...brokenPlugins(source, loaded),
      ...parts.flatMap((part) => part.notices)
    ])
  }
  return { config, problems }
}

const offeringsIn = (raw: unknown): ReadonlyArray<unknown> =>
  typeof raw === "object" && raw !== null && "offerings" in raw && Array.isArray(raw.offerings) ? raw.offerings : []

const pluginsIn = (raw: unknown): ReadonlyArray<string> =>
  typeof raw === "object" && raw !== null && "plugins" in raw && Array.isArray(raw.plugins)
    ? raw.plugins.filter((name): name is string => typeof name === "string" && name !== "")
    : []

const atPlugin = (source: Source, at: number): Pick<Problem, "path" | "position"> => ({
  path: pathText(["plugins", at]),
  position: source.file.position(["plugins", at], "value")
})

const refusedPlugins = (source: Source, { refused }: LoadedPlugins): ReadonlyArray<Problem> =>
  refused.map(({ at, hint, what }) => ({ ...atPlugin(source, at), what, hint }))

const brokenPlugins = (source: Source, { broken }: LoadedPlugins): ReadonlyArray<Problem> =>
  broken.map(({ at, name, reason }) => ({
    ...atPlugin(source, at),
    what: `broke while it was loaded: ${printable(name)}, ${reason}`,
    hint: "Offerings of its backends take no orders; all others go on."
  }))

const isFilled = (secret: Redacted.Redacted | undefined): secret is Redacted.Redacted =>
  secret !== undefined && Redacted.value(secret) !== ""

/** Two offerings with one uuid would both take its orders. */
const twice = (source: Source, entries: ReadonlyArray<unknown>): ReadonlyArray<Problem> => {
  const uuids = entries.map((entry) =>
    typeof entry === "object" && entry !== null && "waldur_offering_uuid" in entry
      ? uuidOf(String(entry.waldur_offering_uuid))
      : undefined
  )
  return uuids.flatMap((uuid, index) => {
    const first = uuids.indexOf(uuid)
    if (uuid === undefined || first === index) return []
    const path = ["offerings", index, "waldur_offering_uuid"]
    return [
      {
        path: pathText(path),
        position: source.file.position(path, "value"),
        what: `is that of offerings[${first}] too, on line ${source.file.position(["offerings", first, "waldur_offering_uuid"], "value").line}`,
        hint: "Each offering may stand in the file once."
      }
    ]
  })
}

const rootNotices = (source: Source, keys: typeof RootKeys.Type): ReadonlyArray<Problem> => {
  const odd = (isOdd: boolean, key: keyof typeof RootKeys.Type, what: string, hint: string): ReadonlyArray<Problem> =>
    isOdd ? [{ path: key, position: source.file.position([key], "key"), what, hint }] : []
  return [
    ...odd(
      (keys.elastic_apm_server_url ?? "") !== "",
      "elastic_apm_server_url",
      "has no effect here",
      "The Python agent knew it; it can be removed."
    ),
    ...odd(
      keys.log_shipping.enabled && !keys.agent_identity,
      "log_shipping",
      "has no effect while agent_identity is false",
      "Waldur keeps lines of a log under the agent's identity: switch both on, or both off."
    )
  ]
}

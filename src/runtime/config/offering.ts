/** One entry of `offerings`: from what the file says to what the runtime uses. */
import { Duration, Either, Option, Redacted, Schema } from "effect"
import type { Plugin } from "../../core/backend.js"
import { OfferingId } from "../../core/orders.js"
import type { Credentials } from "../../waldur/index.js"
import { choosePlugin, findPlugin, isSettings, readSettings, type Settings } from "./backend.js"
import { closest } from "./closest.js"
import { fromEither, type Gathered, gathered } from "./gathered.js"
import { ComponentKeys, OfferingKeys } from "./keys.js"
import type { ComponentOverride, OfferingConfig } from "./model.js"
import { type Path, type Problem, pathText } from "./problem.js"
import { read, type Source } from "./read.js"
import { periodOf, uuidOf } from "./values.js"

/** What the root of the file says to all of them. */
export interface Common {
  /** For Waldur. */
  readonly proxy: Redacted.Redacted | undefined
  readonly exposesErrorDetails: boolean
}

/** `entry`: as it stands in the file. */
export const readOffering = (
  source: Source,
  plugins: ReadonlyArray<Plugin>,
  entry: unknown,
  at: Path,
  { exposesErrorDetails, proxy }: Common
): Gathered<OfferingConfig> => {
  const own = fromEither(read(source, OfferingKeys, entry, at))
  const raw = own.value?.encoded ?? entry
  if (!isSettings(raw)) return gathered<OfferingConfig>(undefined, own.problems)

  // Each part is looked at whatever is wrong with the others.
  const settings: Settings = isSettings(raw.backend_settings) ? raw.backend_settings : {}
  const type = raw.backend_type
  const plugin =
    typeof type === "string" && type !== ""
      ? choosePlugin(source, plugins, type, settings, at)
      : gathered<Plugin>(undefined)
  const backend =
    plugin.value === undefined || (raw.backend_settings !== undefined && !isSettings(raw.backend_settings))
      ? gathered<Redacted.Redacted<Settings>>(undefined)
      : readSettings(source, plugin.value, settings, at)
  const components = readComponents(source, raw.backend_components, at)
  const access = readAccess(source, raw, at)
  const functions = plugin.value === undefined ? [] : functionProblems(source, plugins, plugin.value, raw, settings, at)

  const problems = [own, plugin, backend, components, access].flatMap((part) => part.problems).concat(functions)
  const notices = [backend, components, access].flatMap((part) => part.notices)
  const keys = own.value?.decoded
  if (
    problems.length > 0 ||
    keys === undefined ||
    plugin.value === undefined ||
    backend.value === undefined ||
    components.value === undefined ||
    access.value === undefined
  ) {
    return gathered<OfferingConfig>(undefined, problems, notices)
  }
  return gathered<OfferingConfig>(
    {
      id: Schema.decodeSync(OfferingId)(uuidOf(keys.waldur_offering_uuid) ?? ""),
      name: keys.name,
      waldur: {
        apiUrl: apiUrlOf(keys.waldur_api_url),
        credentials: access.value,
        timeout: Duration.seconds(keys.waldur_timeout),
        tls: { verify: keys.verify_ssl, ...(keys.ca_file === "" ? {} : { caFile: keys.ca_file }) },
        ...(proxy === undefined ? {} : { proxy })
      },
      plugin: plugin.value,
      backendSettings: backend.value,
      components: components.value,
      functions: {
        orders: keys.order_processing_backend !== "",
        membership: keys.membership_sync_backend !== "",
        reports: keys.reporting_backend !== "",
        resourceImport: keys.resource_import_enabled
      },
      omitAnomalousUsage: keys.omit_anomalous_usage_components,
      events: {
        enabled: keys.stomp_enabled,
        membershipSync: keys.stomp_membership_sync_enabled ?? keys.stomp_enabled,
        tls: keys.websocket_use_tls,
        host: filled(keys.stomp_ws_host),
        port: Option.fromNullable(keys.stomp_ws_port),
        path: filled(keys.stomp_ws_path)
      },
      orderDeadlines: {
        create: deadlineOf(keys.order_deadlines.create),
        update: deadlineOf(keys.order_deadlines.update),
        terminate: deadlineOf(keys.order_deadlines.terminate)
      },
      drift: keys.drift,
      exposesErrorDetails
    },
    [],
    [...notices, ...oddities(source, keys, at)]
  )
}

const deadlineOf = (text: string): Option.Option<Duration.Duration> =>
  Option.map(Option.fromNullable(periodOf(text)), Duration.millis)

const filled = (text: string): Option.Option<string> => (text === "" ? Option.none() : Option.some(text))

/** Python agents are given the address with and without the `api/` at its end. */
const apiUrlOf = (text: string): string => {
  const url = new URL(text)
  const path = url.pathname.replace(/\/+$/, "")
  return `${url.origin}${path.endsWith("/api") ? path : `${path}/api`}/`
}

/** An API token, or all three keys of an OIDC client; the token wins, as with the Python agent. */
const readAccess = (source: Source, raw: Settings, at: Path): Gathered<Credentials> => {
  const { waldur_api_token: token, oidc_token_url: url, oidc_client_id: id, oidc_client_secret: secret } = raw
  const oidc = { oidc_token_url: url, oidc_client_id: id, oidc_client_secret: secret }
  const missing = Object.entries(oidc).flatMap(([key, value]) => (value === undefined || value === "" ? [key] : []))
  const path = [...at, "waldur_api_token"]
  const place = { path: pathText(path), position: source.file.position(path, "key") }
  const scalar = source.file.scalar(path)
  if (scalar !== undefined && source.outside.failed.has(scalar)) return gathered<Credentials>(undefined)
  if (token !== undefined && token !== "") {
    const both = {
      ...place,
      what: "wins over the oidc_ keys, which have no effect beside it",
      hint: "Remove one or the other."
    }
    return typeof token === "string"
      ? gathered<Credentials>({ _tag: "Token", token: Redacted.make(token) }, [], missing.length < 3 ? [both] : [])
      : gathered<Credentials>(undefined)
  }
  if (missing.length === 0 && typeof url === "string" && typeof id === "string" && typeof secret === "string") {
    return gathered<Credentials>({
      _tag: "Oidc",
      tokenUrl: url,
      clientId: id,
      clientSecret: Redacted.make(secret)
    })
  }
  const hint =
    missing.length === 3
      ? "Set it to the token of the agent's user, or set oidc_token_url, oidc_client_id and oidc_client_secret."
      : `Set it, or set the rest of the OIDC client as well: ${missing.join(", ")}.`
  return missing.length === 0
    ? gathered<Credentials>(undefined)
    : gathered<Credentials>(undefined, [{ ...place, what: token === "" ? "is empty" : "is missing", hint }])
}

const readComponents = (
  source: Source,
  raw: unknown,
  at: Path
): Gathered<Readonly<Record<string, ComponentOverride>>> => {
  if (raw === undefined) return gathered({})
  if (!isSettings(raw)) return gathered<Readonly<Record<string, ComponentOverride>>>(undefined)
  const known = Object.keys(ComponentKeys.fields)
  const parts = Object.entries(raw).map(([type, value]) => {
    const path = [...at, "backend_components", type]
    // The Python agent lets plugins have keys of their own here, so others are named, and no error.
    const extra = isSettings(value) ? Object.keys(value).filter((key) => !known.includes(key)) : []
    const own = isSettings(value)
      ? Object.fromEntries(Object.entries(value).filter(([key]) => !extra.includes(key)))
      : value
    const notices = extra.map((key) => {
      const near = closest(key, known)
      return {
        path: pathText([...path, key]),
        position: source.file.position([...path, key], "key"),
        what: "is not a known key and has no effect",
        ...(near === undefined ? {} : { hint: `Did you mean ${near}?` })
      }
    })
    return { type, component: read(source, ComponentKeys, own, path), notices }
  })
  return gathered(
    Object.fromEntries(
      parts.flatMap(({ type, component }) =>
        Either.isRight(component) ? [[type, overrideOf(component.right.decoded)]] : []
      )
    ),
    parts.flatMap(({ component }) => (Either.isLeft(component) ? component.left : [])),
    parts.flatMap(({ notices }) => notices)
  )
}

const overrideOf = (keys: ComponentKeys): ComponentOverride => ({
  ...(keys.label === undefined ? {} : { name: keys.label }),
  ...(keys.measured_unit === undefined ? {} : { measuredUnit: keys.measured_unit }),
  ...(keys.unit_factor === undefined ? {} : { unitFactor: keys.unit_factor }),
  ...(keys.accounting_type === undefined ? {} : { accountingType: keys.accounting_type }),
  ...(keys.unit_factor_reporting === undefined ? {} : { reportingUnitFactor: keys.unit_factor_reporting }),
  ...(keys.usage_from === undefined ? {} : { usageFrom: keys.usage_from }),
  keys
})

const functionKeys = ["order_processing_backend", "membership_sync_backend", "reporting_backend"] as const

/** One offering, one backend: what a function names must be what `backend_type` names. */
const functionProblems = (
  source: Source,
  plugins: ReadonlyArray<Plugin>,
  plugin: Plugin,
  raw: Settings,
  settings: Settings,
  at: Path
): ReadonlyArray<Problem> =>
  functionKeys.flatMap((key) => {
    const name = raw[key]
    if (typeof name !== "string" || name === "" || findPlugin(plugins, name, settings) === plugin) return []
    const path = [...at, key]
    return [
      {
        path: pathText(path),
        position: source.file.position(path, "value"),
        what: `must name the backend of the offering, ${String(raw.backend_type)}, but is ${JSON.stringify(name)}`,
        hint: "Write the same, or leave it empty to switch the function off."
      }
    ]
  })

const oddities = (source: Source, keys: OfferingKeys, at: Path): ReadonlyArray<Problem> => {
  const odd = (key: keyof OfferingKeys, what: string, hint: string): Problem => ({
    path: pathText([...at, key]),
    position: source.file.position([...at, key], "key"),
    what,
    hint
  })
  return [
    ...(functionKeys.every((key) => keys[key] === "")
      ? [
          odd(
            "order_processing_backend",
            "is empty, as are membership_sync_backend and reporting_backend: nothing is done for this offering",
            `Write order_processing_backend: ${keys.backend_type} to have its orders processed.`
          )
        ]
      : []),
    ...(keys.stomp_membership_sync_enabled === true && !keys.stomp_enabled
      ? [odd("stomp_membership_sync_enabled", "has no effect while stomp_enabled is false", "Set both or neither.")]
      : []),
    ...(["", "base"].includes(keys.username_management_backend)
      ? []
      : [
          odd(
            "username_management_backend",
            "has no effect: members are named as in Waldur, and the accounts that are made for them are told to it",
            "The Python agent's OpenNebula plugin knows no such backend either: remove it, or write base."
          )
        ]),
    ...(keys.username_reconciliation_enabled
      ? [
          odd(
            "username_reconciliation_enabled",
            "has no effect: OpenNebula gives nobody a name that Waldur would have to be told of",
            "It had none with the Python agent's OpenNebula plugin either: remove it."
          )
        ]
      : []),
    ...(keys.preserve_unmanaged_backend_users
      ? [
          odd(
            "preserve_unmanaged_backend_users",
            "has no effect: users of OpenNebula that this agent did not make are never touched, but whom somebody puts into one of its Keycloak groups by hand is taken out",
            "See docs/membership.md, and remove it."
          )
        ]
      : []),
    ...(keys.mqtt_enabled === undefined
      ? []
      : [
          odd("mqtt_enabled", "has no effect: events come over STOMP", "Set stomp_enabled to have them, and remove it.")
        ]),
    ...(keys.stomp_enabled && !keys.websocket_use_tls
      ? [odd("websocket_use_tls", "is off: anybody on the way can read the token", "Use TLS outside of tests.")]
      : []),
    ...(keys.verify_ssl
      ? []
      : [odd("verify_ssl", "is off: anybody on the way can read the token", "Set ca_file instead.")])
  ]
}

/**
 * The keys of the file, with what they may hold: those of the Python agent (1.0.7, and what its repository has beyond that), and a few of ours.
 *
 * Where a default differs from the Python agent's, the key says so. What is empty counts as not written.
 */
import { Schema } from "effect"
import { AccountingType } from "../../core/components.js"
import { usualConnections } from "../database/place.js"
import {
  Address,
  Factor,
  HeaderName,
  HostName,
  ListenPort,
  LogLevelText,
  listOf,
  MachineName,
  off,
  on,
  PostgresUrl,
  ProxyUrl,
  period,
  Secret,
  SentryDsn,
  seconds,
  Timezone,
  text,
  uuidOf,
  WebUrl,
  whole,
  wholeFrom
} from "./values.js"

/** Generous: whoever wants to wait less says so. Ending a resource is tried for ever. */
export const OrderDeadlineKeys = Schema.Struct({
  /** Of orders that make a resource. */
  create: period("1d"),
  /** Of orders for other limits or another plan. */
  update: period("1d"),
  /** Of orders that end a resource. */
  terminate: period("never")
})

const DriftPolicy = Schema.optionalWith(Schema.Literal("report", "repair"), { default: () => "report" as const })

/** Reported, unless the file says otherwise: what is put right is somebody's own doing. */
export const DriftKeys = Schema.Struct({
  quotas: DriftPolicy,
  sizes: DriftPolicy,
  state: DriftPolicy,
  owner: DriftPolicy,
  network: DriftPolicy,
  isolation: DriftPolicy,
  passwords: DriftPolicy
})

/** Parts of the agent -> level; a part that is not there logs from `log_level` on. */
export const LogLevelKeys = Schema.Struct({
  /** Orders: accepted, waiting, done, erred. */
  orders: Schema.optional(LogLevelText),
  /** The consumer of Waldur's events. */
  events: Schema.optional(LogLevelText),
  /** Synchronisation of members. */
  members: Schema.optional(LogLevelText),
  /** Usage reports. */
  usage: Schema.optional(LogLevelText),
  /** Looks at resources between orders. */
  observation: Schema.optional(LogLevelText),
  /** Calls to Waldur; from DEBUG on each of them. */
  waldur: Schema.optional(LogLevelText),
  /** Calls to OpenNebula. */
  opennebula: Schema.optional(LogLevelText),
  /** Calls to Keycloak. */
  keycloak: Schema.optional(LogLevelText)
})

export const LogShippingKeys = Schema.Struct({
  enabled: off,
  ship_interval_seconds: Schema.optionalWith(wholeFrom(10), { default: () => 60 }),
  buffer_size_mb: Schema.optionalWith(whole(1, 1024), { default: () => 1 }),
  log_level: Schema.optionalWith(LogLevelText, { default: () => "WARNING" })
})

export const HttpKeys = Schema.Struct({
  host: Schema.optionalWith(Schema.NonEmptyString, { default: () => "127.0.0.1" }),
  port: Schema.optionalWith(ListenPort, { default: () => 8090 })
})

export const PageKeys = Schema.Struct({
  /** Whether the page and its API are served beside the health. */
  enabled: on,
  /** `auto`: a token is asked for unless the agent listens on this machine alone. `always`: here too. */
  sign_in: Schema.optionalWith(Schema.Literal("auto", "always"), { default: () => "auto" as const }),
  /** Names by which browsers reach it, if not by those of this machine: all others are refused. */
  hosts: listOf(HostName),
  /** Header in which a reverse proxy says who has signed in there. Empty: none is believed. */
  trusted_header: Schema.optionalWith(HeaderName, { default: () => "" }),
  /** Addresses of that proxy: the header is believed from these alone. */
  trusted_proxies: listOf(Address),
  /** Who may do something, by the name in that header; "*" is everybody. All others only look. */
  operators: listOf(Schema.NonEmptyString),
  /** Hours after which a session ends. */
  session_hours: Schema.optionalWith(whole(1, 720), { default: () => 12 })
})

export const ClusterKeys = Schema.Struct({
  /** By which the other processes reach this one: `${POD_IP}` in Kubernetes, `127.0.0.1` if all run on one machine. */
  host: MachineName,
  /** Each process of one machine needs its own. */
  port: Schema.optionalWith(whole(1, 65_535), { default: () => 34_431 }),
  /** The address at which it listens for the others, if that is not `host`. */
  listen: text,
  /** Seconds without a sign of life after which the others take over what a process has. The same in all of them. */
  takeover: Schema.optionalWith(whole(3, 600), { default: () => 10 })
})

export const RootKeys = Schema.Struct({
  /** Each is read by `OfferingKeys`, on its own. */
  offerings: Schema.Array(Schema.Unknown).pipe(
    Schema.filter((offerings) => offerings.length > 0, { description: "a list of at least one offering" })
  ),
  /** Bugs and errors are told to Sentry there. */
  sentry_dsn: Schema.optional(SentryDsn),
  /** Known, and without effect here. */
  elastic_apm_server_url: Schema.optional(Schema.String),
  /** For billing periods. */
  timezone: Schema.optionalWith(Timezone, { default: () => "UTC" }),
  /** For Waldur; may hold a password. */
  global_proxy: Schema.optional(ProxyUrl),
  /** What is less severe is not logged. */
  log_level: Schema.optionalWith(LogLevelText, { default: () => "INFO" }),
  /** The same for single parts of the agent. */
  log_levels: Schema.optionalWith(LogLevelKeys, { default: () => ({}) }),
  /** How a line looks; `auto` is `pretty` on a terminal and `logfmt` elsewhere. */
  log_format: Schema.optionalWith(Schema.Literal("auto", "pretty", "logfmt", "json"), {
    default: () => "auto" as const
  }),
  /** Whether the data directory gets a copy of the log (`log/`, at most 50 MB), for `site-actors logs`. */
  log_file: on,
  /** Billing periods that are reported: 1 is the current one alone. */
  reporting_periods: Schema.optionalWith(whole(1, 12), { default: () => 2 }),
  /** Waldur gets the details of a failure, beside the sentence for the customer. The Python agent's default is true. */
  expose_backend_error_details: off,
  /** Lines of the log that are sent to Waldur, under the offering that they are about. */
  log_shipping: Schema.optionalWith(LogShippingKeys, { default: () => Schema.decodeSync(LogShippingKeys)({}) }),

  // Ours.

  /** Whether each Waldur is told who the agent is, that it lives, and how it goes. Without it no lines of the log are sent either. */
  agent_identity: on,
  /**
   * Further backends: packages, found from this file's folder upwards, and paths seen from it: `["@acme/site-actors-proxmox", "./my-backend.js"]`.
   */
  plugins: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] }),
  /** Folder of the journal. The command line's `--data-dir` wins. */
  data_dir: Schema.optional(Schema.NonEmptyString),
  /** The PostgreSQL that keeps the journal, in place of the file in `data_dir`. Without it the environment variable `SITE_ACTORS_DATABASE` counts. */
  database: Schema.optional(PostgresUrl),
  /** Connections that one process opens to it at most. */
  database_connections: Schema.optionalWith(whole(2, 100), { default: () => usualConnections }),
  /** One of several processes, which share the work and take over from each other. Needs a `database`. Without it the agent is one process. */
  cluster: Schema.optional(ClusterKeys),
  /** Seconds between two looks for orders. For a minute after something has changed in the queue a fifth of it, but at least one second. */
  poll_interval: seconds(5),
  /** The same while events tell of them. Never shorter than `poll_interval`. */
  events_poll_interval: seconds(60),
  /** The page, served where the health is. */
  page: Schema.optionalWith(PageKeys, { default: () => Schema.decodeSync(PageKeys)({}) }),
  /** Where the agent says how it is. */
  http: Schema.optionalWith(HttpKeys, { default: () => Schema.decodeSync(HttpKeys)({}) }),
  /** Seconds between two looks at what Waldur says against what the cloud has. */
  observation_interval: seconds(600),
  /** Seconds between two usage reports; the Python agent's default. */
  report_interval: seconds(1800),
  /** Seconds between two synchronisations of members; the Python agent's default. */
  membership_sync_interval: seconds(300),
  /** Days for which the journal keeps orders that have ended. */
  journal_retention_days: Schema.optionalWith(whole(1, 36_500), { default: () => 90 })
})

export const OfferingKeys = Schema.Struct({
  /** For people: in logs and messages. */
  name: Schema.NonEmptyString,
  /** Waldur's API: `https://waldur.example.com/api/`. */
  waldur_api_url: WebUrl.pipe(Schema.nonEmptyString()),
  /** Who the agent is in Waldur: its user's API token, or a personal access token; or the three `oidc_` keys. */
  waldur_api_token: Schema.optional(Secret),
  /** The identity provider's token endpoint, for an access token by client credentials. */
  oidc_token_url: Schema.optional(WebUrl),
  /** The client's id there. */
  oidc_client_id: text,
  /** The client's secret there. */
  oidc_client_secret: Schema.optional(Secret),
  /** The offering in Waldur. */
  waldur_offering_uuid: Schema.String.pipe(
    Schema.filter((uuid) => uuidOf(uuid) !== undefined, { description: "a uuid: 32 hexadecimal digits, dashes or not" })
  ),
  /** The plugin: `opennebula-vdc`, `opennebula-vm`, or one of `plugins`; or `opennebula` with `resource_type` in its settings. */
  backend_type: Schema.NonEmptyString,
  /** Read by the plugin's own schema. */
  backend_settings: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), {
    default: () => ({})
  }),
  /** Each is read by `ComponentKeys`, on its own. */
  backend_components: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), {
    default: () => ({})
  }),
  /** Whether events come over TLS. */
  websocket_use_tls: on,
  /** Events from Waldur: orders start at once, and polling is slow beside them. */
  stomp_enabled: off,
  /** Known from the Python agent, and without effect here. */
  stomp_membership_sync_enabled: Schema.optional(Schema.Boolean),
  /** Where the broker of events is, if not at Waldur's own address. */
  stomp_ws_host: text,
  /** Its port, if not that of Waldur's own address. */
  stomp_ws_port: Schema.optional(whole(1, 65535)),
  /** Its path: `/rmqws-stomp` if empty. */
  stomp_ws_path: text,
  /** Empty: this offering's orders are not processed. As with the Python agent. */
  order_processing_backend: text,
  /** Empty: members are not synchronised. */
  membership_sync_backend: text,
  /** Empty: usage is not reported. */
  reporting_backend: text,
  /** Known from the Python agent, whose OpenNebula plugin has none. What is not `base` is named in a notice, and has no effect. */
  username_management_backend: Schema.optionalWith(Schema.String, { default: () => "base" }),
  /** What nobody owns in the cloud is offered to Waldur when it asks for something to import. */
  resource_import_enabled: off,
  /** Known from the Python agent, whose OpenNebula plugin does nothing for it. Here as well; a notice says so. */
  username_reconciliation_enabled: off,
  /** Known from newer Python agents. Members are as `docs/membership.md` says, with it and without; where it is true, a notice says so. */
  preserve_unmanaged_backend_users: off,
  /** Known from older Python agents, and without effect, as with newer ones. */
  mqtt_enabled: Schema.optional(Schema.Boolean),
  /** Whether Waldur's certificate is verified. */
  verify_ssl: on,
  /** Hours that went down within a month are left out, and the rest is sent. */
  omit_anomalous_usage_components: off,

  // Ours.

  /** PEM file of the authority that signed Waldur's certificate. */
  ca_file: text,
  /** For one call to Waldur, in seconds: for one that is slower. What is answered later than that may have been done all the same: it is looked for. */
  waldur_timeout: seconds(30),
  /** What is done about differences between Waldur and the cloud, kind by kind. */
  drift: Schema.optionalWith(DriftKeys, { default: () => Schema.decodeSync(DriftKeys)({}) }),
  /** How long an order may take before it is undone. Time in which Waldur, the cloud or the agent was away does not count. */
  order_deadlines: Schema.optionalWith(OrderDeadlineKeys, { default: () => Schema.decodeSync(OrderDeadlineKeys)({}) })
})
export type OfferingKeys = typeof OfferingKeys.Type

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(schema)
const months = optional(wholeFrom(0))

/** What is absent is as Waldur's offering has it. */
export const ComponentKeys = Schema.Struct({
  /** The offering's unit, for people: GB. */
  measured_unit: optional(Schema.String),
  /** Backend units in one of the offering's units: 1024 for GB in MB. */
  unit_factor: optional(Factor),
  /** The same for usage reports only. */
  unit_factor_reporting: optional(Factor),
  /** How it is billed. */
  accounting_type: optional(AccountingType),
  /** Its name in Waldur. */
  label: optional(Schema.String),
  /** Loaded into Waldur as `limit_amount`. */
  limit: optional(Schema.Number),
  /** Loaded into Waldur. */
  description: optional(Schema.String),
  /** Loaded into Waldur: the least that may be ordered. */
  min_value: optional(Schema.Int),
  /** Loaded into Waldur: the most that may be ordered. */
  max_value: optional(Schema.Int),
  /** Loaded into Waldur: the most of all resources together. */
  max_available_limit: optional(Schema.Int),
  /** Loaded into Waldur: what the order form begins with. */
  default_limit: optional(Schema.Int),
  /** Loaded into Waldur: month, annual, total. */
  limit_period: optional(Schema.String),
  /** Loaded into Waldur, for invoices. */
  article_code: optional(Schema.String),
  /** Loaded into Waldur: ordered or not. */
  is_boolean: optional(Schema.Boolean),
  /** Loaded into Waldur: paid in advance. */
  is_prepaid: optional(Schema.Boolean),
  /** Loaded into Waldur, for prepaid components; months. */
  min_prepaid_duration: months,
  /** Loaded into Waldur, for prepaid components; months. */
  max_prepaid_duration: months,
  /** Loaded into Waldur, for prepaid components; months. */
  prepaid_duration_step: months,
  /** Loaded into Waldur, for prepaid components; months. */
  min_renewal_duration: months,
  /** Loaded into Waldur, for prepaid components; months. */
  max_renewal_duration: months,
  /** Loaded into Waldur, for prepaid components; months. */
  renewal_duration_step: months,

  // Ours.

  /** What the backend measures for usage reports: `cpu_hours`, ... The quantity of the component's own name, if not written. */
  usage_from: optional(Schema.NonEmptyString)
})
export type ComponentKeys = typeof ComponentKeys.Type

/**
 * `backend_settings` that the Python agent reads for every backend, and that have no meaning for ours: no error, but a
 * notice.
 */
export const withoutEffect: ReadonlySet<string> = new Set([
  "backend_id_max_retries",
  "check_all_offerings",
  "check_backend_id_uniqueness",
  "customer_prefix",
  "default_account",
  "default_homedir_umask",
  "enable_user_homedir_account_creation",
  "homedir_base_path",
  "homedir_quota",
  "periodic_limits",
  "project_prefix"
])

/**
 * The configuration, as the rest of the runtime sees it: complete, typed, and with secrets that do not print
 * themselves.
 */
import type { Duration, Option, Redacted } from "effect"
import type { Plugin } from "../../core/backend.js"
import type { AccountingType } from "../../core/components.js"
import type { DriftKind } from "../../core/observation.js"
import type { OfferingId } from "../../core/orders.js"
import type { Credentials } from "../../waldur/index.js"
import type { Postgres } from "../database/place.js"
import type { ClusterSettings } from "./cluster.js"
import type { ComponentKeys } from "./keys.js"
import type { Problem } from "./problem.js"
import type { LogLevelName } from "./values.js"

export type { LogLevelName } from "./values.js"

export interface Config {
  /** The file that it was read from, as it was named. */
  readonly file: string
  /** At least one, and no two of one uuid. */
  readonly offerings: ReadonlyArray<OfferingConfig>
  readonly dataDir: Option.Option<string>
  /** The PostgreSQL that keeps the journal; none: it is in a file in the data directory. */
  readonly database: Option.Option<Postgres>
  /** How this process is one of several; none: it is the only one. */
  readonly cluster: Option.Option<ClusterSettings>
  readonly pollInterval: Duration.Duration
  /** While events tell of orders. At least `pollInterval`. */
  readonly eventsPollInterval: Duration.Duration
  /** Where the health is shown; no port: nowhere. */
  readonly http: { readonly host: string; readonly port: Option.Option<number> }
  readonly page: PageSettings
  readonly observationInterval: Duration.Duration
  readonly reportInterval: Duration.Duration
  readonly membershipSyncInterval: Duration.Duration
  /** For how long the journal keeps orders that have ended. */
  readonly journalRetention: Duration.Duration
  /** For billing periods: "Europe/Tallinn". */
  readonly timezone: string
  /** How many billing periods are reported: 1 is the current one alone. */
  readonly reportingPeriods: number
  readonly logLevel: LogLevelName
  /** Part of the agent -> its own level. */
  readonly logLevels: Readonly<Record<string, LogLevelName>>
  readonly logFormat: "auto" | "pretty" | "logfmt" | "json"
  /** Whether there is a copy of the log in the data directory. */
  readonly logFile: boolean
  readonly sentryDsn: Option.Option<Redacted.Redacted>
  /** Whether Waldur is told of this agent. */
  readonly agentIdentity: boolean
  readonly logShipping: {
    readonly enabled: boolean
    readonly interval: Duration.Duration
    readonly bufferMegabytes: number
    readonly level: LogLevelName
  }
  /**
   * What is no error, but probably not what was meant: keys without effect, an offering of which nothing is switched
   * on.
   */
  readonly notices: ReadonlyArray<Problem>
}

/** The page and its API: who may see it, and how they are known. */
export interface PageSettings {
  readonly enabled: boolean
  /** `auto`: no token is asked for where the agent listens on this machine alone. */
  readonly signIn: "auto" | "always"
  /** Names by which browsers may ask for it, beside those of this machine. */
  readonly hosts: ReadonlyArray<string>
  /** In lower case. */
  readonly trustedHeader: Option.Option<string>
  /** Addresses, and networks in CIDR notation. */
  readonly trustedProxies: ReadonlyArray<string>
  readonly operators: ReadonlyArray<string>
  readonly sessionLength: Duration.Duration
}

export interface OfferingConfig {
  readonly id: OfferingId
  /** For people. */
  readonly name: string
  readonly waldur: WaldurConnection
  readonly plugin: Plugin
  /**
   * As `Plugin.open` wants them: encoded, checked, environment and secret files put in. Redacted as a whole, as they
   * hold secrets.
   */
  readonly backendSettings: Redacted.Redacted<Readonly<Record<string, unknown>>>
  /** `backend_components`: component type -> what the file says of it. */
  readonly components: Readonly<Record<string, ComponentOverride>>
  /**
   * What the agent does for this offering. As with the Python agent, all are off where the file names no backend for
   * them.
   */
  readonly functions: {
    readonly orders: boolean
    readonly membership: boolean
    readonly reports: boolean
    readonly resourceImport: boolean
  }
  /** Leave out components whose usage went down, and report the rest. */
  readonly omitAnomalousUsage: boolean
  readonly events: EventSettings
  readonly orderDeadlines: OrderDeadlines
  readonly drift: DriftPolicies
  /** Whether Waldur gets the details of a failure, beside the sentence for the customer. */
  readonly exposesErrorDetails: boolean
}

/** What is done about a difference that can be mended: it is shown, or put right. */
export type DriftPolicies = Readonly<Record<DriftKind, "report" | "repair">>

/** How long an order may take, not counting the time in which it could not be carried out. None: as long as it takes. */
export interface OrderDeadlines {
  readonly create: Option.Option<Duration.Duration>
  readonly update: Option.Option<Duration.Duration>
  readonly terminate: Option.Option<Duration.Duration>
}

/** How to reach Waldur: the options of `makeWaldur`. */
export interface WaldurConnection {
  /** Ends in "/api/". */
  readonly apiUrl: string
  readonly credentials: Credentials
  readonly tls: { readonly verify: boolean; readonly caFile?: string }
  /** For one call. Absent: that of `makeWaldur`. */
  readonly timeout?: Duration.Duration
  /** May hold a password. */
  readonly proxy?: Redacted.Redacted
}

/** STOMP over a web socket. What is absent follows from Waldur's address. */
export interface EventSettings {
  readonly enabled: boolean
  readonly membershipSync: boolean
  readonly tls: boolean
  readonly host: Option.Option<string>
  readonly port: Option.Option<number>
  readonly path: Option.Option<string>
}

/** What the file says of a component. What is absent is as Waldur's offering has it. */
export interface ComponentOverride {
  readonly name?: string
  readonly measuredUnit?: string
  readonly unitFactor?: number
  readonly accountingType?: AccountingType
  /** For usage reports only; `unitFactor` if absent. */
  readonly reportingUnitFactor?: number
  /** The quantity of the backend that its usage is; the one of its type's name if absent. */
  readonly usageFrom?: string
  /** All that the file has, for loading components into Waldur. */
  readonly keys: ComponentKeys
}

/**
 * `backend_settings` that both OpenNebula plugins have in common: which front-end, how to reach it, where on it.
 *
 * Spread into a plugin's own struct: `Schema.Struct({ ...openNebulaFields, ... })`. Key names and defaults are the Python agent's
 * wherever it has them. The offering's `plugin_options` in Waldur may override some keys of an order; that is the plugins' own business.
 */
import { Duration, Redacted, Schema } from "effect"
import type { OpenNebulaSettings as ConnectionSettings } from "../opennebula/client.js"

/** A whole number; digits in a text count too, as YAML files and Waldur's forms often quote numbers. */
export const WholeNumber = Schema.Union(
  Schema.Int,
  Schema.NumberFromString.pipe(Schema.int({ message: () => "Expected a whole number" }))
)
/** An object's id in OpenNebula. */
export const ObjectId = WholeNumber.pipe(
  Schema.nonNegative({ message: () => "Expected an id: a whole number, 0 or more" })
)
/** Seconds, more than 0. */
export const Seconds = Schema.Number.pipe(Schema.positive({ message: () => "Expected seconds, more than 0" }))

/** A YAML list, or one value in place of a list of one. */
export const listOf = <A, I>(item: Schema.Schema<A, I>) => Schema.Array(item)

export const HttpUrl = Schema.String.pipe(
  Schema.filter((text) => /^https?:$/.test(protocolOf(text)) || "Expected a URL that begins with http:// or https://")
)
const protocolOf = (text: string): string => (URL.canParse(text) ? new URL(text).protocol : "")

/** `user:password`, of a member of oneadmin. The user's name has no colon, the password may have. */
const Credentials = Schema.Redacted(
  Schema.String.pipe(
    Schema.filter((text) => /^[^:]+:.+$/s.test(text.trim()), { message: () => 'Expected "user:password"' })
  )
)

export const openNebulaFields = {
  /** XML-RPC of the front-end: `http://one.example.org:2633/RPC2`. */
  api_url: HttpUrl,
  /** `user:password` of a member of oneadmin. */
  credentials: Credentials,
  /** The zone of the clusters. */
  zone_id: Schema.optionalWith(ObjectId, { default: () => 0 }),
  /** Where VDCs and VMs live. Empty: all clusters of the zone, as the Python agent has it. */
  cluster_ids: Schema.optionalWith(listOf(ObjectId), { default: () => [] }),
  /** PEM file of the authority that signed the front-end's certificate. */
  ca_file: Schema.optional(Schema.NonEmptyString),
  /** Whether the front-end's certificate is verified. */
  verify_ssl: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /** For one call, in seconds. */
  timeout: Schema.optionalWith(Seconds, { default: () => 60 }),
  /** A stock front-end serves 15 connections at once; the rest is left to others. */
  max_concurrent_calls: Schema.optionalWith(WholeNumber.pipe(Schema.between(1, 1000)), { default: () => 12 }),
  /** HTTP proxy: `http://[user:password@]proxy.example.org:3128`. */
  proxy: Schema.optional(Schema.Redacted(HttpUrl)),
  /** Put before every object's name. */
  allocation_prefix: Schema.optionalWith(Schema.String, { default: () => "" })
}

/** How long a guest may take to shut down before it is switched off, in seconds. */
const poweroffTimeout = Schema.optionalWith(Seconds, { default: () => 120 })

/** What becomes of machines while Waldur calls their resource paused. */
export const pauseFields = {
  /** Their guests are shut down, or their memory is kept on disk. */
  pause_action: Schema.optionalWith(Schema.Literal("poweroff", "suspend"), { default: () => "poweroff" as const }),
  /** How long a guest may take to shut down before it is switched off, in seconds. */
  poweroff_timeout: poweroffTimeout
}

export const OpenNebulaSettings = Schema.Struct(openNebulaFields)
/** What `connect` needs, and what names and places are made of. */
export type OpenNebulaSettings = typeof OpenNebulaSettings.Type

/** What a client of the front-end is made from. */
export const connectionOf = (settings: OpenNebulaSettings): ConnectionSettings => ({
  apiUrl: settings.api_url,
  // Files end in line breaks, and OpenNebula takes one for a part of the password.
  credentials: Redacted.make(Redacted.value(settings.credentials).trim()),
  timeout: Duration.seconds(settings.timeout),
  maxConcurrent: settings.max_concurrent_calls,
  caFile: settings.ca_file,
  verifySsl: settings.verify_ssl,
  proxy: settings.proxy
})

/**
 * What a value of the file may be, with the words that say so to whoever wrote something else, and how it is read where the file has it as a text.
 */
import { isIP } from "node:net"
import { Schema } from "effect"
import { addressProblem } from "../database/place.js"

const webUrl = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
}
/** An address to which credentials are sent elsewhere: none in the address itself. */
export const WebUrl = Schema.String.pipe(
  Schema.filter((text) => text === "" || webUrl(text), {
    description: "a URL that begins with https:// or http:// and has no user name in it"
  })
)
export const Secret = Schema.Redacted(Schema.String)
export const ProxyUrl = Schema.Redacted(
  Schema.String.pipe(
    Schema.filter((text) => text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)), {
      description: "a URL that begins with http:// or https://"
    })
  )
)
const isDsn = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).username !== "" && /\/\d+$/.test(text)
export const SentryDsn = Schema.Redacted(
  Schema.String.pipe(
    Schema.filter((text) => text === "" || isDsn(text), {
      description: "a DSN as Sentry shows it: https://key@sentry.example.com/1"
    })
  )
)
export const PostgresUrl = Schema.Redacted(
  Schema.String.pipe(
    Schema.filter((text) => text === "" || addressProblem(text) === undefined, {
      description:
        "postgres://user:password@host:5432/database, with %40 for @ in user and password, and so on; what may stand behind a ? is in docs/deploy.md"
    })
  )
)
/** Seconds; decimals are fine. */
const Seconds = Schema.Number.pipe(
  Schema.filter((seconds) => seconds >= 0.1 && seconds <= 86_400, {
    description: "a number of seconds from 0.1 to 86400"
  })
)
export const whole = (least: number, most: number) =>
  Schema.Number.pipe(
    Schema.filter((n) => Number.isInteger(n) && n >= least && n <= most, {
      description: `a whole number from ${least} to ${most}`
    })
  )
export const wholeFrom = (least: number) => whole(least, 2_147_483_647)

/** A deadline: "90s", "30m", "2h", "1d", or "never". */
const Period = Schema.String.pipe(
  Schema.filter((text) => text === "never" || periodOf(text) !== undefined, {
    description: 'a time of at least 10 s, such as "90s", "30m", "2h" or "1d", or "never"'
  })
)
const periodMillis: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** In ms; `undefined` for "never" and for what is no time. */
export const periodOf = (text: string): number | undefined => {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const millis = Number(digits) * (periodMillis[unit ?? ""] ?? Number.NaN)
  return millis >= 10_000 ? millis : undefined
}
export const period = (otherwise: string) => Schema.optionalWith(Period, { default: () => otherwise })

const levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const
const isLevel = (text: string): boolean => levels.some((level) => level === text.toUpperCase())
export const LogLevelText = Schema.String.pipe(
  Schema.filter(isLevel, { description: "DEBUG, INFO, WARNING, ERROR or CRITICAL" })
)
export type LogLevelName = (typeof levels)[number]
export const levelOf = (text: string): LogLevelName => levels.find((level) => level === text.toUpperCase()) ?? "INFO"

const isTimezone = (text: string): boolean => {
  // The usual one, of which nobody need be asked: that loads the tables of all, 20 ms of a start.
  if (text === "UTC") return true
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== ""
  } catch {
    return false
  }
}
export const Timezone = Schema.String.pipe(
  Schema.filter(isTimezone, { description: 'the name of a time zone, such as "Europe/Tallinn"' })
)

export const text = Schema.optionalWith(Schema.String, { default: () => "" })
export const off = Schema.optionalWith(Schema.Boolean, { default: () => false })
export const on = Schema.optionalWith(Schema.Boolean, { default: () => true })
export const seconds = (otherwise: number) => Schema.optionalWith(Seconds, { default: () => otherwise })

/** `off` is YAML's word for false. */
export const ListenPort = Schema.Union(whole(0, 65_535), Schema.Literal(false)).annotations({
  description: "a port, 0 for any free one, or off"
})

const isNetwork = (text: string): boolean => {
  const [address = "", bits, ...more] = text.split("/")
  const most = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  )
}
/** An address, or a network in CIDR notation. */
export const Address = Schema.String.pipe(
  Schema.filter((text) => isNetwork(text), {
    description: 'an IP address or a network, such as "10.0.0.5" or "10.0.0.0/24"'
  })
)
/** Field names of HTTP (RFC 9110), in lower case. */
export const HeaderName = Schema.String.pipe(
  Schema.filter((text) => /^[A-Za-z0-9-]*$/.test(text), {
    description: 'the name of a header, such as "X-Forwarded-User"'
  })
)
/** A name or an address as it stands in a browser's address bar, without scheme and port. */
export const HostName = Schema.String.pipe(
  Schema.filter((text) => /^[A-Za-z0-9.:-]+$/.test(text) && !text.includes("/"), {
    description: 'a host name without scheme and port, such as "agent.example.com"'
  })
)
export const listOf = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(schema), { default: () => [] })

/** An address by which a machine is reached; no URL, and no port. */
export const MachineName = Schema.String.pipe(
  Schema.filter((text) => /^[A-Za-z0-9.:_-]+$/.test(text) && text !== "0.0.0.0" && text !== "::", {
    description: 'a host name or an address of this machine, such as "10.0.0.5" or "agent-1.example.com"'
  })
)

export const Factor = Schema.Number.pipe(
  Schema.filter((n) => Number.isFinite(n) && n > 0, { description: "a number above 0" })
)

/** Waldur's uuids without dashes, in lower case; `undefined` for what is none. */
export const uuidOf = (text: string): string | undefined => {
  const digits = text.trim().replaceAll("-", "").toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined
}

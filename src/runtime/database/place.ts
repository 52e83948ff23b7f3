/** Where a journal is. */
import { join } from "node:path"
import { Data, Redacted } from "effect"

/** A PostgreSQL database that keeps the journal, for one process or several. */
export class Postgres extends Data.TaggedClass("Postgres")<{
  /** `postgres://user:password@host:5432/database` */
  readonly url: Redacted.Redacted
  /** How many connections this process opens at most. */
  readonly connections: number
}> {
  /** For sentences: without user and password. */
  get name(): string {
    const { host, pathname } = new URL(Redacted.value(this.url))
    return `postgres://${host}${pathname}`
  }
}

/** A data directory with the journal in a file, or a PostgreSQL. */
export type Place = string | Postgres

/** The journal's file in a data directory. */
export const fileOf = (dataDir: string): string => join(dataDir, "journal.db")

/** What that file is called when it was moved into a PostgreSQL (`journal/copy.ts`). */
export const movedFrom = (file: string): string => `${file}.moved`

/** For sentences. */
export const nameOf = (place: Place): string => (typeof place === "string" ? place : place.name)

export const usualConnections = 10

/** As libpq takes them, "one:5432,two:5432", which is no URL, or behind the `?`. The driver would look for a host of that name, and find none for ever. */
const namesSeveral = (text: string): boolean => {
  const [, authority = "", rest = ""] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/is.exec(text) ?? []
  const behind = new URLSearchParams(rest.split("?").slice(1).join("?"))
  // Behind the first /, an @ is of a password that has one.
  const hosts = rest.split("?", 1)[0]?.includes("@") === true ? "" : authority.slice(authority.lastIndexOf("@") + 1)
  return [hosts, ...["host", "hostaddr", "port"].map((key) => behind.get(key))].some((one) => one?.includes(","))
}

/** What is wrong with an address of a PostgreSQL, without the address: it holds a password. */
export const addressProblem = (text: string): string | undefined => {
  if (namesSeveral(text)) return "names several hosts: one address has to lead to the server that writes"
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return "must be a URL that begins with postgres://"
  if (["user", "password"].some((key) => url.searchParams.has(key))) return "has the user or the password behind the ?"
  if (url.hostname === "") return "names no host"
  if (url.pathname.length <= 1) return "names no database"
  // A / in the password ends the host: what is taken for the database then, and shown, is the rest of the password.
  if (/[/@]/.test(url.pathname.slice(1))) return "has a / or an @ too many, in the password most likely"
  const decodes = [url.username, url.password, url.pathname].every((part) => /^([^%]|%[0-9a-f]{2})*$/i.test(part))
  return decodes ? tlsProblem(url.searchParams) : "has a % that is not written as %25"
}

const modes = ["disable", "require", "verify-ca", "verify-full", "no-verify"]

/** libpq falls back to a connection without TLS with `allow` and `prefer`; nobody who wrote that would notice. */
const tlsProblem = (keys: URLSearchParams): string | undefined => {
  const mode = keys.get("sslmode")
  if (mode !== null && !modes.includes(mode)) return `has an sslmode behind the ? that is none of ${modes.join(", ")}`
  if (keys.has("sslcert") !== keys.has("sslkey")) return "has one of sslcert and sslkey behind the ?: they are a pair"
  const isOwn = !["", "system"].includes(keys.get("sslrootcert") ?? "")
  return mode === "verify-ca" && !isOwn ? "has sslmode=verify-ca, and no sslrootcert to hold it to" : undefined
}

/** How the way to a server is protected. */
export type Protection = "verified" | "unverified" | "none"

export const protectionOf = ({ url }: Postgres): Protection => {
  const keys = new URL(Redacted.value(url)).searchParams
  const mode = keys.get("sslmode")
  if (mode === "disable") return "none"
  if (mode === "no-verify") return "unverified"
  return mode === null && !keys.has("sslrootcert") && !keys.has("sslcert") ? "none" : "verified"
}

/** Is the server on this machine? Then nobody is between. */
export const isLocal = ({ url }: Postgres): boolean => {
  const { hostname, searchParams } = new URL(Redacted.value(url))
  return /^(localhost|127\.[\d.]+|\[::1\]|%2f.*)$/i.test(hostname) || searchParams.get("host")?.startsWith("/") === true
}

/**
 * The address as the driver takes it. `require` looks whose the certificate is, here as in pg 8; libpq does not, without a `sslrootcert`, and the
 * driver warns of that on stderr. `sslrootcert=system`: those that Node knows.
 */
export const forDriver = ({ url }: Postgres): string => {
  const parsed = new URL(Redacted.value(url))
  const keys = parsed.searchParams
  if (keys.get("sslrootcert") === "system") {
    keys.delete("sslrootcert")
    if (!keys.has("sslmode")) keys.set("sslmode", "verify-full")
  }
  if (keys.get("sslmode") === "require") keys.set("sslmode", "verify-full")
  if (keys.get("sslmode") === "verify-ca") keys.set("uselibpqcompat", "true")
  return parsed.href
}

/** What stands in an error of `addressProblem` as the way out. */
export const addressHint =
  "Write postgres://user:password@host:5432/database; what is no letter or digit in user and password is written as %40 for @, %2F for /."

/** Where a journal is. */
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

/** For sentences. */
export const nameOf = (place: Place): string => (typeof place === "string" ? place : place.name)

export const usualConnections = 10

/** What is wrong with an address of a PostgreSQL, without the address: it holds a password. */
export const addressProblem = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return "must be a URL that begins with postgres://"
  if (["user", "password"].some((key) => url.searchParams.has(key))) return "has the user or the password behind the ?"
  if (url.hostname === "") return "names no host"
  if (url.pathname.length <= 1) return "names no database"
  // A / in the password ends the host: what is taken for the database then, and shown, is the rest of the password.
  if (/[/@]/.test(url.pathname.slice(1))) return "has a / or an @ too many, in the password most likely"
  const decodes = [url.username, url.password, url.pathname].every((part) => /^([^%]|%[0-9a-f]{2})*$/i.test(part))
  return decodes ? undefined : "has a % that is not written as %25"
}

/** What stands in an error of `addressProblem` as the way out. */
export const addressHint =
  "Write postgres://user:password@host:5432/database; what is no letter or digit in user and password is written as %40 for @, %2F for /."

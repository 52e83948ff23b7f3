import { Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { addressProblem, forDriver, isLocal, Postgres, protectionOf } from "./place.js"

const at = (rest: string, host = "db.example.com") =>
  new Postgres({ url: Redacted.make(`postgres://agent:p%40ss@${host}/site${rest}`), connections: 2 })

describe("the address of a PostgreSQL", () => {
  it.each([
    ["", "", "none"],
    ["?sslmode=disable", "?sslmode=disable", "none"],
    ["?sslmode=no-verify", "?sslmode=no-verify", "unverified"],
    ["?sslmode=verify-full&sslrootcert=/ca.pem", "?sslmode=verify-full&sslrootcert=/ca.pem", "verified"],
    // The driver warns of it on stderr, and takes it for this.
    ["?sslmode=require", "?sslmode=verify-full", "verified"],
    [
      "?sslmode=verify-ca&sslrootcert=/ca.pem",
      "?sslmode=verify-ca&sslrootcert=/ca.pem&uselibpqcompat=true",
      "verified"
    ],
    ["?sslrootcert=system", "?sslmode=verify-full", "verified"]
  ])("%s is given to the driver as %s: %s", (rest, given, protection) => {
    const place = at(rest)
    expect(addressProblem(Redacted.value(place.url))).toBe(undefined)
    expect(decodeURIComponent(new URL(forDriver(place)).search)).toBe(given)
    expect(new URL(forDriver(place)).password).toBe("p%40ss")
    expect(protectionOf(place)).toBe(protection)
  })

  it("is one of this machine, or not", () => {
    expect(
      [at("", "localhost:5433"), at("", "127.0.0.1"), at("", "[::1]"), at("?host=/run/postgresql")].map(isLocal)
    ).toEqual([true, true, true, true])
    expect([at(""), at("", "localhost.example.com")].map(isLocal)).toEqual([false, false])
  })

  it.each([
    ["?sslmode=verifyfull", "has an sslmode behind the ? that is none of"],
    ["?sslmode=prefer", "has an sslmode behind the ? that is none of"],
    ["?sslmode=verify-full&sslkey=/client.key", "has one of sslcert and sslkey"],
    ["?sslmode=verify-ca", "no sslrootcert to hold it to"]
  ])("is refused with %s", (rest, what) => {
    expect(addressProblem(Redacted.value(at(rest).url))).toContain(what)
  })

  it.each([
    "postgres://agent:p@one,two/site",
    "postgresql://agent:p@one:5432,two:5432/site?target_session_attrs=read-write",
    "postgres://agent:p@[::1],two/site",
    "postgres://agent:p@one/site?host=one,two",
    "postgres://agent:p@one/site?sslmode=require&port=5432,5433"
  ])("is refused with several hosts: %s", (text) => {
    expect(addressProblem(text)).toMatch(/^names several hosts/)
  })

  it("may have a comma in the password, and one of libpq's own words with a single host", () => {
    expect(addressProblem("postgres://agent:p,q@one/site?target_session_attrs=read-write")).toBe(undefined)
    // What is wrong with it is the /.
    expect(addressProblem("postgres://agent:p,q/r@one/site")).not.toMatch(/several hosts/)
  })
})

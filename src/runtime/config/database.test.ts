import { describe, expect, it } from "@effect/vitest"
import { Option, Redacted } from "effect"
import { accepted, refused, withMore } from "./harness.js"

const database = async (text: string, surroundings: Parameters<typeof accepted>[1] = {}) =>
  Option.getOrUndefined(
    Option.map((await accepted(text, surroundings)).database, ({ connections, url }) => [
      Redacted.value(url),
      connections
    ])
  )
const plain = withMore()
const there = "postgres://agent:p%40ss@db.example.com/site_actors"

describe("The database of the journal", () => {
  it("is a file, where nothing else is said", async () => {
    expect(await database(plain)).toBe(undefined)
    expect(await database(withMore('database: ""'))).toBe(undefined)
  })

  it("is the file's PostgreSQL, or else the environment's", async () => {
    const environment = { SITE_ACTORS_DATABASE: there }
    expect(await database(plain, { environment })).toEqual([there, 10])
    const own = "postgres://other.example.com/own"
    expect(await database(withMore(`database: ${own}`, "database_connections: 4"), { environment })).toEqual([own, 4])
  })

  it("is put together of parts from outside", async () => {
    const text = withMore(`database: postgres://agent:\${file:/run/secrets/db}@db/site`)
    expect(await database(text, { files: { "/run/secrets/db": "p%40ss\n" } })).toEqual([
      "postgres://agent:p%40ss@db/site",
      10
    ])
  })

  it.each([
    ["db.example.com", "must be a URL that begins with postgres://"],
    ["postgres://db.example.com", "names no database"],
    ["postgres:///site", "names no host"],
    ["postgres://db/site?password=supersecret", "has the user or the password behind the ?"],
    ["postgres://me:super@secret/word@db/site", "has a / or an @ too many, in the password most likely"],
    ["postgres://me:1/secret@db/site", "has a / or an @ too many, in the password most likely"],
    ["postgres://me:super%secret@db/site", "has a % that is not written as %25"]
  ])("is refused from the environment where it is none, without being shown: %s", async (url, what) => {
    expect(await refused(plain, { environment: { SITE_ACTORS_DATABASE: url } })).toEqual([
      `the environment variable SITE_ACTORS_DATABASE ${what}. Write postgres://user:password@host:5432/database; what is no letter or digit in user and password is written as %40 for @, %2F for /.`
    ])
  })
})

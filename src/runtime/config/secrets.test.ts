import { resolve } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Option, Redacted } from "effect"
import { accepted, refused, withLine, withMore } from "./harness.js"

const token = (value: string) => withLine("waldur_api_token", `    waldur_api_token: ${value}`)
const tokenOf = async (text: string, surroundings: Parameters<typeof accepted>[1] = {}) => {
  const credentials = (await accepted(text, surroundings)).offerings[0]?.waldur.credentials
  return credentials?._tag === "Token" ? Redacted.value(credentials.token) : undefined
}
const settingsOf = async (text: string, surroundings: Parameters<typeof accepted>[1] = {}) => {
  const settings = (await accepted(text, surroundings)).offerings[0]?.backendSettings
  return settings === undefined ? {} : Redacted.value(settings)
}

describe("Values from outside of the file", () => {
  it("come from environment variables", async () => {
    expect(await tokenOf(token(`\${TOKEN}`), { environment: { TOKEN: "abc" } })).toBe("abc")
  })

  it("have a default where the file has one, for what is not set or empty", async () => {
    expect(await tokenOf(token(`\${TOKEN:-fallback}`))).toBe("fallback")
    expect(await tokenOf(token(`\${TOKEN:-fallback}`), { environment: { TOKEN: "" } })).toBe("fallback")
    expect(await tokenOf(token(`\${TOKEN:-fallback}`), { environment: { TOKEN: "set" } })).toBe("set")
  })

  it("come from files, without the newline at their end, relative ones from beside the configuration", async () => {
    expect(await tokenOf(token(`\${file:/run/secrets/t}`), { files: { "/run/secrets/t": "abc\n" } })).toBe("abc")
    expect(await tokenOf(token(`\${file:t}`), { files: { "/etc/site-actors/t": "a b\r\n" } })).toBe("a b")
  })

  it("come from the credentials that systemd hands to a service", async () => {
    const given = { environment: { CREDENTIALS_DIRECTORY: "/run/c" }, files: { "/run/c/waldur-token": "abc\n" } }
    expect(await tokenOf(token(`\${credential:waldur-token}`), given)).toBe("abc")
    // Typed by hand, as a path from where one stands.
    const near = { environment: { CREDENTIALS_DIRECTORY: "c" }, files: { [resolve("c/waldur-token")]: "def\n" } }
    expect(await tokenOf(token(`\${credential:waldur-token}`), near)).toBe("def")
  })

  it("may be a part of a value, several times", async () => {
    const settings = await settingsOf(withLine("credentials", `      credentials: \${USER}:\${file:/p}`), {
      environment: { USER: "oneadmin" },
      files: { "/p": "pass:$word\n" }
    })
    expect(settings.credentials).toBe("oneadmin:pass:$word")
  })

  it("are numbers and booleans where those are wanted", async () => {
    const text = withMore(`      zone_id: \${ZONE}`, `    verify_ssl: \${VERIFY}`)
    const config = await accepted(text, { environment: { ZONE: "7", VERIFY: "no" } })
    expect(config.offerings[0]?.backendSettings && Redacted.value(config.offerings[0].backendSettings).zone_id).toBe(7)
    expect(config.offerings[0]?.waldur.tls.verify).toBe(false)
  })

  it("are taken as they are: no YAML, no reference within them", async () => {
    const hostile = `"\n  x: [\${OTHER}`
    expect(await tokenOf(token(`\${TOKEN}`), { environment: { TOKEN: hostile, OTHER: "no" } })).toBe(hostile)
  })

  it("leave alone what is no reference", async () => {
    expect(await tokenOf(token(`a$b$\${c`))).toBe(`a$b\${c`)
  })

  it("also stay text where a token is all digits", async () => {
    expect(await tokenOf(token("0123456789"))).toBe("0123456789")
  })

  it.each([
    [
      `\${TOKEN}`,
      `4:23: offerings[0].waldur_api_token refers to the environment variable TOKEN, which is not set. Set it, or write \${TOKEN:-default}.`
    ],
    [
      `\${1st}`,
      `4:23: offerings[0].waldur_api_token has a \${...} that names no environment variable. Write \${NAME}, \${NAME:-default}, \${file:/path} or \${credential:name}; $\${ stands for a plain \${.`
    ],
    [
      `\${file:/none}`,
      "4:23: offerings[0].waldur_api_token refers to the file /none, which cannot be read: there is no such file. Write it there, or correct the path."
    ],
    [
      `\${credential:token}`,
      "4:23: offerings[0].waldur_api_token refers to the credential token, but CREDENTIALS_DIRECTORY is not set. systemd sets it for a unit with LoadCredential=token:/path; elsewhere set it to the folder that holds the file token."
    ],
    [
      `\${credential:../etc/shadow}`,
      `4:23: offerings[0].waldur_api_token has a \${credential:...} that names no credential. Its name is that of a file, of letters, digits, and . _ -.`
    ]
  ])("are named if they are not there: %s", async (value, sentence) => {
    expect(await refused(token(value))).toEqual([sentence])
  })

  it("are all named at once, where several are not there", async () => {
    const text = withLine("credentials", `      credentials: \${A}:\${B}`)
    expect(await refused(text, { environment: {} })).toEqual([
      `10:20: offerings[0].backend_settings.credentials refers to the environment variable A, which is not set. Set it, or write \${A:-default}.`,
      `10:20: offerings[0].backend_settings.credentials refers to the environment variable B, which is not set. Set it, or write \${B:-default}.`
    ])
  })
})

describe("A secret is never shown", () => {
  it.each([
    [
      "a token that is a list",
      token("[supersecret]"),
      "4:5: offerings[0].waldur_api_token must be text, but is a list."
    ],
    [
      "a token that is a mapping",
      token("{ file: /supersecret }"),
      `4:5: offerings[0].waldur_api_token must be text, but is a mapping. To take it from a file, write \${file:/path}.`
    ],
    [
      "credentials without a colon",
      withLine("credentials", "      credentials: supersecret"),
      '10:20: offerings[0].backend_settings.credentials must be "user:password".'
    ],
    [
      "a schema that quotes the value",
      withMore("      pin: supersecret"),
      "11:12: offerings[0].backend_settings.pin is not valid."
    ],
    [
      "a password in an address",
      withLine("waldur_api_url", "    waldur_api_url: https://me:supersecret@x.org"),
      "3:21: offerings[0].waldur_api_url must be a URL that begins with https:// or http:// and has no user name in it."
    ],
    [
      "a proxy's password",
      withMore("global_proxy: ftp://me:supersecret@x.org"),
      "11:15: global_proxy must be a URL that begins with http:// or https://."
    ],
    [
      "a database's password",
      withMore("database: mysql://me:supersecret@db/site"),
      "11:11: database must be postgres://user:password@host:5432/database, with %40 for @ in user and password, and so on; what may stand behind a ? is in docs/deploy.md."
    ],
    [
      "a password that ends the address",
      withMore("database: postgres://me:super#secret@db/site"),
      "11:11: database must be postgres://user:password@host:5432/database, with %40 for @ in user and password, and so on; what may stand behind a ? is in docs/deploy.md."
    ],
    [
      "a password with a / in it",
      withMore("database: postgres://me:super@sec/ret@db/site"),
      "11:11: database must be postgres://user:password@host:5432/database, with %40 for @ in user and password, and so on; what may stand behind a ? is in docs/deploy.md."
    ],
    [
      "a password with a % in it",
      withMore("database: postgres://me:super%secret@db/site"),
      "11:11: database must be postgres://user:password@host:5432/database, with %40 for @ in user and password, and so on; what may stand behind a ? is in docs/deploy.md."
    ],
    [
      "a key that only its name tells",
      withMore("      keycloak: { keycloak_url: x, keycloak_password: [supersecret] }"),
      "11:36: offerings[0].backend_settings.keycloak.keycloak_password must be text, but is a list."
    ]
  ])("%s", async (_, text, sentence) => {
    expect(await refused(text)).toEqual([sentence])
  })

  it("nor is anything that came from outside", async () => {
    expect(await refused(withMore(`      zone_id: \${ZONE}`), { environment: { ZONE: "supersecret" } })).toEqual([
      "11:16: offerings[0].backend_settings.zone_id must be a number."
    ])
  })

  it("nor printed with the configuration", async () => {
    const config = await accepted(
      withMore(
        "global_proxy: http://me:swordfish@proxy",
        "sentry_dsn: https://swordfish@s.io/1",
        "database: postgres://me:swordfish@db:5433/site"
      )
    )
    expect(`${JSON.stringify(config)} ${String(config.offerings[0]?.backendSettings)}`).not.toMatch(
      /swordfish|0123456789abcdef/
    )
    expect(config.offerings[0]?.waldur.proxy && Redacted.value(config.offerings[0].waldur.proxy)).toBe(
      "http://me:swordfish@proxy"
    )
    expect(Option.map(config.database, ({ name }) => name)).toEqual(Option.some("postgres://db:5433/site"))
  })
})

/** Texts from outside in the log: customers' names, servers' messages. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Logger, LogLevel, Option, Redacted } from "effect"
import { accepted, file } from "../../src/runtime/config/harness.js"
import { formats, secretsOf, visible, visibleLines } from "../../src/runtime/logging.js"

const forged = "web\n[05:00:00.000] INFO: forged\r\ntimestamp=2026-01-01T00:00:00.000Z level=INFO message=forged"
/** Clear the screen, set the title, CSI as one character, right-to-left override, line separator, DEL, a tag character. */
const escapes = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnp.exe\u2028\u007f\u{e0041}"
const hostile = [forged, escapes, `\u001b[1A${forged}`, '"} forged="yes', "a=b", "\\", "\\n"]

const names = ["pretty", "logfmt", "json"] as const
type Format = (typeof names)[number]

/** What is printed for what `effect` logs. */
const printed = (format: Format, effect: Effect.Effect<void>, secrets: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    yield* effect.pipe(
      Effect.provide(
        Logger.replace(
          Logger.defaultLogger,
          Logger.map(formats[format](secrets), (text) => {
            lines.push(text)
          })
        )
      ),
      Logger.withMinimumLogLevel(LogLevel.Debug)
    )
    return lines
  })

const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const escape = "\u001b"
const colour = new RegExp(`^(\\[[\\d:.]+\\] )${escape}\\[\\d+m(\\w+)${escape}\\[0m`)
/** Without the agent's own: line ends, and in pretty the colour of the level. */
const without = (format: Format, text: string): string =>
  format === "pretty" ? text.replace(colour, "$1$2").replaceAll("\n", "") : text

describe.each(names)("in the format %s", (format) => {
  it.effect.each(hostile)(
    "no message, annotation, key, span or cause moves the cursor or forges a record: %j",
    (text) =>
      Effect.gen(function* () {
        const lines = yield* printed(
          format,
          Effect.logWarning(`Refused: ${text}`, text, { nested: text }, Cause.die(new Error(text))).pipe(
            Effect.annotateLogs({ name: text, [text]: "x" }),
            Effect.withLogSpan(text)
          )
        )
        expect(lines).toHaveLength(1)
        const [record = ""] = lines
        expect(without(format, record)).not.toMatch(invisible)
        // In pretty what belongs to a record is indented; in the others a record is a line.
        const [, ...rest] = record.split("\n")
        expect(rest.filter((line) => !line.startsWith("    "))).toEqual([])
        if (format !== "pretty") expect(rest).toEqual([])
      })
  )

  it.effect("secrets of the configuration are struck out, in every spelling, also where a bug prints them", () =>
    Effect.gen(function* () {
      const secret = 'hunter2"<&>+ää'
      const spelt = [secret, JSON.stringify(secret), encodeURIComponent(secret), "hunter2&quot;"].slice(0, 3).join(" ")
      const lines = yield* printed(
        format,
        Effect.logError(spelt, Cause.die(new Error(spelt, { cause: new Error(spelt) }))).pipe(
          Effect.annotateLogs({ spelt })
        ),
        [secret]
      )
      expect(lines.join("\n")).not.toContain("hunter2")
      expect(lines.join("\n")).toContain("<redacted>")
    })
  )

  it.effect("a text of a megabyte is cut", () =>
    Effect.gen(function* () {
      const long = "x".repeat(1_000_000)
      const [record = ""] = yield* printed(format, Effect.logInfo(long).pipe(Effect.annotateLogs({ long })))
      expect(record.length).toBeLessThan(70_000)
      expect(record).toContain("(1000000 characters)")
    })
  )
})

it.effect("JSON stays JSON, and says what was said", () =>
  Effect.gen(function* () {
    const [record = ""] = yield* printed("json", Effect.logInfo(escapes).pipe(Effect.annotateLogs({ name: forged })))
    expect(JSON.parse(record)).toMatchObject({ message: escapes, annotations: { name: forged } })
  })
)

it("a sentence for the terminal keeps its own lines and shows what is hidden in them", () => {
  expect(visible("a\nb\u001b[31m\u202e")).toBe("a\\u000ab\\u001b[31m\\u202e")
  expect(visibleLines("one\ntwo\u001b[2J\rthree")).toBe("one\ntwo\\u001b[2J\\u000dthree")
})

it("knows every secret of a configuration, and the passwords inside of them", async () => {
  const config = await accepted(file())
  const [offering] = config.offerings
  if (offering === undefined) throw new Error("the file of the tests has an offering")
  const secrets = secretsOf({
    ...config,
    sentryDsn: Option.some(Redacted.make("https://public-key@sentry.example.com/1")),
    offerings: [
      {
        ...offering,
        waldur: {
          ...offering.waldur,
          credentials: { _tag: "Token", token: Redacted.make("the-token\n") },
          proxy: Redacted.make("http://user:proxy%2Fpassword@proxy:3128")
        },
        backendSettings: Redacted.make({
          api_url: "http://one.example.com",
          credentials: "oneadmin:one:password",
          keycloak: { keycloak_password: "keycloak-password", keycloak_url: "https://keycloak" }
        })
      }
    ]
  })
  expect(secrets).toEqual(expect.arrayContaining(["the-token", "proxy/password", "one:password", "keycloak-password"]))
  expect(secrets).not.toContain("http://one.example.com")
  expect(secrets).not.toContain("https://keycloak")
})

/** Where the agent's own secrets lie open: on the wire without TLS or to whoever answers, or in a file that everybody may read. */
import { readFile, stat } from "node:fs/promises"
import { Effect, Redacted } from "effect"
import type { Config, OfferingConfig } from "../config/index.js"
import { secretsOf } from "../logging.js"
import { type Finding, warning } from "./row.js"

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

const unencrypted = (url: unknown): boolean =>
  typeof url === "string" &&
  URL.canParse(url) &&
  new URL(url).protocol === "http:" &&
  !loopback.test(new URL(url).hostname)

/** Warnings about how an offering's servers are reached. */
export const wireExposure = ({ waldur, backendSettings }: OfferingConfig): ReadonlyArray<Finding> => {
  const settings = Redacted.value(backendSettings)
  const cases: ReadonlyArray<readonly [boolean, string, string]> = [
    [unencrypted(waldur.apiUrl), "Waldur", "http: the agent's token is sent unencrypted. Use https."],
    [!waldur.tls.verify, "Waldur", "Certificates are not verified: whoever answers gets the agent's token."],
    [
      waldur.credentials._tag === "Oidc" && unencrypted(waldur.credentials.tokenUrl),
      "identity provider",
      "http: the client secret is sent unencrypted. Use https."
    ],
    [
      unencrypted(settings.api_url),
      "backend",
      "http: the credentials are sent unencrypted. Put a TLS proxy before it."
    ],
    [
      settings.verify_ssl === false,
      "backend",
      "verify_ssl is off: whoever answers gets the credentials. Set ca_file instead."
    ]
  ]
  return cases.filter(([exposed]) => exposed).map(([, subject, detail]) => warning(subject, detail))
}

/** Lines that name a backend: a password may well be called "opennebula". */
const naming = /^\s*(?:-\s+)?(?:backend_type|\w+_backend)\s*:.*$/gm

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

/** As a whole, or as part of "user:password" or of a URL; not in the middle of another word. */
const stands = (text: string, secret: string): boolean =>
  new RegExp(`(?<![\\w-])${escaped(secret)}(?![\\w-])`).test(text.replace(naming, ""))

/** A warning if the configuration file itself holds a secret and others may read it. A file that cannot be looked at is none's business here. */
export const fileExposure = (config: Config): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.tryPromise(async () => {
    const info = await stat(config.file)
    // A pipe is read once, and would be waited for.
    if (!info.isFile() || (info.mode & 0o007) === 0) return []
    const text = await readFile(config.file, "utf8")
    return secretsOf(config).some((secret) => secret.length > 3 && stands(text, secret))
      ? [
          warning(
            "file",
            "It holds secrets, and every user of this machine may read it: chmod 640 it, or name environment variables in it."
          )
        ]
      : []
  }).pipe(Effect.orElseSucceed(() => []))

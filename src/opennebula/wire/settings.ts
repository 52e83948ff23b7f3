/** From what an operator writes to what a client needs; whatever is wrong is said before the first call. */
import { readFile } from "node:fs/promises"
import { Duration, Effect, Redacted } from "effect"
import { OfferingFault } from "../../core/errors.js"

export interface OpenNebulaSettings {
  /** `http(s)://host:port`, with `/RPC2` left out or not. */
  readonly apiUrl: string
  /** `user:password`, OpenNebula's session string. */
  readonly credentials: Redacted.Redacted<string>
  /** For one call, from the connection to the end of the answer; 60 s. Waiting for a turn does not count. */
  readonly timeout?: Duration.DurationInput | undefined
  /** Calls at once to this front-end; 12. Of several clients of one front-end, the lowest counts. */
  readonly maxConcurrent?: number | undefined
  /** Path of a PEM file: the certificates to trust instead of the system's. */
  readonly caFile?: string | undefined
  /** Whether to verify the front-end's certificate; true. */
  readonly verifySsl?: boolean | undefined
  /** URL of an HTTP(S) proxy; a secret, as it may hold a password. */
  readonly proxy?: Redacted.Redacted<string> | undefined
  /** Longest answer that is read; 256 MB. */
  readonly maxAnswerBytes?: number | undefined
}

/** The same, checked and complete. */
export interface ClientSettings {
  readonly url: URL
  /** The URL as errors, logs and spans show it; front-ends are told apart by it. */
  readonly endpoint: string
  readonly session: string
  readonly timeoutMillis: number
  readonly maxConcurrent: number
  readonly certificateAuthority: string | undefined
  readonly verifySsl: boolean
  readonly proxy: URL | undefined
  readonly maxAnswerBytes: number
}

const fault = (reason: string, hint: string): OfferingFault => new OfferingFault({ reason, hint })

const parseUrl = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined
}

/** Never quotes the URL: it may hold a password. */
const readUrl = (apiUrl: string): Effect.Effect<URL, OfferingFault> => {
  const url = parseUrl(apiUrl.trim())
  if (url === undefined) {
    return fault("The URL of the OpenNebula front-end is not valid.", "Set api_url to http(s)://host:2633/RPC2.")
  }
  if (url.username !== "" || url.password !== "") {
    return fault(
      "The URL of the OpenNebula front-end holds credentials.",
      "Set credentials, and take them out of api_url."
    )
  }
  // Users of pyone may leave the path out, and the front-end answers 404 to any other than this.
  if (url.pathname === "/") url.pathname = "/RPC2"
  url.hash = ""
  return Effect.succeed(url)
}

const readSession = (credentials: Redacted.Redacted<string>): Effect.Effect<string, OfferingFault> => {
  const session = Redacted.value(credentials)
  // With a line break at its end, as files have it, the front-end says 0x0100, and nobody sees why.
  return /^[^:\p{C}\p{Zl}\p{Zp}]+:[^\p{Cc}\p{Cs}]+$/u.test(session)
    ? Effect.succeed(session)
    : fault("The OpenNebula credentials are not valid.", "Set credentials to user:password, without line breaks.")
}

const readProxy = (proxy: Redacted.Redacted<string> | undefined): Effect.Effect<URL | undefined, OfferingFault> => {
  if (proxy === undefined) return Effect.succeed(undefined)
  const url = parseUrl(Redacted.value(proxy))
  return url === undefined
    ? fault("The URL of the proxy to OpenNebula is not valid.", "Set proxy to http(s)://[user:password@]host:port.")
    : Effect.succeed(url)
}

const readAuthority = (caFile: string | undefined): Effect.Effect<string | undefined, OfferingFault> => {
  if (caFile === undefined) return Effect.succeed(undefined)
  const hint = "Set ca_file to a readable PEM file with certificates."
  return Effect.tryPromise({
    try: () => readFile(caFile, "utf8"),
    catch: () => fault(`The certificate file ${caFile} cannot be read.`, hint)
  }).pipe(
    Effect.filterOrFail(
      (text) => text.includes("-----BEGIN CERTIFICATE-----"),
      () => fault(`The certificate file ${caFile} holds no certificate.`, hint)
    )
  )
}

const readPositive = (name: string, value: number): Effect.Effect<number, OfferingFault> =>
  Number.isFinite(value) && value >= 1
    ? Effect.succeed(Math.floor(value))
    : fault(`The setting ${name} is ${value}.`, `Set ${name} to a positive number.`)

export const readSettings = (settings: OpenNebulaSettings): Effect.Effect<ClientSettings, OfferingFault> =>
  Effect.gen(function* () {
    const url = yield* readUrl(settings.apiUrl)
    return {
      url,
      endpoint: `${url.origin}${url.pathname}`,
      session: yield* readSession(settings.credentials),
      timeoutMillis: yield* readPositive("timeout", Duration.toMillis(settings.timeout ?? "60 seconds")),
      maxConcurrent: yield* readPositive("max_concurrent_calls", settings.maxConcurrent ?? 12),
      certificateAuthority: yield* readAuthority(settings.caFile),
      verifySsl: settings.verifySsl ?? true,
      proxy: yield* readProxy(settings.proxy),
      maxAnswerBytes: yield* readPositive("max_answer_bytes", settings.maxAnswerBytes ?? 256_000_000)
    }
  })

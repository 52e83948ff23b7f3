/** What a connection is made from. */
import type { Redacted } from "effect"

export interface KeycloakSettings {
  /** `https://login.example.org/` or, on older servers, `https://login.example.org/auth/`. */
  readonly url: string
  /** Where the groups and their members are. */
  readonly realm: string
  /** Where the agent's user is: `master`, or the realm itself. */
  readonly userRealm: string
  readonly clientId: string
  /** Without a user name, the client's own service account is used. */
  readonly clientSecret: Redacted.Redacted | undefined
  readonly username: string
  readonly password: Redacted.Redacted | undefined
  readonly verifySsl: boolean
  /** PEM file of the authority that signed the server's certificate. */
  readonly caFile: string | undefined
  /** HTTP proxy: `http://[user:password@]proxy:3128`. */
  readonly proxy: Redacted.Redacted | undefined
  /** For one request, in ms. */
  readonly timeout: number
}

/** What can be done about a connection that does not come about, by the code that Node or OpenSSL has for it. */

/** The keys of the configuration that a server's connection depends on. */
export interface ConnectionKeys {
  /** Its address: `waldur_api_url`. */
  readonly url: string
  /** The PEM file of its authority: `ca_file`. */
  readonly ca: string
  /** The proxy's address, where the way goes through one: what cannot be reached may be the proxy. */
  readonly proxy?: string | undefined
}

/** The first that fits. Expired certificates and refused connections are mended elsewhere as well, so they are no reason to stop anything. */
const sayings: ReadonlyArray<readonly [RegExp, (keys: ConnectionKeys) => string]> = [
  [/ALTNAME_INVALID/, ({ url }) => `Write the host in ${url} as its certificate names it.`],
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|CERT_(SIGNATURE|UNTRUSTED)/,
    ({ ca }) =>
      `Its certificate is signed by nobody who is trusted here: name its authority's PEM file in ${ca}. If that was renewed since the agent was started, restart it: the file is read then.`
  ],
  [/CERT_HAS_EXPIRED/, () => "Its certificate has expired: renew it there, or set this machine's clock."],
  [/CERT_NOT_YET_VALID/, () => "Its certificate is not valid yet: set this machine's clock."],
  [
    /WRONG_VERSION_NUMBER|wrong version number/,
    ({ url }) => `No TLS is spoken at this port: correct the port in ${url}, or write http://.`
  ],
  // The name of what lies behind a proxy is the proxy's to find.
  [/ENOTFOUND/, ({ proxy, url }) => `There is no host of this name: correct ${proxy ?? url}, or this machine's DNS.`],
  [/./, ({ proxy }) => (proxy === undefined ? "" : `Check ${proxy} too.`)]
]

/** A sentence with what to do about `reason`; empty where there is nothing to say but that. */
export const connectionAdvice = (reason: string, keys: ConnectionKeys): string =>
  sayings.find(([shape]) => shape.test(reason))?.[1](keys) ?? ""

/** A sentence without its full stop, and what to do about it, where there is something. */
export const withAdvice = (sentence: string, advice: string): string =>
  `${sentence}.${advice === "" ? "" : ` ${advice}`}`

/** Answers about the two servers, held against the servers themselves. Nothing is changed there. */
import { Data, Effect, Redacted } from "effect"
import { connectionAdvice, withAdvice } from "../../connect/index.js"
import { printable } from "../../core/index.js"
import {
  type AuthenticationFailed,
  connect,
  isSupportedRelease,
  lowestRelease,
  type OpenNebulaService,
  type Unreachable,
  type WrongEndpoint
} from "../../opennebula/index.js"
import {
  makeWaldur,
  type Offering,
  type User,
  type WaldurUnauthorized,
  type WaldurUnreachable
} from "../../waldur/index.js"

/** The server is not what it should be; the reason says what to do. */
class Unfit extends Data.TaggedError("Unfit")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** The errors' own advice names keys of the configuration file, which whoever answers questions has not seen yet: here it is in the questions' words. */
const noWaldur = {
  WaldurUnreachable: (error: WaldurUnreachable) =>
    new Unfit({
      reason: withAdvice(
        `Waldur cannot be reached at ${error.origin ?? "that address"}: ${error.reason} (${error.call})`,
        connectionAdvice(error.reason, { url: "Waldur's address", ca: "--waldur-ca-file" })
      )
    })
}
const wordsOfWaldur = {
  ...noWaldur,
  WaldurUnauthorized: ({ detail }: WaldurUnauthorized) =>
    new Unfit({ reason: `Waldur does not accept the token: ${detail}` })
}

const noOpenNebula = {
  Unreachable: ({ endpoint, reason }: Unreachable) =>
    new Unfit({
      reason: withAdvice(
        `OpenNebula cannot be reached at ${endpoint}: ${reason}`,
        connectionAdvice(reason, { url: "OpenNebula's address", ca: "--opennebula-ca-file" })
      )
    }),
  WrongEndpoint: ({ endpoint, status }: WrongEndpoint) =>
    new Unfit({
      reason: `no OpenNebula answers at ${endpoint} (HTTP status ${status}): give the address of its XML-RPC, such as http://one.example.com:2633/RPC2.`
    })
}
const wordsOfOpenNebula = {
  ...noOpenNebula,
  AuthenticationFailed: ({ endpoint, serverMessage }: AuthenticationFailed) =>
    new Unfit({
      reason: `OpenNebula at ${endpoint} does not accept this user with this password: ${serverMessage} Give user:password of an administrator, as oneadmin's one_auth has it.`
    })
}

export interface Server {
  readonly apiUrl: string
  /** PEM file of the authority that signed its certificate. */
  readonly caFile: string | undefined
}

const isWebAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

const webAddress = (text: string, example: string) =>
  isWebAddress(text.trim())
    ? Effect.succeed(text.trim())
    : new Unfit({ reason: `must be an address that begins with http:// or https://, such as ${example}.` })

const waldurAs = ({ apiUrl, caFile }: Server, token: Redacted.Redacted) =>
  makeWaldur({
    apiUrl,
    credentials: { _tag: "Token", token },
    tls: { verify: true, ...(caFile === undefined ? {} : { caFile }) }
  })

/** Nobody's. What answers that it does not take this one speaks the right language. */
const nobody = Redacted.make("0000000000000000000000000000000000000000")

/** Gives the address if a Waldur answers there. */
export const waldurAt = (text: string, caFile: string | undefined) =>
  Effect.gen(function* () {
    const apiUrl = yield* webAddress(text, "https://waldur.example.com/api/")
    const waldur = yield* waldurAs({ apiUrl, caFile }, nobody)
    yield* waldur.me.pipe(
      Effect.asVoid,
      Effect.catchTag("WaldurUnauthorized", () => Effect.void)
    )
    return waldur.apiUrl
  }).pipe(Effect.scoped, Effect.catchTags(noWaldur))

export interface Provider {
  readonly user: User
  /** At least one: those that the user may see from the provider's side. */
  readonly offerings: ReadonlyArray<Offering>
}

/** Who the token is, and which offerings it can see. */
export const providerAs = (server: Server, token: Redacted.Redacted) =>
  Effect.gen(function* () {
    const waldur = yield* waldurAs(server, token)
    const user = yield* waldur.me
    const { items } = yield* waldur.offerings
    if (items.length > 0) return { user, offerings: items } satisfies Provider
    return yield* new Unfit({
      reason: `the user ${printable(user.username)} sees no offering from the provider's side: give it a role with the provider's organisation, or make an offering first.`
    })
  }).pipe(Effect.scoped, Effect.catchTags(wordsOfWaldur))

const openNebulaAs = ({ apiUrl, caFile }: Server, credentials: Redacted.Redacted) =>
  Effect.map(connect({ apiUrl, credentials, caFile }), ({ one }) => one)

/** Gives the address if an OpenNebula answers there. */
export const openNebulaAt = (text: string, caFile: string | undefined) =>
  Effect.gen(function* () {
    const apiUrl = yield* webAddress(text, "http://one.example.com:2633/RPC2")
    const one = yield* openNebulaAs({ apiUrl, caFile }, Redacted.make("nobody:-"))
    // Every call asks for credentials first: a front-end says that these are wrong, and anything else says something else.
    yield* one.system.version().pipe(
      Effect.asVoid,
      Effect.catchTag("AuthenticationFailed", () => Effect.void)
    )
    return apiUrl
  }).pipe(Effect.scoped, Effect.catchTags(noOpenNebula))

/** What the front-end has. */
export interface FrontEnd {
  readonly version: string
  readonly user: string
  readonly one: OpenNebulaService
}

const adminGroup = 0

/** While the scope lasts. The user has to be an administrator: only those may do what the agent does. */
export const frontEndAs = (server: Server, credentials: Redacted.Redacted) =>
  Effect.gen(function* () {
    if (!/^[^:]+:.+$/s.test(Redacted.value(credentials).trim())) {
      return yield* new Unfit({ reason: 'must be "user:password".' })
    }
    const one = yield* openNebulaAs(server, credentials)
    const version = yield* one.system.version()
    if (!isSupportedRelease(version)) {
      return yield* new Unfit({
        reason: `it has release ${printable(version)}, and ${lowestRelease} or later is needed: upgrade it, or name another.`
      })
    }
    const user = yield* one.user.info(-1)
    if (user.gid !== adminGroup && !user.groups.includes(adminGroup)) {
      return yield* new Unfit({
        reason: `${printable(user.name)} is no member of the group oneadmin: add it, or give other credentials.`
      })
    }
    return { version, user: user.name, one } satisfies FrontEnd
  }).pipe(Effect.catchTags(wordsOfOpenNebula))

/** `cpu (limit, cores)` */
export const componentsOf = ({ components }: Offering): ReadonlyArray<string> =>
  components.map(({ accountingType, measuredUnit, type }) =>
    printable(`${type} (${[accountingType, measuredUnit].filter((part) => part !== "").join(", ")})`)
  )

/** What an offering probably sells: sizes of plans are machines. */
export const looksLikeMachines = ({ components }: Offering): boolean =>
  components.some(({ accountingType }) => accountingType === "fixed") &&
  !components.some(({ type }) => type === "floating_ip")

/** Do its orders for machines say how large their disk is? By the components that opennebula-vm takes for it. */
export const sellsDisks = ({ components }: Offering): boolean =>
  components.some(({ accountingType, type }) => accountingType !== "usage" && /^(vm_disk|storage)$/.test(type))

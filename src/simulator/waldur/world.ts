/**
 * Everything that the simulated marketplace remembers, and the four things that it takes from outside: the time, chance, a way
 * to do something later, and somebody to tell of changes. The rules are in the files beside this one, as functions of a world.
 *
 * All of it is synchronous: whatever a request does, it does at one instant, as a database transaction would.
 */
import type { Duration } from "effect"
import { PCGRandom } from "effect/Utils"
import type { Broker } from "../stomp/index.js"
import type {
  Customer,
  JsonObject,
  Offering,
  OfferingUser,
  Order,
  OrderState,
  Project,
  Resource,
  ResourceState,
  ServiceProvider,
  SshKey,
  Usage,
  User
} from "./model.js"

/**
 * Which server is imitated. `2024`: a late-2024 server, with `marketplace-slurm-remote/` and plan switches that complete by
 * themselves. `current`: today's, with `provider-resources/{uuid}/set_limits/` and `orders/{uuid}/set_backend_id/`.
 */
export type Generation = "2024" | "current"

export interface Behaviour {
  readonly generation: Generation
  /** Also the calls and fields that the published API has and the recorded servers had not (identities, `set_as_ok`, ...). */
  readonly published: boolean
  /** One queue for all types of events, too. */
  readonly oneQueue: boolean
  /** How long after approve the server's background task is through: fills `resource_uuid`, completes plan switches (2024). */
  readonly taskAfter: Duration.Duration
  /** How long after approve an order shows as `executing`. */
  readonly executingAfter: Duration.Duration
  /** The chance, 0 to 1, that the background task saves a stale resource and overwrites a `set_backend_id` made meanwhile. */
  readonly race: number
  /** Limits of `fixed` components break every later plan switch (`KeyError`, recorded on the 2024 server only). */
  readonly keyErrorOnFixedLimits: boolean
  /** Whether a call that crashes leaves nothing behind (Waldur: `USE_ATOMIC_TRANSACTION`). */
  readonly atomic: boolean
  /** Of a resource's name and uuid; absent: as the recorded servers make them. */
  readonly slugOf?: ((name: string, uuid: string) => string) | undefined
}

export type Change =
  | { readonly _tag: "Order"; readonly order: Order; readonly state: OrderState; readonly at: number }
  | { readonly _tag: "Resource"; readonly resource: Resource; readonly state: ResourceState; readonly at: number }

/** Records of endpoints that are answered plainly: kept as they were sent. */
export interface PlainRecord {
  readonly uuid: string
  readonly created: number
  modified: number
  fields: JsonObject
}

export interface World {
  readonly behaviour: Behaviour
  readonly now: () => number
  readonly later: (after: Duration.Duration, task: () => void) => void
  readonly changed: (change: Change) => void
  readonly random: PCGRandom
  /** Where events go, and where agents read them. */
  readonly broker: Broker
  readonly category: { readonly uuid: string; readonly title: string }
  readonly customers: Map<string, Customer>
  readonly serviceProviders: Map<string, ServiceProvider>
  readonly projects: Map<string, Project>
  readonly users: Map<string, User>
  readonly offerings: Map<string, Offering>
  readonly resources: Map<string, Resource>
  readonly orders: Map<string, Order>
  /** The same by resource, oldest first: kept by `addOrder` and `removeOrder`, as each look at a resource asks for them. */
  readonly ordersOf: Map<Resource, Set<Order>>
  readonly sshKeys: Map<string, SshKey>
  readonly usages: Map<string, Usage>
  readonly offeringUsers: Map<string, OfferingUser>
  /** Site agent identities, services, processors, event subscriptions, queues and logs, by kind. */
  readonly records: Map<string, Map<string, PlainRecord>>
  /** Client id -> secret and user, for the OIDC token endpoint. */
  readonly oidcClients: Map<string, { readonly secret: string; readonly user: User }>
  /** Access token -> user and the instant at which it expires. */
  readonly accessTokens: Map<string, { readonly user: User; readonly expiresAt: number }>
  readonly slugs: Map<string, number>
}

export const makeWorld = (
  behaviour: Behaviour,
  seed: number,
  outside: Pick<World, "now" | "later" | "changed" | "broker">
): World => {
  const random = new PCGRandom(seed)
  return {
    behaviour,
    ...outside,
    random,
    category: { uuid: randomHex(random, 32), title: "Private clouds" },
    customers: new Map(),
    serviceProviders: new Map(),
    projects: new Map(),
    users: new Map(),
    offerings: new Map(),
    resources: new Map(),
    orders: new Map(),
    ordersOf: new Map(),
    sshKeys: new Map(),
    usages: new Map(),
    offeringUsers: new Map(),
    records: new Map(),
    oidcClients: new Map(),
    accessTokens: new Map(),
    slugs: new Map()
  }
}

const randomHex = (random: PCGRandom, digits: number): string =>
  Array.from({ length: digits }, () => random.integer(16).toString(16)).join("")

/** A uuid in Waldur's spelling. The digits of version and variant are those of a version 4 uuid. */
export const newUuid = (world: World): string => {
  const digits = randomHex(world.random, 32)
  return `${digits.slice(0, 12)}4${digits.slice(13, 16)}a${digits.slice(17)}`
}

/** An API token: 40 hex digits. */
export const newToken = (world: World): string => randomHex(world.random, 40)

export const chance = (world: World, probability: number): boolean => world.random.number() < probability

/** `opennebu-1`: eight characters of the name and a counter, as the recorded servers make slugs. */
export const newSlug = (world: World, name: string): string => {
  const stem = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 8)
  const count = (world.slugs.get(stem) ?? 0) + 1
  world.slugs.set(stem, count)
  return `${stem}-${count}`
}

export const recordsOf = (world: World, kind: string): Map<string, PlainRecord> => {
  const known = world.records.get(kind)
  if (known !== undefined) return known
  const made = new Map<string, PlainRecord>()
  world.records.set(kind, made)
  return made
}

/** Both spellings of a uuid are accepted; `null` when it is neither. */
export const normaliseUuid = (text: string): string | null => {
  const digits = text.replaceAll("-", "").toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : null
}

export const addOrder = (world: World, order: Order): void => {
  world.orders.set(order.uuid, order)
  const known = world.ordersOf.get(order.resource)
  if (known === undefined) world.ordersOf.set(order.resource, new Set([order]))
  else known.add(order)
}

export const removeOrder = (world: World, order: Order): void => {
  world.orders.delete(order.uuid)
  world.ordersOf.get(order.resource)?.delete(order)
}

/** The first order of the resource that is like that. */
export const findOrder = (world: World, resource: Resource, like: (order: Order) => boolean): Order | undefined => {
  for (const order of world.ordersOf.get(resource) ?? []) if (like(order)) return order
  return undefined
}

export const moveOrder = (world: World, order: Order, state: OrderState): void => {
  order.state = state
  order.modified = world.now()
  world.changed({ _tag: "Order", order, state, at: order.modified })
}

/** Tells of a change that is none of state. */
export const touchOrder = (world: World, order: Order): void => moveOrder(world, order, order.state)

export const touchResource = (world: World, resource: Resource): void => moveResource(world, resource, resource.state)

export const moveResource = (world: World, resource: Resource, state: ResourceState): void => {
  resource.state = state
  resource.modified = world.now()
  world.changed({ _tag: "Resource", resource, state, at: resource.modified })
}

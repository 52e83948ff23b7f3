/** How a world is filled: organisations, projects, users and their roles, offerings, keys. What is not said gets a default. */
import type {
  AccountingType,
  Customer,
  JsonObject,
  Offering,
  OfferingUser,
  Project,
  Role,
  RoleName,
  ServiceProvider,
  SshKey,
  User
} from "./model.js"
import { newSlug, newToken, newUuid, type World } from "./world.js"

export const addCustomer = (world: World, wanted: { readonly name: string; readonly uuid?: string }): Customer => {
  const customer = { uuid: wanted.uuid ?? newUuid(world), name: wanted.name, slug: newSlug(world, wanted.name) }
  world.customers.set(customer.uuid, customer)
  return customer
}

export interface NewProject {
  readonly customer: Customer
  readonly name: string
  readonly uuid?: string
  /** Milliseconds since 1970: until then its orders wait as `pending-project`. */
  readonly startsAt?: number
}

export const addProject = (world: World, wanted: NewProject): Project => {
  const project: Project = {
    uuid: wanted.uuid ?? newUuid(world),
    name: wanted.name,
    slug: newSlug(world, wanted.name),
    customer: wanted.customer,
    startsAt: wanted.startsAt ?? null
  }
  world.projects.set(project.uuid, project)
  return project
}

export interface NewUser {
  readonly username: string
  readonly fullName?: string
  readonly email?: string
  readonly token?: string
  readonly uuid?: string
  readonly staff?: boolean
  /** Lets the user in by OIDC client credentials at `/oidc/token` as well. */
  readonly oidcClient?: { readonly id: string; readonly secret: string }
}

export const addUser = (world: World, wanted: NewUser): User => {
  const user: User = {
    uuid: wanted.uuid ?? newUuid(world),
    username: wanted.username,
    fullName: wanted.fullName ?? wanted.username,
    email: wanted.email ?? `${wanted.username}@example.org`,
    slug: newSlug(world, wanted.username),
    token: wanted.token ?? newToken(world),
    isStaff: wanted.staff ?? false,
    roles: [],
    created: world.now()
  }
  world.users.set(user.uuid, user)
  if (wanted.oidcClient !== undefined)
    world.oidcClients.set(wanted.oidcClient.id, { secret: wanted.oidcClient.secret, user })
  return user
}

const grant = (world: World, user: User, name: RoleName, scope: Role["scope"], customer: Customer | null): void => {
  user.roles.push({ name, scope, customer, created: world.now() })
}

export const addCustomerRole = (
  world: World,
  user: User,
  customer: Customer,
  name: "CUSTOMER.OWNER" | "CUSTOMER.MANAGER"
): void => grant(world, user, name, { type: "customer", uuid: customer.uuid, name: customer.name }, null)

export const addProjectRole = (
  world: World,
  user: User,
  project: Project,
  name: "PROJECT.MANAGER" | "PROJECT.ADMIN" | "PROJECT.MEMBER"
): void => grant(world, user, name, { type: "project", uuid: project.uuid, name: project.name }, project.customer)

/** An offering's manager becomes a manager of its organisation too, as on the recorded servers (recording 004). */
export const addOfferingManager = (world: World, user: User, offering: Offering): void => {
  const { customer } = offering
  grant(world, user, "OFFERING.MANAGER", { type: "offering", uuid: offering.uuid, name: offering.name }, customer)
  const already = user.roles.some(({ name, scope }) => name === "CUSTOMER.MANAGER" && scope.uuid === customer.uuid)
  if (!already) addCustomerRole(world, user, customer, "CUSTOMER.MANAGER")
}

export const removeRoles = (user: User, scope: { readonly uuid: string }): void => {
  const kept = user.roles.filter((role) => role.scope.uuid !== scope.uuid)
  user.roles.splice(0, user.roles.length, ...kept)
}

export interface NewComponent {
  readonly type: string
  readonly name?: string
  readonly accountingType: AccountingType
  readonly measuredUnit?: string
  readonly unitFactor?: number
  readonly minValue?: number
  readonly maxValue?: number
}

export interface NewPlan {
  readonly name: string
  readonly uuid?: string
  readonly quotas?: { readonly [type: string]: number }
  /** Per unit; 1 each if not said. */
  readonly prices?: { readonly [type: string]: number }
}

export interface NewOffering {
  readonly customer: Customer
  readonly name: string
  readonly uuid?: string
  readonly type?: string
  readonly components: ReadonlyArray<NewComponent>
  /** One plan called `Default` if none is given. */
  readonly plans?: ReadonlyArray<NewPlan>
  readonly pluginOptions?: JsonObject
  readonly secretOptions?: JsonObject
  readonly roles?: ReadonlyArray<JsonObject>
}

export const addOffering = (world: World, wanted: NewOffering): Offering => {
  const plans: ReadonlyArray<NewPlan> = wanted.plans ?? [{ name: "Default" }]
  const offering: Offering = {
    uuid: wanted.uuid ?? newUuid(world),
    name: wanted.name,
    slug: newSlug(world, wanted.name),
    type: wanted.type ?? "Marketplace.Slurm",
    customer: wanted.customer,
    created: world.now(),
    components: wanted.components.map((component) => ({
      uuid: newUuid(world),
      type: component.type,
      name: component.name ?? component.type,
      accountingType: component.accountingType,
      measuredUnit: component.measuredUnit ?? "",
      unitFactor: component.unitFactor ?? null,
      minValue: component.minValue ?? null,
      maxValue: component.maxValue ?? null
    })),
    plans: plans.map((plan) => ({
      uuid: plan.uuid ?? newUuid(world),
      name: plan.name,
      quotas: plan.quotas ?? {},
      prices: plan.prices ?? Object.fromEntries(wanted.components.map(({ type }) => [type, 1]))
    })),
    pluginOptions: wanted.pluginOptions ?? {},
    secretOptions: wanted.secretOptions ?? {},
    backendMetadata: {},
    roles: wanted.roles ?? [],
    agentSeenAt: null,
    integrationStatusUuid: newUuid(world),
    serviceSettingsUuid: newUuid(world)
  }
  world.offerings.set(offering.uuid, offering)
  serviceProviderOf(world, wanted.customer)
  return offering
}

/** Whoever has an offering is a service provider. */
export const serviceProviderOf = (world: World, customer: Customer): ServiceProvider => {
  const known = [...world.serviceProviders.values()].find((one) => one.customer === customer)
  if (known !== undefined) return known
  const made = { uuid: newUuid(world), customer, created: world.now() }
  world.serviceProviders.set(made.uuid, made)
  return made
}

export const addSshKey = (
  world: World,
  wanted: { readonly user: User; readonly name: string; readonly publicKey: string; readonly uuid?: string }
): SshKey => {
  const key = { uuid: wanted.uuid ?? newUuid(world), name: wanted.name, publicKey: wanted.publicKey, user: wanted.user }
  world.sshKeys.set(key.uuid, key)
  return key
}

/** A member's account at the provider, as Waldur makes one for whoever joins a project with a resource. */
export const makeOfferingUser = (
  world: World,
  wanted: { readonly offering: Offering; readonly user: User; readonly username?: string; readonly state?: string }
): OfferingUser => {
  const now = world.now()
  const username = wanted.username ?? ""
  const made: OfferingUser = {
    uuid: newUuid(world),
    offering: wanted.offering,
    user: wanted.user,
    username,
    state: wanted.state ?? (username === "" ? "Requested" : "OK"),
    comment: "",
    restricted: false,
    created: now,
    modified: now
  }
  world.offeringUsers.set(made.uuid, made)
  return made
}

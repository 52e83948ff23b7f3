/** Small things that every answer is made of: instants, addresses, users. */
import type { Json, JsonObject, Offering, Plan, Role, User } from "../model.js"

/** Where the server says that it is, `http://127.0.0.1:8000`; every address in an answer begins with it. */
export type Origin = string

export const address = (origin: Origin, path: string): string => `${origin}/api/${path}/`

/** Microseconds, as Django writes them. */
export const instant = (at: number): string => new Date(at).toISOString().replace("Z", "000Z")

export const instantOrNull = (at: number | null): string | null => (at === null ? null : instant(at))

export const offeringAddress = (origin: Origin, offering: Offering): string =>
  address(origin, `marketplace-public-offerings/${offering.uuid}`)

export const planAddress = (origin: Origin, offering: Offering, plan: Plan): string =>
  address(origin, `marketplace-public-offerings/${offering.uuid}/plans/${plan.uuid}`)

/** Decimal text with ten places, as money is answered. */
export const decimal = (amount: number | null): string | null => (amount === null ? null : amount.toFixed(10))

const roleDescriptions: { readonly [name in Role["name"]]: string } = {
  "CUSTOMER.OWNER": "Organization owner",
  "CUSTOMER.MANAGER": "Organization manager",
  "OFFERING.MANAGER": "Offering manager",
  "PROJECT.MANAGER": "Project manager",
  "PROJECT.ADMIN": "Project administrator",
  "PROJECT.MEMBER": "Project member"
}

const permission = (user: User, role: Role): JsonObject => ({
  user_uuid: user.uuid,
  user_name: user.fullName,
  user_slug: user.slug,
  created: instant(role.created),
  expiration_time: null,
  created_by_full_name: "Stan Staff",
  created_by_username: "staff",
  role_name: role.name,
  role_description: roleDescriptions[role.name],
  role_uuid: roleUuid(role.name),
  scope_type: role.scope.type,
  scope_uuid: role.scope.uuid,
  scope_name: role.scope.name,
  customer_uuid: role.customer?.uuid,
  customer_name: role.customer?.name
})

/** Roles are the same on every simulated server: their uuid is their name in hexadecimal, cut and filled to 32 digits. */
export const roleUuid = (name: string): string => Buffer.from(name).toString("hex").slice(0, 32).padEnd(32, "0")

/** `users/me/`, recording 004: it shows the caller's own token. */
export const userView = (origin: Origin, user: User): Json => {
  const [firstName = "", ...rest] = user.fullName.split(" ")
  return {
    url: address(origin, `users/${user.uuid}`),
    uuid: user.uuid,
    username: user.username,
    slug: user.slug,
    full_name: user.fullName,
    native_name: "",
    job_title: "",
    email: user.email,
    phone_number: "",
    organization: "",
    civil_number: null,
    token: user.token,
    token_lifetime: null,
    registration_method: "default",
    date_joined: instant(user.created),
    agreement_date: instant(user.created),
    preferred_language: "",
    permissions: user.roles.map((role) => permission(user, role)),
    requested_email: null,
    affiliations: [],
    first_name: firstName,
    last_name: rest.join(" "),
    identity_provider_name: "Local DB",
    identity_provider_label: "Local DB",
    identity_provider_management_url: "",
    identity_provider_fields: [],
    image: null,
    identity_source: "",
    is_staff: user.isStaff ? true : undefined
  }
}

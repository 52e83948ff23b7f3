/** Addresses of other things in a request's body: complaints are collected by field, in Django REST framework's words. */
import type { Json, Offering, Plan, Project, User } from "./model.js"
import { seesProject } from "./permissions.js"
import type { World } from "./world.js"

type Errors = { [name: string]: Json }

const noMatch = "Invalid hyperlink - No URL match."
const noObject = "Invalid hyperlink - Object does not exist."

/** The uuid at the end of an address whose path has the given shape; a bare uuid is no address (recording 144). */
const uuidIn = (value: Json, shape: RegExp): string | null =>
  typeof value === "string" ? (shape.exec(value)?.[1]?.replaceAll("-", "") ?? null) : null

const byUrl = <A>(
  field: string,
  value: Json | undefined,
  shape: RegExp,
  find: (uuid: string) => A | undefined,
  errors: Errors
): A | null => {
  if (value === undefined) errors[field] = ["This field is required."]
  else {
    const uuid = uuidIn(value, shape)
    const found = uuid === null ? undefined : find(uuid)
    if (uuid === null) errors[field] = [noMatch]
    else if (found === undefined) errors[field] = [noObject]
    else return found
  }
  return null
}

const hex = "([0-9a-f]{32}|[0-9a-f-]{36})"

export const offeringByUrl = (world: World, value: Json | undefined, errors: Errors): Offering | null =>
  byUrl(
    "offering",
    value,
    new RegExp(`/api/marketplace-(?:public|provider)-offerings/${hex}/$`),
    (uuid) => world.offerings.get(uuid),
    errors
  )

export const projectByUrl = (world: World, user: User, value: Json | undefined, errors: Errors): Project | null =>
  byUrl(
    "project",
    value,
    new RegExp(`/api/projects/${hex}/$`),
    (uuid) => {
      const project = world.projects.get(uuid)
      return project !== undefined && seesProject(user, project) ? project : undefined
    },
    errors
  )

export const planByUrl = (world: World, value: Json | undefined, errors: Errors): Plan | null =>
  byUrl(
    "plan",
    value,
    new RegExp(`/api/marketplace-public-offerings/[0-9a-f-]+/plans/${hex}/$`),
    (uuid) => planByUuid(world, uuid)?.plan,
    errors
  )

export const planByUuid = (
  world: World,
  uuid: string
): { readonly offering: Offering; readonly plan: Plan } | undefined => {
  for (const offering of world.offerings.values()) {
    const plan = offering.plans.find((one) => one.uuid === uuid)
    if (plan !== undefined) return { offering, plan }
  }
  return undefined
}

/**
 * What objects in OpenNebula are called. A name is a label for people; identity is in ids and owner tags.
 *
 * A resource's name is `<allocation_prefix><slug>` in lower case, as the Python agent has it. Waldur makes slugs unique, so two
 * customers who both call their data centre "prod" do not collide. A server without slugs gets the name and a piece of the uuid.
 */
import type { Resource } from "../core/index.js"

/** OpenNebula 7.4 allows 128 characters; this leaves room for endings such as `_internal`. */
const longest = 100

/** Group and user names refuse spaces, `:`, `<` and control characters (recordings 414, 415): only what is always allowed stays. */
const clean = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^-+|-+$/g, "")

/** A person's account, from their name in Waldur; empty if nothing of it can be used. */
export const accountName = (username: string): string => clean(username).slice(0, longest)

export const resourceName = (prefix: string, resource: Pick<Resource, "id" | "name" | "slug">): string => {
  const slug = clean(resource.slug)
  if (slug !== "") return clean(`${prefix}${slug}`).slice(0, longest)
  const ending = resource.id.slice(0, 8)
  return `${clean(`${prefix}${resource.name}`).slice(0, longest - ending.length - 1)}-${ending}`.replace(/^-/, "")
}

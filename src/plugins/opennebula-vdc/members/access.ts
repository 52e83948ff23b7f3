/** Keycloak's side of a data centre, made with it and removed with it. */
import { Effect, Option, Schema } from "effect"
import { type CreateRequest, ensureDone, make, type ResourceId } from "../../../plugin/index.js"
import { type Cloud, gone } from "../cloud.js"
import type { Plan } from "../plan.js"
import { removeGroup } from "../tenant.js"
import { writeMapping } from "./keycloak.js"
import { ensureGroups, findGroups, parentName, removeGroups } from "./keycloak-groups.js"
import { copyLimits, ensureRoleGroup, findRoleGroup, type MainGroup, settleRoleGroup } from "./role-groups.js"
import { rolesOf } from "./roles.js"

/** Steps of a create, after the limits of its main group are set. Nothing where the offering has no Keycloak. */
export const makeAccess = (
  cloud: Cloud,
  request: Pick<CreateRequest<unknown>, "resource">,
  tenant: { readonly groupId: number; readonly vdcId: number },
  { name: slug, zone, clusters, isolated }: Pick<Plan, "name" | "zone" | "clusters" | "isolated">
) =>
  Effect.gen(function* () {
    const { keycloak, one } = cloud
    if (keycloak === undefined) return
    const resource = request.resource.id
    const main: MainGroup = { id: tenant.groupId, slug, resource }
    const roles = rolesOf(cloud.settings)
    const names = roles.map(({ name }) => name)
    const ensured = Effect.map(ensureGroups(keycloak, slug, resource, names), ({ parent }) => parent.id)
    yield* make("Keycloak groups", {
      result: Schema.String,
      find: Effect.flatMap(findGroups(keycloak, slug, resource), (found) =>
        Option.isSome(found) ? Effect.asSome(ensured) : Effect.succeedNone
      ),
      create: ensured,
      undo: () => removeGroups(keycloak, slug, resource)
    })
    const ids = yield* Effect.forEach(roles, (role) =>
      make(`group of role ${role.name}`, {
        result: Schema.Int,
        find: Effect.flatMap(one.group.list(), (groups) =>
          findRoleGroup(groups, main, role) === undefined
            ? Effect.succeedNone
            : Effect.asSome(ensureRoleGroup(cloud, main, role))
        ),
        create: ensureRoleGroup(cloud, main, role),
        undo: (id) => removeGroup(cloud, id)
      })
    )
    yield* ensureDone(
      "groups of roles in VDC",
      Effect.forEach(ids, (id) => settleRoleGroup(cloud, id, { vdc: tenant.vdcId, zone, clusters, isolated }), {
        discard: true
      })
    )
    yield* ensureDone("limits of roles", copyLimits(cloud, tenant.groupId, ids))
    yield* ensureDone(
      "SAML mapping",
      // Where it cannot be written the synchronisation of members says so, again and again; the order is not to blame.
      Effect.catchTag(writeMapping(cloud, main), "MappingFileFailed", (error) => Effect.logWarning(error.message)),
      forgetMapping(cloud, slug)
    )
  })

const forgetMapping = (cloud: Cloud, slug: string) =>
  Effect.catchTag(cloud.mapping?.remove(`/${parentName(slug)}`) ?? Effect.void, "MappingFileFailed", (error) =>
    Effect.logWarning(error.message)
  )

/** Nobody gets in any more: first Keycloak's groups, then the way to OpenNebula's. */
export const closeAccess = (cloud: Cloud, slug: string, resource: ResourceId) =>
  Effect.gen(function* () {
    if (cloud.keycloak === undefined) return
    yield* ensureDone("Keycloak groups gone", removeGroups(cloud.keycloak, slug, resource))
    yield* ensureDone("SAML mapping gone", forgetMapping(cloud, slug))
  })

/**
 * Accounts that OpenNebula made when somebody logged in through SAML, and that have no other group: they are there for these groups alone,
 * and a group with users in it cannot be deleted.
 */
export const removeRoleGroups = (cloud: Cloud, groups: ReadonlyArray<number>, accounts: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    if (accounts.length > 0) {
      yield* ensureDone(
        "accounts of logins gone",
        Effect.forEach(accounts, (id) => gone(cloud.one.user.delete(id)), { discard: true })
      )
    }
    if (groups.length > 0) {
      yield* ensureDone(
        "groups of roles gone",
        Effect.forEach(groups, (id) => removeGroup(cloud, id), { discard: true })
      )
    }
  })
